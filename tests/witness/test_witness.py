"""A witness of a ledger in a directory: what it cosigns, what it stores, what it never does."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import (
    MAX_NOTE,
    SignatureLine,
    format_note,
    parse_note,
    with_line,
)
from makul.trust.tlog.note_keys import Cosigner
from makul.witness.log_source import open_note
from makul.witness.state import WitnessStateDir
from makul.witness.witness import WitnessProgram, WitnessResult
from makul_testing.processes.witness import AT, a_witness, assert_not_cosigned, cosigned_size
from makul_testing.tlog.published import ORIGIN, PublishedLog, leaf, leaves


def test_growing_tree_is_cosigned_each_time(log: PublishedLog, witness: WitnessProgram) -> None:
    """The note has the ledger's signature and the witness's, at the time of the round."""
    for size in (0, 1, 2, 255, 256, 257, 600):
        log.publish(leaves(size))

        round_result = witness.run_once()

        assert (round_result.result, round_result.size) == (WitnessResult.COSIGNED, size), (
            round_result
        )
        shown = witness.state.shown()
        assert shown is not None
        assert witness.cosigner.verifier.verify(shown) == AT
        assert parse_checkpoint_unsafe(log.verifier.verify(shown)).size == size


def test_unchanged_tree_keeps_its_cosignature(log: PublishedLog, witness: WitnessProgram) -> None:
    """There is no second cosignature with another time."""
    log.publish(leaves(3))
    witness.run_once()
    before = witness.state.shown()

    assert witness.run_once().result is WitnessResult.UNCHANGED
    assert_not_cosigned(witness, before)


def test_lines_of_others_are_not_repeated(log: PublishedLog, witness: WitnessProgram) -> None:
    """The witness shows only the ledger's and its own signature."""
    document = log.publish(leaves(3))
    stranger = SignatureLine("stranger.example", b"1234", bytes(64))
    log.show(format_note(with_line(parse_note(document), stranger)))

    witness.run_once()

    shown = witness.state.shown()
    assert shown is not None
    names = [line.name for line in parse_note(shown).signatures]
    assert names == [ORIGIN, "witness.example/w1"]


def fork_of_same_size(log: PublishedLog) -> None:
    log.publish(leaves(300, "another "))


def rewritten_old_leaf(log: PublishedLog) -> None:
    log.publish([leaf(0, "another "), *leaves(400)[1:]])


def rewritten_last_leaf(log: PublishedLog) -> None:
    log.publish([*leaves(299), leaf(299, "another "), *leaves(400)[300:]])


def grown_on_another_branch(log: PublishedLog) -> None:
    log.publish(leaves(1000, "another "))


def shrunk_and_gone(log: PublishedLog) -> None:
    for tile in sorted(log.directory.glob("tile/0/001*"), reverse=True):
        for path in [*tile.glob("*"), tile] if tile.is_dir() else [tile]:
            path.rmdir() if path.is_dir() else path.unlink()
    log.publish(leaves(257))


def shrunk_on_another_branch(log: PublishedLog) -> None:
    log.publish(leaves(10, "another "))


@pytest.mark.parametrize(
    "misbehave",
    [
        fork_of_same_size,
        rewritten_old_leaf,
        rewritten_last_leaf,
        grown_on_another_branch,
        shrunk_and_gone,
        shrunk_on_another_branch,
    ],
)
def test_an_inconsistent_log_is_found(
    log: PublishedLog, witness: WitnessProgram, misbehave: Callable[[PublishedLog], None]
) -> None:
    """The tree is not cosigned, both signed checkpoints are stored, and each round reports it."""
    log.publish(leaves(300))
    witness.run_once()
    before = witness.state.shown()
    assert before is not None
    misbehave(log)

    found = witness.run_once()

    assert found.result is WitnessResult.INCONSISTENT
    assert found.evidence is not None
    ours = (found.evidence / "seen.note").read_bytes()
    theirs = (found.evidence / "shown.note").read_bytes()
    assert ours == before
    assert theirs == (log.directory / "checkpoint").read_bytes()
    assert log.verifier.verify(ours) != log.verifier.verify(theirs)
    assert_not_cosigned(witness, before)
    assert witness.run_once().evidence == found.evidence
    assert witness.state.evidence() == 1


def test_a_split_view_is_found_by_another_witness(
    log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir, tmp_path: Path
) -> None:
    """Two witnesses see different signed trees; neither cosigns the other's tree."""
    log.publish(leaves(5))
    a_witness(log, cosigner, state).run_once()
    other = PublishedLog(tmp_path / "other-view", log.key_file)
    other.publish(leaves(9, "another "))

    found = a_witness(other, cosigner, state).run_once()

    assert found.result is WitnessResult.INCONSISTENT


@pytest.mark.parametrize("elsewhere", [False, True])
def test_unwritable_evidence_hides_no_alarm(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path, elsewhere: bool
) -> None:
    """A full disk must not turn a fork into an error of the state."""
    log.publish(leaves(300))
    witness.run_once()
    (witness.state.directory / "evidence").write_text("no directory")
    if elsewhere:
        (tmp_path / "other").write_bytes(log.note(leaves(300, "b ")))
        witness = comparing(witness, tmp_path / "other")
    else:
        log.publish(leaves(400, "b "))

    found = witness.run_once()

    assert (found.result, found.evidence) == (WitnessResult.INCONSISTENT, None)
    assert "evidence could not be stored" in found.why


def comparing(witness: WitnessProgram, *places: Path | str) -> WitnessProgram:
    return replace(witness, also=tuple(open_note(str(place)) for place in places))


def test_a_split_view_is_found_by_another_source(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path
) -> None:
    """Another witness, or a receipt's proof, may show a tree of the same, a smaller or a larger
    size.
    """
    log.publish(leaves(300))
    elsewhere = tmp_path / "elsewhere"
    compared = comparing(witness, elsewhere)
    for number, other in enumerate((leaves(300, "b "), leaves(40, "b ")), start=1):
        elsewhere.write_bytes(log.note(other))
        found = compared.run_once()
        assert (found.result, found.size) == (WitnessResult.INCONSISTENT, None)
        assert found.shown == len(other)
        assert_not_cosigned(witness, None)
        assert found.why.startswith("elsewhere ")
        assert witness.state.evidence() == number


def test_another_source_may_lag_or_be_absent(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path
) -> None:
    """The other checkpoint may also run ahead or be foreign; only a contradiction is an alarm."""
    log.publish(leaves(300))
    places = [tmp_path / name for name in ("older", "same", "ahead", "foreign", "garbage", "none")]
    stranger = PublishedLog(tmp_path / "stranger", tmp_path / "stranger.key")
    for place, note in zip(
        places,
        (
            log.note(leaves(12)),
            log.note(leaves(300)),
            log.note(leaves(900)),
            stranger.note(leaves(300, "b ")),
            b"garbage",
        ),
        strict=False,
    ):
        place.write_bytes(note)
    compared = comparing(witness, *places, "http://127.0.0.1:9/checkpoint")

    for result in (WitnessResult.COSIGNED, WitnessResult.UNCHANGED):
        round_result = compared.run_once()
        assert round_result.result is result
        # A party that blocks the other source is noticed.
        assert round_result.why.startswith("5 of 7 other locations could not be compared: ")
    assert witness.state.evidence() == 0


def test_an_old_checkpoint_is_not_cosigned_again(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """It is not a fork while the ledger still shows all leaves."""
    old = log.publish(leaves(40))
    witness.run_once()
    log.publish(leaves(300))
    witness.run_once()
    before = witness.state.shown()
    log.show(old)

    found = witness.run_once()

    assert (found.result, found.size, found.shown) == (WitnessResult.OLDER, 300, 40)
    assert_not_cosigned(witness, before)
    assert witness.state.evidence() == 0


def test_a_leaf_changed_in_its_published_tile_is_found_from_the_start(
    log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir
) -> None:
    """A witness that reads all leaves again, as a daily run should, finds it."""
    log.publish(leaves(700))
    a_witness(log, cosigner, state).run_once()
    tile = log.directory / "tile/0/001"
    tile.write_bytes(b"\x00" * 32 + tile.read_bytes()[32:])

    found = a_witness(log, cosigner, state, from_start=True).run_once()

    assert found.result is WitnessResult.UNPROVEN


def another_key(log: PublishedLog, tmp_path: Path) -> bytes:
    stranger = PublishedLog(tmp_path / "stranger", tmp_path / "stranger.key")
    return stranger.note(leaves(9))


def garbage(log: PublishedLog, tmp_path: Path) -> bytes:
    return os.urandom(500)


def empty(log: PublishedLog, tmp_path: Path) -> bytes:
    return b""


def unsigned(log: PublishedLog, tmp_path: Path) -> bytes:
    return log.verifier.verify(log.note(leaves(9)))


def another_text(log: PublishedLog, tmp_path: Path) -> bytes:
    return log.signer.sign(b"not a checkpoint\n")


def another_origin(log: PublishedLog, tmp_path: Path) -> bytes:
    body = log.verifier.verify(log.note(leaves(9)))
    return log.signer.sign(body.replace(ORIGIN.encode(), b"other.example/log"))


@pytest.mark.parametrize(
    "shown", [another_key, garbage, empty, unsigned, another_text, another_origin]
)
def test_unsigned_note_says_nothing_about_the_log(
    log: PublishedLog,
    witness: WitnessProgram,
    tmp_path: Path,
    shown: Callable[[PublishedLog, Path], bytes],
) -> None:
    """It is reported, and neither cosigned nor stored as evidence."""
    log.publish(leaves(3))
    witness.run_once()
    before = witness.state.shown()
    log.publish_tiles(leaves(9))
    log.show(shown(log, tmp_path))

    assert witness.run_once().result is WitnessResult.UNVERIFIED
    assert_not_cosigned(witness, before)
    assert witness.state.evidence() == 0


def test_a_root_that_is_not_shown_is_not_cosigned(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """The witness refuses it at first and later."""
    log.publish_tiles(leaves(9))
    log.show(log.note(leaves(9, "another ")))

    assert witness.run_once().result is WitnessResult.UNPROVEN
    assert_not_cosigned(witness, None)


def test_an_overlong_checkpoint_is_not_read(log: PublishedLog, witness: WitnessProgram) -> None:
    """A tile of excessive length is not read either."""
    log.show(b"x" * (MAX_NOTE + 1))
    assert witness.run_once().result is WitnessResult.UNAVAILABLE

    log.publish(leaves(3))
    (log.directory / "tile/0/000.p/3").write_bytes(b"x" * 1_000_000)
    found = witness.run_once()
    assert (found.result, found.shown) == (WitnessResult.UNAVAILABLE, 3)
    assert_not_cosigned(witness, None)


def test_a_partial_tile_may_be_missing_when_it_is_full(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """C2SP tlog-tiles, Partial Tiles: the full tile begins with it."""
    old = log.note(leaves(255))
    log.publish(leaves(256))
    log.show(old)
    assert not (log.directory / "tile/0/000.p/255").exists()

    assert witness.run_once().result is WitnessResult.COSIGNED


def test_the_clock_does_not_matter_to_what_is_cosigned(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """A clock that was set back gives a cosignature a wrong date, and causes no fork."""
    log.publish(leaves(5))
    witness.run_once()
    log.publish(leaves(7))
    earlier = WitnessProgram(
        source=witness.source,
        log=witness.log,
        cosigner=witness.cosigner,
        state=witness.state,
        clock=lambda: AT - timedelta(days=400),
    )

    assert earlier.run_once().result is WitnessResult.COSIGNED
    assert cosigned_size(witness.state) == 7
