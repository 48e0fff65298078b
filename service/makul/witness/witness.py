"""One round of the witness: fetch, verify, judge, remember, and only then show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from makul.ledger.checkpoint import Checkpoint, parse_checkpoint_unsafe
from makul.trust.tlog.note_keys import Cosigner, NoteVerifier
from makul.witness.consistency import ConsistencyFinding, Seen, judge
from makul.witness.log_source import ReadNote, Source, SourceError, read_checkpoint, tiles_of
from makul.witness.state import Head, StateError, WitnessStateDir


class WitnessResult(StrEnum):
    """What became of a round."""

    COSIGNED = "cosigned"
    UNCHANGED = "unchanged"
    UNAVAILABLE = "unavailable"
    """The log, or a tile of it, could not be had. It says nothing about the log."""
    OLDER = "older"
    """An old checkpoint was shown. A copy may lag; for long, it hides what is new."""
    UNVERIFIED = "unverified"
    """What was shown as a checkpoint is not one that the log signed."""
    UNPROVEN = "unproven"
    """The log signed a tree that it does not show."""
    INCONSISTENT = "inconsistent"
    """The log signed two trees that cannot both be its own: evidence is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of a round, for people and programs."""

    result: WitnessResult
    at: datetime
    size: int | None = None
    """Of the tree cosigned so far; None before the first."""
    shown: int | None = None
    """Of the checkpoint that was shown, once its signature held."""
    why: str = ""
    evidence: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessProgram:
    """Follows one log. To be used while the state is held."""

    source: Source
    log: NoteVerifier
    cosigner: Cosigner
    state: WitnessStateDir
    clock: Callable[[], datetime]
    from_start: bool = False
    also: Sequence[ReadNote] = ()
    """Where else the log's checkpoint is shown: the log must show everybody one tree."""

    def round(self) -> Round:
        """Do one round; raises `StateError` where the state cannot be read or written."""
        at = self.clock()
        head = self.state.head(self.log, self.cosigner.verifier)
        if head is not None:
            # Whoever was killed between remembering and showing shows now.
            self.state.show(head)
        size = head.seen.size if head is not None else None
        try:
            document = read_checkpoint(self.source)
            new = self._verified(document)
        except SourceError as error:
            return Round(result=WitnessResult.UNAVAILABLE, at=at, size=size, why=str(error))
        except ValueError as error:
            return Round(result=WitnessResult.UNVERIFIED, at=at, size=size, why=str(error))
        try:
            return self._judged(head, new, document, at)
        except SourceError as error:
            return Round(
                result=WitnessResult.UNAVAILABLE, at=at, size=size, shown=new.size, why=str(error)
            )

    def _verified(self, document: bytes) -> Checkpoint:
        """The checkpoint, of this very log; raises `ValueError`."""
        checkpoint = parse_checkpoint_unsafe(self.log.verify(document))
        if checkpoint.origin != self.log.key.name:
            raise ValueError("a checkpoint of another origin than the log's name")
        return checkpoint

    def _judged(self, head: Head | None, new: Checkpoint, document: bytes, at: datetime) -> Round:
        seen = head.seen if head is not None else Seen()
        found = judge(seen, new, tiles_of(self.source), from_start=self.from_start)
        size = seen.size if head is not None else None
        done = Round(result=_TOLD[found.finding], at=at, size=size, shown=new.size, why=found.why)
        if found.finding is ConsistencyFinding.FORKED and head is not None:
            return self._alarm(done, head.note, self.log.alone(document))
        if found.finding not in (ConsistencyFinding.GREW, ConsistencyFinding.UNCHANGED):
            return done
        done = self._compared(new, document, done)
        if done.result is WitnessResult.INCONSISTENT:
            return done
        if found.finding is ConsistencyFinding.GREW or head is None:
            self._cosign(document, at)
            return replace(done, result=WitnessResult.COSIGNED, size=new.size)
        return done

    def _compared(self, new: Checkpoint, document: bytes, done: Round) -> Round:
        """The round, or what contradicts it: the log signed another tree for others, told by what
        is shown elsewhere.

        What cannot be had there, or is not the log's, says nothing about the log. It is told
        though: who keeps a witness from looking elsewhere can show it a tree of its own.
        """
        unread: list[str] = []
        for read in self.also:
            try:
                elsewhere = read()
                other = self._verified(elsewhere)
                found = judge(Seen(new.size, new.root), other, tiles_of(self.source))
            except (SourceError, ValueError) as error:
                unread.append(str(error))
                continue
            if found.finding is ConsistencyFinding.FORKED:
                done = replace(done, shown=other.size, why=f"elsewhere {found.why}")
                return self._alarm(done, self.log.alone(document), self.log.alone(elsewhere))
        if not unread:
            return done
        places = f"{len(unread)} of {len(self.also)} places elsewhere"
        return replace(done, why=f"{places} could not be compared: {unread[0]}")

    def _alarm(self, done: Round, ours: bytes, theirs: bytes) -> Round:
        """Told whether or not there is room for the evidence."""
        done = replace(done, result=WitnessResult.INCONSISTENT)
        try:
            return replace(done, evidence=self.state.keep_evidence(ours, theirs, done.why))
        except StateError as error:
            return replace(done, why=f"{done.why}; evidence could not be kept: {error}")

    def _cosign(self, document: bytes, at: datetime) -> None:
        """Remember, then show. Lines of others are left out: they are not this witness's word."""
        note = self.cosigner.cosign(self.log.alone(document), at=at)
        self.state.advance(Head(log=str(self.log.key), witness=self.cosigner.vkey, note=note))


_TOLD = {
    ConsistencyFinding.GREW: WitnessResult.COSIGNED,
    ConsistencyFinding.UNCHANGED: WitnessResult.UNCHANGED,
    ConsistencyFinding.OLDER: WitnessResult.OLDER,
    ConsistencyFinding.UNPROVEN: WitnessResult.UNPROVEN,
    ConsistencyFinding.FORKED: WitnessResult.UNPROVEN,
}
"""Forked from nothing seen, as a false root of no leaves, is unproven."""
