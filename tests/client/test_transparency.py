"""A receipt in the log: what is believed of its proof, and what the operator is held to."""

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
from makul_client.transparency.verifier import LedgerVerifier, Standing
from makul_testing.client.ledger import INDEX, LATE, SOON, World
from makul_testing.client.world import NOW
from makul_testing.tlog.published import PublishedLog, leaves

_WITH = (
    b'{"format": "makul-receipt-1", "receipt": "AA==",'
    b' "inclusion": {"index": %b, "size": 1, "path": [], "checkpoint": "AA=="}}'
)
"""A bundle that would do, but for its index."""


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
    monkeypatch.setattr("makul_client.transparency.checkpoint_history.MAX_KEPT", 3)
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
        assert len({translate_to(language, LEDGER_TEXTS[each]) for language in Language}) == 3


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
