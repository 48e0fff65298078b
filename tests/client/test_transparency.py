"""A receipt in the ledger: how its proof is verified, and what the operator must keep."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from makul.ledger.signed_note import (
    SignatureLine,
    format_note,
    parse_note,
    with_line,
)
from makul_client.errors import LEDGER_TEXTS, LedgerError, LedgerFlaw, MakulError, ProfileError
from makul_client.models.reasons import Language
from makul_client.models.response import Inclusion, Receipt
from makul_client.profile import Profile
from makul_client.receipts.bundle import MAX_BUNDLE, Bundle, read_bundle_unsafe, write_bundle
from makul_client.receipts.verifier import ReceiptVerifier
from makul_client.translation import translate_to
from makul_client.transparency.checkpoint_history import MAX_KEPT, Link
from makul_client.transparency.verifier import LedgerVerifier, ReceiptState
from makul_testing.client.ledger import INDEX, LATE, SOON, World
from makul_testing.client.world import NOW
from makul_testing.exhaustive import rounds
from makul_testing.tlog.published import PublishedLog, leaves

_WITH = (
    b'{"format": "makul-receipt-1", "receipt": "AA==",'
    b' "inclusion": {"index": %b, "size": 1, "path": [], "checkpoint": "AA=="}}'
)
"""A bundle that would be good, except for its index."""


def flaw(
    verifier: LedgerVerifier, receipt: Receipt, inclusion: Inclusion | None, at: Any = SOON
) -> LedgerFlaw:
    with pytest.raises(LedgerError) as raised:
        verifier.prove(receipt, inclusion, at=at)
    return raised.value.flaw


def test_a_receipt_is_proved(world: World) -> None:
    """The proof needs the ledger's signature, the path, and the witnesses of the profile."""
    proved = world.verifier().prove(world.verified(), world.inclusion(), at=LATE)

    assert proved.state is ReceiptState.PROVED
    assert (proved.index, proved.size) == (INDEX, 20)
    assert [each.partition("+")[0] for each in proved.cosigned_by] == [
        "witness.example/w1",
        "witness.example/w2",
    ]


def test_the_promised_delay_is_exact(world: World) -> None:
    """A missing proof is pending up to the stated delay, and a flaw right after it."""
    receipt = world.verified()

    assert world.verifier().prove(receipt, None, at=SOON).state is ReceiptState.PENDING
    assert flaw(world.verifier(), receipt, None, at=LATE) is LedgerFlaw.OVERDUE
    longer = world.verifier(max_merge_delay="3600")
    assert longer.prove(receipt, None, at=LATE).state is ReceiptState.PENDING


@pytest.mark.parametrize(
    ("witnesses", "quorum", "enough"),
    [(2, "2", True), (1, "2", False), (0, "1", False), (1, "1", True), (0, "0", True)],
)
def test_a_quorum_of_witnesses_is_required(
    world: World, witnesses: int, quorum: str, *, enough: bool
) -> None:
    """Too few cosignatures are pending during the delay, and a flaw after it."""
    verifier = world.verifier(quorum=quorum)
    inclusion = world.inclusion(witnesses=witnesses)

    soon = verifier.prove(world.verified(), inclusion, at=SOON)
    assert soon.state is (ReceiptState.PROVED if enough else ReceiptState.PENDING)
    if enough:
        assert verifier.prove(world.verified(), inclusion, at=LATE).state is ReceiptState.PROVED
    else:
        assert flaw(verifier, world.verified(), inclusion, at=LATE) is LedgerFlaw.QUORUM


def test_the_default_quorum_is_a_majority(world: World) -> None:
    """The majority of two is both."""
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
def test_a_checkpoint_must_be_the_ledgers(
    world: World, tmp_path: Path, spoil: Callable[[World, Path], bytes]
) -> None:
    """The checkpoint must also be of the very tree of the proof."""
    inclusion = replace(world.inclusion(), checkpoint=spoil(world, tmp_path))

    assert flaw(world.verifier(), world.verified(), inclusion) is LedgerFlaw.CHECKPOINT


def test_an_invalid_witness_line_does_not_count(world: World) -> None:
    """A line that was copied from a checkpoint of another tree does not count either."""
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
def test_a_path_to_another_root_is_refused(
    world: World, change: Callable[[Inclusion], Inclusion]
) -> None:
    """Such a path is no proof, for any signer of the checkpoint."""
    assert flaw(world.verifier(), world.verified(), change(world.inclusion())) is LedgerFlaw.PATH


def test_a_proof_is_only_for_its_own_receipt(world: World) -> None:
    """The leaf is read only from the signed receipt."""
    other = replace(world.verified(), leaf_hash=bytes(32))

    assert flaw(world.verifier(), other, world.inclusion()) is LedgerFlaw.PATH


def test_two_receipts_on_one_leaf_are_found(world: World) -> None:
    """Each decision has its own leaf, so the operator showed one for two."""
    verifier = world.verifier()
    first = world.verified()
    second = replace(first, document=world.receipt(uuid4(), world.hashes[INDEX]))
    verifier.prove(first, world.inclusion(), at=LATE)

    assert verifier.prove(first, world.inclusion(), at=LATE).state is ReceiptState.PROVED
    assert flaw(verifier, second, world.inclusion()) is LedgerFlaw.SHARED


def test_two_trees_of_one_size_are_found_across_runs(world: World) -> None:
    """Stored checkpoints reveal them, even if both are well signed and cosigned."""
    changed = [*world.hashes[:-1], bytes(32)]
    world.verifier(state='"seen.json"').prove(world.verified(), world.inclusion(), at=LATE)

    later = world.verifier(state='"seen.json"')
    forked = world.inclusion(hashes=changed)
    assert flaw(later, world.verified(), forked) is LedgerFlaw.FORKED
    again = later.prove(world.verified(), world.inclusion(), at=LATE)
    assert again.link is Link.SAME
    assert (world.folder / "seen.json").stat().st_mode & 0o077 == 0


def test_trees_of_two_sizes_are_compared_by_tiles(world: World) -> None:
    """If tiles are available, a ledger that changed an old leaf is found, and growth is
    accepted.
    """
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


def test_a_changed_history_stops_the_client(world: World) -> None:
    """It neither accuses the ledger nor forgets its former checkpoints."""
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
        with pytest.raises(MakulError, match="move it away"):
            world.verifier(state='"seen.json"')


def test_the_history_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest trees are kept."""
    monkeypatch.setattr("makul_client.transparency.checkpoint_history.MAX_KEPT", 3)
    assert MAX_KEPT > 3
    verifier = world.verifier(state='"seen.json"')
    for size in (12, 8, 20, 15, 18):
        verifier.prove(world.verified(), world.inclusion(size), at=LATE)

    checkpoints = json.loads((world.folder / "seen.json").read_text())["checkpoints"]
    assert [note.split("\n")[1] for note in checkpoints] == ["15", "18", "20"]


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
def test_wrong_profiles_are_refused(world: World, changes: dict[str, str], complaint: str) -> None:
    """The message names the table and the key."""
    with pytest.raises(ProfileError, match=rf"\[ledger\] {complaint}:"):
        world.verifier(**changes)


def test_a_witness_is_named_once_and_is_not_the_ledger(world: World) -> None:
    """A witness that is named twice would be a quorum alone, and the ledger cannot
    cosign itself.
    """
    one = world.witnesses[0].vkey
    with pytest.raises(ProfileError, match="each key only once"):
        world.verifier(witnesses=f'["{one}", "{one}"]')
    with pytest.raises(ProfileError, match="another type"):
        world.verifier(witnesses=f'["{world.log.signer.vkey}"]')
    with pytest.raises(ProfileError, match="another type"):
        world.verifier(key=f'"{one}"')


def test_every_flaw_has_three_languages() -> None:
    """The texts differ in each language."""
    for each in LedgerFlaw:
        assert len({translate_to(language, LEDGER_TEXTS[each]) for language in Language}) == 3


# ---------------------------------------------------------------- the file


def test_a_bundle_is_read_back(world: World) -> None:
    """A bundle may have a proof or none; a receipt alone is one without."""
    for inclusion in (world.inclusion(), None):
        content = write_bundle(world.document, inclusion)
        assert read_bundle_unsafe(content) == Bundle(world.document, inclusion)
    assert read_bundle_unsafe(world.document) == Bundle(world.document, None)


def test_no_change_of_one_byte_is_accepted(world: World) -> None:
    """The bundle reads as before, or is refused: by form, by signature, or by proof."""
    good = write_bundle(world.document, world.inclusion())
    before = read_bundle_unsafe(good)
    receipts = ReceiptVerifier(Profile.load(world.profile()).operator)
    verifier = world.verifier()
    places = [
        *range(0, len(good), 37),
        *range(good.index(b'"inclusion"'), len(good), rounds(3, exhaustive=1)),
    ]
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
def test_malformed_bundles_are_refused(content: bytes) -> None:
    """The error names the problem."""
    assert read_bundle_unsafe(_WITH % b"0").inclusion is not None
    with pytest.raises(MakulError):
        read_bundle_unsafe(content)
