"""A receipt in the log: what is believed of its proof, and what the operator is held to."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from makul.ledger.merkle import inclusion_proof
from makul.ledger.notes import (
    COSIGNATURE_V1,
    SignatureLine,
    format_note,
    parse_note,
    with_line,
)
from makul.trust.notes import Cosigner, new_key_file
from makul_client import cli_receipt
from makul_client.bundles import MAX_BUNDLE, Bundle, read_bundle_unsafe, write_bundle
from makul_client.cli import app
from makul_client.commands import ExitCode
from makul_client.errors import (
    LEDGER_TEXTS,
    Language,
    LedgerError,
    LedgerFlaw,
    MakulError,
    ProfileError,
)
from makul_client.history import MAX_KEPT, Link
from makul_client.ledger import LedgerVerifier, Standing
from makul_client.profile import Profile
from makul_client.receipts import ReceiptVerifier
from makul_client.results import Inclusion, Receipt
from support.client_world import NOW, operator, write_profile
from support.fake_service import Asked, Reply, answer, serving
from support.published_log import PublishedLog, leaves

PROMISE = timedelta(seconds=60)
SOON, LATE = NOW + PROMISE, NOW + PROMISE + timedelta(microseconds=1)
INDEX = 7


_WITH = (
    b'{"format": "makul-receipt-1", "receipt": "AA==",'
    b' "inclusion": {"index": %b, "size": 1, "path": [], "checkpoint": "AA=="}}'
)
"""A bundle that would do, but for its index."""


@dataclass
class World:
    """A log with the receipt's leaf in it, two witnesses, and a profile that names them all."""

    folder: Path
    log: PublishedLog
    witnesses: tuple[Cosigner, ...]
    hashes: list[bytes]
    request_id: UUID
    document: bytes

    @classmethod
    def new(cls, folder: Path) -> "World":
        log = PublishedLog(folder / "published", folder / "log.key")
        names = ("witness.example/w1", "witness.example/w2")
        for number, name in enumerate(names):
            new_key_file(folder / f"w{number}.key", name, COSIGNATURE_V1)
        hashes = leaves(20)
        world = cls(
            folder=folder,
            log=log,
            witnesses=tuple(Cosigner.load(folder / f"w{number}.key") for number in range(2)),
            hashes=hashes,
            request_id=uuid4(),
            document=b"",
        )
        world.document = world.receipt(world.request_id, hashes[INDEX])
        return world

    def receipt(self, request_id: UUID, leaf: bytes) -> bytes:
        child = f'<GetReceipt xmlns="urn:makul:recipient:1"><requestId>{request_id}</requestId>'
        envelope = "http://schemas.xmlsoap.org/soap/envelope/"
        asked = Asked(
            f'<e:Envelope xmlns:e="{envelope}"><e:Body>{child}</GetReceipt></e:Body>'
            "</e:Envelope>".encode()
        )
        facts: dict[str, Any] = {
            "id": str(uuid4()),
            "outcome": "MATCHED",
            "codes": (),
            "person": None,
            "at": NOW,
            "agreement": "TEST-2026/001",
            "leaf": leaf,
        }
        return operator().receipt(asked, **facts)

    def checkpoint(self, hashes: Sequence[bytes], witnesses: int = 2) -> bytes:
        note = self.log.note(hashes)
        for witness in self.witnesses[:witnesses]:
            note = witness.cosign(note, at=NOW)
        return note

    def inclusion(
        self, size: int = 20, *, hashes: Sequence[bytes] | None = None, witnesses: int = 2
    ) -> Inclusion:
        tree = list(hashes if hashes is not None else self.hashes)[:size]
        return Inclusion(
            index=INDEX,
            size=len(tree),
            path=inclusion_proof(INDEX, tree),
            checkpoint=self.checkpoint(tree, witnesses),
        )

    def profile(self, url: str = "http://127.0.0.1:9/", **changes: str) -> Path:
        keys = ", ".join(f'"{each.vkey}"' for each in self.witnesses)
        rows = {"key": f'"{self.log.signer.vkey}"', "witnesses": f"[{keys}]"} | changes
        table = "\n".join(f"{name} = {value}" for name, value in rows.items())
        return write_profile(self.folder, url, extra=f"[ledger]\n{table}\n")

    def verifier(self, **changes: str) -> LedgerVerifier:
        profile = Profile.load(self.profile(**changes))
        assert profile.ledger is not None
        return LedgerVerifier(profile.ledger, language=Language.EN)

    def verified(self) -> Receipt:
        profile = Profile.load(self.profile())
        return ReceiptVerifier(profile.operator).verify_kept(self.document, at=NOW)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.new(tmp_path)


def flaw(
    verifier: LedgerVerifier, receipt: Receipt, inclusion: Inclusion | None, at: Any = SOON
) -> LedgerFlaw:
    with pytest.raises(LedgerError) as raised:
        verifier.prove(receipt, inclusion, at=at)
    return raised.value.flaw


def test_a_receipt_is_proved(world: World) -> None:
    """By the log's signature, the path, and the witnesses that the profile names."""
    proved = world.verifier().prove(world.verified(), world.inclusion(), at=LATE)

    assert proved.standing is Standing.PROVED
    assert (proved.index, proved.size) == (INDEX, 20)
    assert [each.partition("+")[0] for each in proved.cosigned_by] == [
        "witness.example/w1",
        "witness.example/w2",
    ]


def test_the_promise_is_kept_to_the_instant(world: World) -> None:
    """Without a proof: pending up to the stated delay, and a flaw right after it."""
    receipt = world.verified()

    assert world.verifier().prove(receipt, None, at=SOON).standing is Standing.PENDING
    assert flaw(world.verifier(), receipt, None, at=LATE) is LedgerFlaw.OVERDUE
    longer = world.verifier(max_merge_delay="3600")
    assert longer.prove(receipt, None, at=LATE).standing is Standing.PENDING


@pytest.mark.parametrize(
    ("witnesses", "quorum", "enough"),
    [(2, "2", True), (1, "2", False), (0, "1", False), (1, "1", True), (0, "0", True)],
)
def test_a_quorum_of_witnesses_vouches(
    world: World, witnesses: int, quorum: str, *, enough: bool
) -> None:
    """Too few are pending while the promise runs, and a flaw after it."""
    verifier = world.verifier(quorum=quorum)
    inclusion = world.inclusion(witnesses=witnesses)

    soon = verifier.prove(world.verified(), inclusion, at=SOON)
    assert soon.standing is (Standing.PROVED if enough else Standing.PENDING)
    if enough:
        assert verifier.prove(world.verified(), inclusion, at=LATE).standing is Standing.PROVED
    else:
        assert flaw(verifier, world.verified(), inclusion, at=LATE) is LedgerFlaw.QUORUM


def test_a_quorum_is_a_majority_unless_said(world: World) -> None:
    """Of two, both."""
    profile = Profile.load(world.profile())
    assert profile.ledger is not None
    assert profile.ledger.quorum == 2


def by_a_stranger(world: World, folder: Path) -> bytes:
    stranger = PublishedLog(folder / "stranger", folder / "stranger.key")
    note = stranger.note(world.hashes)
    return world.witnesses[0].cosign(note, at=NOW)


def of_another_origin(world: World, folder: Path) -> bytes:
    text = parse_note(world.log.note(world.hashes)).text
    return world.log.signer.sign(b"other.example\n" + text.partition(b"\n")[2])


def of_another_size(world: World, folder: Path) -> bytes:
    return world.checkpoint([*world.hashes, b"\0" * 32])


def unsigned(world: World, folder: Path) -> bytes:
    return parse_note(world.log.note(world.hashes)).text


def with_a_broken_line(world: World, folder: Path) -> bytes:
    note = parse_note(world.checkpoint(world.hashes))
    key = world.log.signer.key
    return format_note(with_line(note, SignatureLine(key.name, key.key_id, bytes(64))))


@pytest.mark.parametrize(
    "spoil", [by_a_stranger, of_another_origin, of_another_size, unsigned, with_a_broken_line]
)
def test_a_checkpoint_is_the_logs_own(
    world: World, tmp_path: Path, spoil: Callable[[World, Path], bytes]
) -> None:
    """And of the very tree that the proof is of."""
    inclusion = replace(world.inclusion(), checkpoint=spoil(world, tmp_path))

    assert flaw(world.verifier(), world.verified(), inclusion) is LedgerFlaw.CHECKPOINT


def test_a_witness_line_that_does_not_hold_counts_for_nothing(world: World) -> None:
    """Nor one copied from a checkpoint of another tree."""
    other = parse_note(world.checkpoint(world.hashes[:10]))
    note = parse_note(world.log.note(world.hashes))
    for line in other.signatures[1:]:
        note = with_line(note, line)
    inclusion = replace(world.inclusion(), checkpoint=format_note(note))

    assert flaw(world.verifier(), world.verified(), inclusion, at=LATE) is LedgerFlaw.QUORUM


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: replace(proof, index=INDEX + 1),
        lambda proof: replace(proof, path=proof.path[:-1]),
        lambda proof: replace(proof, path=(*proof.path, bytes(32))),
        lambda proof: replace(proof, path=(bytes(32), *proof.path[1:])),
        lambda proof: replace(proof, path=tuple(reversed(proof.path))),
    ],
)
def test_a_path_that_does_not_lead_there(
    world: World, change: Callable[[Inclusion], Inclusion]
) -> None:
    """Is no proof, whoever signed the checkpoint."""
    assert flaw(world.verifier(), world.verified(), change(world.inclusion())) is LedgerFlaw.PATH


def test_the_receipt_of_another_decision_is_not_proved_by_it(world: World) -> None:
    """The leaf is read from the signed receipt, and from nowhere else."""
    other = replace(world.verified(), leaf_hash=bytes(32))

    assert flaw(world.verifier(), other, world.inclusion()) is LedgerFlaw.PATH


def test_two_receipts_on_one_leaf(world: World) -> None:
    """Each decision has a leaf of its own: the operator showed one for two."""
    verifier = world.verifier()
    first = world.verified()
    second = replace(first, document=world.receipt(uuid4(), world.hashes[INDEX]))
    verifier.prove(first, world.inclusion(), at=LATE)

    assert verifier.prove(first, world.inclusion(), at=LATE).standing is Standing.PROVED
    assert flaw(verifier, second, world.inclusion()) is LedgerFlaw.SHARED


def test_two_trees_of_one_size_are_found_across_runs(world: World) -> None:
    """By the checkpoints that were remembered, however well both are signed and cosigned."""
    changed = [*world.hashes[:-1], bytes(32)]
    world.verifier(state='"seen.json"').prove(world.verified(), world.inclusion(), at=LATE)

    later = world.verifier(state='"seen.json"')
    forked = world.inclusion(hashes=changed)
    assert flaw(later, world.verified(), forked) is LedgerFlaw.FORKED
    again = later.prove(world.verified(), world.inclusion(), at=LATE)
    assert again.link is Link.SAME
    assert (world.folder / "seen.json").stat().st_mode & 0o077 == 0


def test_trees_of_two_sizes_are_held_against_the_log(world: World) -> None:
    """Where its tiles can be had: a log that changed an old leaf is found, one that grew is not."""
    grown = [*world.hashes, *leaves(400, "more ")]
    changed = [bytes(32), *grown[1:]]
    named = {"state": '"seen.json"', "log": '"published"'}
    world.verifier(**named).prove(world.verified(), world.inclusion(), at=LATE)

    world.log.publish(grown)
    good = world.verifier(**named).prove(
        world.verified(), world.inclusion(300, hashes=grown), at=LATE
    )
    assert good.link is Link.UNKNOWN  # its tiles of this size were never published
    whole = world.inclusion(420, hashes=grown)
    assert world.verifier(**named).prove(world.verified(), whole, at=LATE).link is Link.SAME

    world.log.publish(changed)
    forked = world.inclusion(421, hashes=[*changed, bytes(32)])
    world.log.publish([*changed, bytes(32)])
    assert flaw(world.verifier(**named), world.verified(), forked) is LedgerFlaw.FORKED


def test_a_history_that_was_changed_stops_the_client(world: World) -> None:
    """It neither accuses the log nor forgets what the log said."""
    file = world.folder / "seen.json"
    world.verifier(state='"seen.json"').prove(world.verified(), world.inclusion(), at=LATE)
    good = file.read_text()
    note = json.loads(good)["checkpoints"][0]
    for content in (
        "",
        "[]",
        "{}",
        good[:-3],
        json.dumps({"checkpoints": [note.replace("\n20\n", "\n21\n")]}),
        json.dumps({"checkpoints": [7]}),
    ):
        file.write_text(content)
        with pytest.raises(MakulError, match="put it aside"):
            world.verifier(state='"seen.json"')


def test_the_history_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest trees are kept."""
    monkeypatch.setattr("makul_client.history.MAX_KEPT", 3)
    assert MAX_KEPT > 3
    verifier = world.verifier(state='"seen.json"')
    for size in (12, 8, 20, 15, 18):
        verifier.prove(world.verified(), world.inclusion(size), at=LATE)

    kept = json.loads((world.folder / "seen.json").read_text())["checkpoints"]
    assert [note.split("\n")[1] for note in kept] == ["15", "18", "20"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"key": '"nothing"'}, "key"),
        ({"key": "7"}, "key"),
        ({"witnesses": '["nothing"]'}, "witnesses"),
        ({"quorum": "3"}, "quorum"),
        ({"quorum": "-1"}, "quorum"),
        ({"quorum": "true"}, "quorum"),
        ({"max_merge_delay": "0"}, "max_merge_delay"),
        ({"log": '"http://log.example/"'}, "log"),
        ({"witness": "1"}, "witness"),
    ],
)
def test_profiles_that_are_refused(world: World, changes: dict[str, str], complaint: str) -> None:
    """With the table and the key named."""
    with pytest.raises(ProfileError, match=rf"\[ledger\] {complaint}:"):
        world.verifier(**changes)


def test_a_witness_is_named_once_and_the_log_is_none(world: World) -> None:
    """Who is named twice would be a quorum alone; and the log cannot vouch for itself."""
    one = world.witnesses[0].vkey
    with pytest.raises(ProfileError, match="each key once"):
        world.verifier(witnesses=f'["{one}", "{one}"]')
    with pytest.raises(ProfileError, match="another kind"):
        world.verifier(witnesses=f'["{world.log.signer.vkey}"]')
    with pytest.raises(ProfileError, match="another kind"):
        world.verifier(key=f'"{one}"')


def test_every_flaw_is_told_in_three_languages() -> None:
    """And differently in each."""
    for each in LedgerFlaw:
        assert len({LEDGER_TEXTS[each][language] for language in Language}) == 3


# ---------------------------------------------------------------- the file


def test_a_bundle_comes_back_as_it_was(world: World) -> None:
    """With a proof and without; a receipt alone is one without."""
    for inclusion in (world.inclusion(), None):
        content = write_bundle(world.document, inclusion)
        assert read_bundle_unsafe(content) == Bundle(world.document, inclusion)
    assert read_bundle_unsafe(world.document) == Bundle(world.document, None)


def test_no_change_of_one_byte_is_believed(world: World) -> None:
    """It reads as before, or it is refused: by form, by signature, or by proof."""
    good = write_bundle(world.document, world.inclusion())
    before = read_bundle_unsafe(good)
    receipts = ReceiptVerifier(Profile.load(world.profile()).operator)
    verifier = world.verifier()
    places = [*range(0, len(good), 37), *range(good.index(b'"inclusion"'), len(good))]
    for place in places:
        changed = bytearray(good)
        changed[place] ^= 1
        try:
            bundle = read_bundle_unsafe(bytes(changed))
            receipt = receipts.verify_kept(bundle.receipt, at=LATE)
            verifier.prove(receipt, bundle.inclusion, at=LATE)
        except MakulError:
            continue
        assert bundle == before, place


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"{}",
        b'{"format": "makul-receipt-2", "receipt": "", "inclusion": null}',
        b'{"format": "makul-receipt-1", "receipt": 7, "inclusion": null}',
        b'{"format": "makul-receipt-1", "receipt": "AA==", "inclusion": 7}',
        _WITH % b"-1",
        _WITH % b"true",
        b"{" * 100_000,
        b" " * (MAX_BUNDLE + 1),
    ],
)
def test_what_is_no_bundle(content: bytes) -> None:
    """Is told as such."""
    assert read_bundle_unsafe(_WITH % b"0").inclusion is not None
    with pytest.raises(MakulError):
        read_bundle_unsafe(content)


# ---------------------------------------------------------------- the command line


def get_receipt(world: World, inclusion: Inclusion | None) -> Reply:
    proof = ""
    if inclusion is not None:
        path = "".join(f"<hash>{_b64(each)}</hash>" for each in inclusion.path)
        proof = (
            f"<inclusion><leafIndex>{inclusion.index}</leafIndex>"
            f"<treeSize>{inclusion.size}</treeSize>{path}"
            f"<checkpoint>{_b64(inclusion.checkpoint)}</checkpoint></inclusion>"
        )
    return answer("GetReceipt", f"<receipt>{_b64(world.document)}</receipt>{proof}")


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def call(profile: Path, *words: str | Path) -> Any:
    given = [words[0], words[1], "--profile", profile, *words[2:]]
    return CliRunner().invoke(app, [str(each) for each in given])


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Sets the commands' clock."""

    def set_to(at: Any) -> None:
        monkeypatch.setattr(cli_receipt, "utc_now", lambda: at)

    set_to(LATE)
    return set_to


def test_fetched_kept_and_verified_offline(world: World, now: Callable[[Any], None]) -> None:
    """The whole way: with the service, and without it."""
    file = world.folder / "receipt.json"
    with serving(get_receipt(world, world.inclusion())) as service:
        profile = world.profile(service.url)
        got = call(profile, "receipt", "get", world.request_id, "--proof", file)
    assert got.exit_code == ExitCode.OK, got.output
    assert "свидетели: witness.example/w1+" in got.stderr
    assert file.stat().st_mode & 0o077 == 0

    # The service is gone by now.
    verified = call(profile, "receipt", "verify", "--offline", file, "--json")
    assert verified.exit_code == ExitCode.OK, verified.output
    (row,) = json.loads(verified.stdout)
    assert (row["standing"], row["index"], row["size"]) == ("PROVED", INDEX, 20)
    assert row["request_id"] == str(world.request_id)
    assert "в журнале, на месте 7" in call(profile, "receipt", "verify", "--offline", file).stdout


def test_the_short_form_goes_on_working(world: World, now: Callable[[Any], None]) -> None:
    """`receipt ID`, as scripts have it."""
    with serving(get_receipt(world, world.inclusion())) as service:
        got = call(world.profile(service.url), "receipt", world.request_id)
    assert got.exit_code == ExitCode.OK, got.output


def test_a_proof_that_is_overdue_is_told_when_it_is_fetched(
    world: World, now: Callable[[Any], None]
) -> None:
    """Exit code 4, and the receipt is kept all the same: it is the evidence."""
    file = world.folder / "receipt.json"
    with serving(get_receipt(world, None)) as service:
        profile = world.profile(service.url)
        now(SOON)
        pending = call(profile, "receipt", "get", world.request_id)
        now(LATE)
        overdue = call(profile, "receipt", "get", world.request_id, "--proof", file)

    assert (pending.exit_code, "позже" in pending.stderr) == (ExitCode.OK, True)
    assert overdue.exit_code == ExitCode.RECEIPT
    assert LEDGER_TEXTS[LedgerFlaw.OVERDUE][Language.RU] in overdue.stderr
    assert read_bundle_unsafe(file.read_bytes()) == Bundle(world.document, None)


@pytest.mark.parametrize("language", list(Language))
def test_each_file_is_told_of_and_the_worst_decides(
    world: World, now: Callable[[Any], None], language: Language
) -> None:
    """A flaw before what is pending; each in the profile's language."""
    files = {
        "good.json": write_bundle(world.document, world.inclusion()),
        "pending.xml": world.document,
        "bad.json": write_bundle(world.document, replace(world.inclusion(), index=3)),
    }
    for name, content in files.items():
        (world.folder / name).write_bytes(content)
    profile = world.profile()
    profile.write_text(profile.read_text().replace('language = "ru"', f'language = "{language}"'))
    good, pending, bad = (world.folder / name for name in files)
    now(SOON)

    assert call(profile, "receipt", "verify", "--offline", good).exit_code == ExitCode.OK
    two = call(profile, "receipt", "verify", "--offline", good, pending)
    assert two.exit_code == ExitCode.LATER
    three = call(profile, "receipt", "verify", "--offline", good, bad, pending)
    assert three.exit_code == ExitCode.RECEIPT
    assert f"{bad}: {LEDGER_TEXTS[LedgerFlaw.PATH][language]}\n" in three.stdout
    assert three.stdout.count("\n") == 3
    now(LATE)
    late = call(profile, "receipt", "verify", "--offline", pending, "--json")
    assert late.exit_code == ExitCode.RECEIPT
    assert json.loads(late.stdout)[0]["flaw"] == "OVERDUE"


def test_a_receipt_whose_signature_does_not_hold_has_no_proof(
    world: World, now: Callable[[Any], None]
) -> None:
    """The signature comes first: nothing is read of what the operator did not sign."""
    file = world.folder / "receipt.json"
    spoilt = world.document.replace(b"MATCHED", b"REFUSED")
    file.write_bytes(write_bundle(spoilt, world.inclusion()))

    said = call(world.profile(), "receipt", "verify", "--offline", file, "--json")

    assert said.exit_code == ExitCode.RECEIPT
    assert json.loads(said.stdout)[0]["standing"] == "FLAWED"


def test_without_offline_a_missing_proof_is_fetched(
    world: World, now: Callable[[Any], None]
) -> None:
    """For the receipt's own request; with it nothing is sent at all."""
    file = world.folder / "receipt.xml"
    file.write_bytes(world.document)
    with serving(get_receipt(world, world.inclusion())) as service:
        profile = world.profile(service.url)
        offline = call(profile, "receipt", "verify", "--offline", file)
        asked_offline = len(service.asked)
        online = call(profile, "receipt", "verify", file)

        assert (offline.exit_code, asked_offline) == (ExitCode.RECEIPT, 0)
        assert online.exit_code == ExitCode.OK, online.output
        assert service.asked[0].text("ofRequest") == str(world.request_id)


def test_offline_takes_no_address(world: World, now: Callable[[Any], None]) -> None:
    """A log from an address would be fetched."""
    file = world.folder / "receipt.json"
    file.write_bytes(write_bundle(world.document, world.inclusion()))
    profile = world.profile(log='"https://log.example/"')

    assert call(profile, "receipt", "verify", "--offline", file).exit_code == ExitCode.OK
    said = call(profile, "receipt", "verify", "--offline", "--log", "https://log.example/", file)
    assert said.exit_code == ExitCode.USAGE


def test_a_profile_without_a_log_verifies_no_proof(world: World, tmp_path: Path) -> None:
    """And says what is missing."""
    file = tmp_path / "receipt.xml"
    file.write_bytes(world.document)

    said = call(
        write_profile(tmp_path, "http://127.0.0.1:9/"), "receipt", "verify", "--offline", file
    )

    assert said.exit_code == ExitCode.USAGE
    assert "[ledger]" in said.stderr


def test_status_tells_of_another_log(world: World) -> None:
    """What is announced is compared with the profile's, and never taken over."""
    facts = (
        "<environment>SANDBOX</environment><softwareVersion>1</softwareVersion>"
        "<contractVersion>1</contractVersion><time>2026-11-02T04:15:00Z</time>"
    )

    def announced(key: str) -> Reply:
        log = f"<origin>log.example</origin><key>{key}</key><maxMergeDelay>60</maxMergeDelay>"
        return answer("GetStatus", f"{facts}<ledger>{log}</ledger>")

    with serving(announced(world.log.signer.vkey), announced("other+00000000+AAAA")) as service:
        profile = world.profile(service.url)
        same = CliRunner().invoke(app, ["status", "--profile", str(profile)])
        other = CliRunner().invoke(app, ["status", "--profile", str(profile)])

    assert (same.exit_code, other.exit_code) == (0, 0)
    assert "60 seconds" in same.stdout
    assert "another log key" not in same.stderr
    assert "another log key" in other.stderr
