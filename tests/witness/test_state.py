"""The state of a witness is never lost silently and never half written, at any kill."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from makul.language.translation import Language, translate_to, use_language
from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import (
    COSIGNATURE_V1,
)
from makul.trust.tlog.note_keys import Cosigner, new_key_file
from makul.witness.state import MAX_EVIDENCE, StateError, WitnessStateDir
from makul.witness.witness import WitnessProgram, WitnessResult, WitnessRound
from makul_testing.processes.witness import a_witness
from makul_testing.tlog.published import PublishedLog, leaf, leaves

FORK = get_context("fork")


def test_a_state_that_cannot_be_read_stops_the_witness(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """Otherwise the witness would begin again, and cosign any tree."""
    log.publish(leaves(5))
    witness.run_once()
    head = witness.state.directory / "head.json"
    good = json.loads(head.read_text())
    lines = good["note"].splitlines()
    spoilt = [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        head.read_bytes()[:-5],
        json.dumps(good | {"note": "nothing"}).encode(),
        json.dumps(good | {"note": 7}).encode(),
        json.dumps(good | {"note": "\n".join(lines[:-1]) + "\n"}).encode(),
        json.dumps(good | {"note": good["note"].replace("\n5\n", "\n4\n")}).encode(),
    ]
    for octets in spoilt:
        head.write_bytes(octets)
        with pytest.raises(StateError, match="Never go on without it"):
            witness.run_once()


def test_a_state_belongs_to_one_log_and_one_key(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path
) -> None:
    """Another ledger's tree is not this one's, and another key has shown nothing yet."""
    log.publish(leaves(5))
    witness.run_once()
    stranger = PublishedLog(tmp_path / "stranger", tmp_path / "stranger.key")
    stranger.publish(leaves(9))
    new_key_file(tmp_path / "other.key", "witness.example/w1", COSIGNATURE_V1)
    other = Cosigner.load(tmp_path / "other.key")

    for changed in (
        a_witness(stranger, witness.cosigner, witness.state),
        a_witness(log, other, witness.state),
    ):
        with pytest.raises(StateError, match="another log or of another key"):
            changed.run_once()


def test_only_one_witness_uses_a_state(state: WitnessStateDir) -> None:
    """Two witnesses on one state could cosign different trees."""
    with state.held(), pytest.raises(StateError, match="another witness"), state.held():
        pass


def test_evidence_does_not_fill_the_disk(
    log: PublishedLog, witness: WitnessProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger may sign any number of trees, and some of them are proof enough."""
    monkeypatch.setattr("makul.witness.state.MAX_EVIDENCE", 3)
    assert MAX_EVIDENCE > 3
    log.publish(leaves(5))
    witness.run_once()
    rounds: list[WitnessRound] = []
    for number in range(5):
        log.publish(leaves(6, f"{number} "))
        rounds.append(witness.run_once())

    assert {each.result for each in rounds} == {WitnessResult.INCONSISTENT}
    assert [each.evidence is not None for each in rounds] == [True, True, True, False, False]


def _round_until(witness: WitnessProgram, steps: int) -> None:
    """Run one round in a child process, and kill it at the given step of writing."""
    steps_done = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal steps_done
            if steps_done == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            steps_done += 1
            return real(*arguments, **named)

        return call

    for name in ("open", "fsync", "replace", "rename", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    witness.run_once()
    os._exit(0)


def _killed_at(witness: WitnessProgram, steps: int) -> bool:
    """Return whether the child was killed before it had finished."""
    child = FORK.Process(target=_round_until, args=(witness, steps))
    child.start()
    child.join(120)
    return child.exitcode == -signal.SIGKILL


def _killed_at_each_step(
    log: PublishedLog, cosigner: Cosigner, folder: Path, after: list[bytes]
) -> Iterator[WitnessProgram]:
    """Kill a witness that saw five leaves at each step of the round that publishes them."""
    steps, killed = 0, True
    while killed:
        state = WitnessStateDir(folder / f"killed-at-{steps}")
        with state.held():
            witness = a_witness(log, cosigner, state)
            log.publish(leaves(5))
            witness.run_once()
            log.publish(after)
            killed = _killed_at(witness, steps)
            yield witness
        steps += 1
    assert steps >= 6


def test_killed_witness_never_shows_two_trees_of_one_size(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path
) -> None:
    """Kill -9 comes between any two steps; then the ledger shows another branch of the
    same size.
    """
    for witness in _killed_at_each_step(log, cosigner, tmp_path, leaves(7)):
        shown = [witness.state.shown()]
        log.publish([*leaves(5), leaf(5, "another "), leaf(6, "another ")])
        after = witness.run_once()
        shown.append(witness.state.shown())
        trees = [
            parse_checkpoint_unsafe(cosigner_verified(witness, note)) for note in shown if note
        ]
        roots = {(each.size, each.root) for each in trees}
        assert len({size for size, _ in roots}) == len(roots), witness.state.directory.name
        assert after.result in (WitnessResult.COSIGNED, WitnessResult.INCONSISTENT)


def cosigner_verified(witness: WitnessProgram, note: bytes) -> bytes:
    """Return the text after both signatures on it were verified."""
    witness.cosigner.verifier.verify(note)
    return witness.log.verify(note)


def test_evidence_is_stored_after_a_kill(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path
) -> None:
    """The pair of notes is complete, or absent."""
    for witness in _killed_at_each_step(log, cosigner, tmp_path, leaves(5, "another ")):
        found = witness.run_once()
        assert found.evidence is not None
        assert {path.name for path in found.evidence.iterdir()} == {
            "seen.note",
            "shown.note",
            "why.txt",
        }
        assert witness.state.evidence() == 1


@pytest.mark.parametrize("language", [Language.KY, Language.RU])
def test_evidence_is_in_english_for_everybody(
    log: PublishedLog, witness: WitnessProgram, language: Language
) -> None:
    """The operator of the witness reads the same reason in their language."""
    log.publish(leaves(5))
    witness.run_once()
    log.publish(leaves(5, "another "))
    with use_language(language):
        found = witness.run_once()

    assert found.evidence is not None
    assert (found.evidence / "why.txt").read_text() == "two trees of 5 leaves are signed\n"
    assert found.why == translate_to(language, "two trees of {size} leaves are signed", size=5)
    assert found.why != "two trees of 5 leaves are signed"
