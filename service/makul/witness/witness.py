"""One round of the witness: fetch, verify, judge, store, and only then show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from makul.language.translation import DeferredMessage, translate, translate_error
from makul.ledger.checkpoint import Checkpoint, parse_checkpoint_unsafe
from makul.trust.tlog.note_keys import Cosigner, NoteVerifier
from makul.witness.consistency import ConsistencyFinding, CosignedTree, judge
from makul.witness.log_source import (
    ReadNote,
    Source,
    SourceError,
    build_tile_reader,
    read_checkpoint,
)
from makul.witness.state import Head, StateError, WitnessStateDir


class WitnessResult(StrEnum):
    """The result of a round."""

    COSIGNED = "cosigned"
    UNCHANGED = "unchanged"
    UNAVAILABLE = "unavailable"
    """The log or one of its tiles could not be fetched. This implies nothing about the log."""
    OLDER = "older"
    """An old checkpoint was shown. A copy may lag; if it lags for long, it hides new leaves."""
    UNVERIFIED = "unverified"
    """The content shown as a checkpoint is not one that the log signed."""
    UNPROVEN = "unproven"
    """The log signed a tree that it does not show."""
    INCONSISTENT = "inconsistent"
    """The log signed two trees that cannot both be its own. Evidence is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRound:
    """The result of a round, for people and programs."""

    result: WitnessResult
    at: datetime
    size: int | None = None
    """Size of the tree cosigned so far; None before the first."""
    shown: int | None = None
    """Size of the checkpoint that was shown, once its signature is verified."""
    why: str = ""
    """The reason, in the language in use."""
    evidence: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessProgram:
    """Follows one log. The caller must hold the lock on the state."""

    source: Source
    log: NoteVerifier
    cosigner: Cosigner
    state: WitnessStateDir
    clock: Callable[[], datetime]
    from_start: bool = False
    also: Sequence[ReadNote] = ()
    """Other sources of the log's checkpoint: the log must show everybody one tree."""

    def run_once(self) -> WitnessRound:
        """Do one round; raises `StateError` if the state cannot be read or written."""
        at = self.clock()
        head = self.state.head(self.log, self.cosigner.verifier)
        if head is not None:
            # A witness that was killed between storing and showing shows its checkpoint now.
            self.state.show(head)
        size = head.cosigned_tree.size if head is not None else None
        try:
            document = read_checkpoint(self.source)
            new = self._verify_checkpoint(document)
        except SourceError as error:
            return WitnessRound(result=WitnessResult.UNAVAILABLE, at=at, size=size, why=str(error))
        except ValueError as error:
            return WitnessRound(
                result=WitnessResult.UNVERIFIED, at=at, size=size, why=translate_error(error)
            )
        try:
            return self._judge(head, new, document, at)
        except SourceError as error:
            return WitnessRound(
                result=WitnessResult.UNAVAILABLE, at=at, size=size, shown=new.size, why=str(error)
            )

    def _verify_checkpoint(self, document: bytes) -> Checkpoint:
        """Return the checkpoint if this log signed it under its own name; raises `ValueError`."""
        checkpoint = parse_checkpoint_unsafe(self.log.verify(document))
        if checkpoint.origin != self.log.key.name:
            raise ValueError(translate("a checkpoint of another origin than the log's name"))
        return checkpoint

    def _judge(
        self, head: Head | None, new: Checkpoint, document: bytes, at: datetime
    ) -> WitnessRound:
        cosigned_tree = head.cosigned_tree if head is not None else CosignedTree()
        judgement = judge(
            cosigned_tree, new, build_tile_reader(self.source), from_start=self.from_start
        )
        size = cosigned_tree.size if head is not None else None
        outcome = WitnessRound(
            result=_RESULTS[judgement.finding],
            at=at,
            size=size,
            shown=new.size,
            why=str(judgement.why),
        )
        if judgement.finding is ConsistencyFinding.FORKED and head is not None:
            return self._alarm(outcome, judgement.why, head.note, self.log.own_note(document))
        if judgement.finding not in (ConsistencyFinding.GREW, ConsistencyFinding.UNCHANGED):
            return outcome
        outcome = self._compare_elsewhere(new, document, outcome)
        if outcome.result is WitnessResult.INCONSISTENT:
            return outcome
        if judgement.finding is ConsistencyFinding.GREW or head is None:
            self._cosign(document, at)
            return replace(outcome, result=WitnessResult.COSIGNED, size=new.size)
        return outcome

    def _compare_elsewhere(
        self, new: Checkpoint, document: bytes, outcome: WitnessRound
    ) -> WitnessRound:
        """Compare the checkpoint with those shown elsewhere, and return the resulting round.

        If the log signed a contradicting tree for others, the round is an alarm. A source that
        cannot be read, or is not the log's, implies nothing about the log. It is reported
        nevertheless: an attacker who blocks these sources could show the witness a tree of its own.
        """
        unread: list[str] = []
        for read in self.also:
            try:
                elsewhere = read()
                other = self._verify_checkpoint(elsewhere)
                judgement = judge(
                    CosignedTree(new.size, new.root), other, build_tile_reader(self.source)
                )
            except (SourceError, ValueError) as error:
                unread.append(translate_error(error))
                continue
            if judgement.finding is ConsistencyFinding.FORKED:
                return self._alarm(
                    replace(outcome, shown=other.size),
                    DeferredMessage("elsewhere {problem}", problem=judgement.why),
                    self.log.own_note(document),
                    self.log.own_note(elsewhere),
                )
        if not unread:
            return outcome
        why = translate(
            "{number} of {all} other locations could not be compared: {problem}",
            number=len(unread),
            all=len(self.also),
            problem=unread[0],
        )
        return replace(outcome, why=why)

    def _alarm(
        self, outcome: WitnessRound, why: DeferredMessage, ours: bytes, theirs: bytes
    ) -> WitnessRound:
        """Report the inconsistency even if the evidence cannot be written."""
        outcome = replace(outcome, result=WitnessResult.INCONSISTENT, why=str(why))
        try:
            return replace(outcome, evidence=self.state.keep_evidence(ours, theirs, why))
        except StateError as error:
            unstored = translate(
                "{why}; the evidence could not be stored: {problem}", why=why, problem=error
            )
            return replace(outcome, why=unstored)

    def _cosign(self, document: bytes, at: datetime) -> None:
        """Store the cosigned checkpoint, then show it.

        Lines of others are left out, because they are not this witness's statement.
        """
        note = self.cosigner.cosign(self.log.own_note(document), at=at)
        self.state.advance(Head(log=str(self.log.key), witness=self.cosigner.vkey, note=note))


_RESULTS = {
    ConsistencyFinding.GREW: WitnessResult.COSIGNED,
    ConsistencyFinding.UNCHANGED: WitnessResult.UNCHANGED,
    ConsistencyFinding.OLDER: WitnessResult.OLDER,
    ConsistencyFinding.UNPROVEN: WitnessResult.UNPROVEN,
    ConsistencyFinding.FORKED: WitnessResult.UNPROVEN,
}
"""The result of a round for each finding.

A fork without an earlier tree, such as a false root of no leaves, is `UNPROVEN`.
"""
