"""One round of the witness: fetch, verify, judge, remember, and only then show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from makul.ledger.checkpoints import Checkpoint, parse_checkpoint_unsafe
from makul.ledger.notes import NoteError
from makul.trust.notes import Cosigner, NoteVerifier
from makul.witness.judging import Finding, Seen, judge
from makul.witness.source import ReadNote, Source, SourceError, read_checkpoint, tiles_of
from makul.witness.state import Head, State


class Result(StrEnum):
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

    result: Result
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
    state: State
    clock: Callable[[], datetime]
    from_start: bool = False
    also: Sequence[ReadNote] = ()
    """Where else the log's checkpoint is shown: the log must show everybody one tree."""

    def round(self) -> Round:
        """Do one round; raises `StateError` where the state cannot be read or written."""
        done = self._followed()
        if done.result in (Result.COSIGNED, Result.UNCHANGED):
            return self._compared(done)
        return done

    def _compared(self, done: Round) -> Round:
        """The round, or the first checkpoint shown elsewhere that cannot be of this log.

        What cannot be had, or is not the log's, says nothing about it.
        """
        head = self.state.head(self.log, self.cosigner.verifier)
        if head is None:
            return done
        for read in self.also:
            try:
                document = read()
                other = self._verified(document)
                found = judge(head.seen, other, tiles_of(self.source))
            except (SourceError, NoteError):
                continue
            if found.finding is Finding.FORKED:
                return self._inconsistent(head, other, document, done.at, f"elsewhere {found.why}")
        return done

    def _inconsistent(
        self, head: Head, new: Checkpoint, document: bytes, at: datetime, why: str
    ) -> Round:
        """Keep both checkpoints as evidence."""
        return Round(
            result=Result.INCONSISTENT,
            at=at,
            size=head.seen.size,
            shown=new.size,
            why=why,
            evidence=self.state.keep_evidence(head.note, self.log.alone(document), why),
        )

    def _followed(self) -> Round:
        """Fetch, verify, judge and cosign."""
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
            return Round(result=Result.UNAVAILABLE, at=at, size=size, why=str(error))
        except NoteError as error:
            return Round(result=Result.UNVERIFIED, at=at, size=size, why=str(error))
        try:
            return self._judged(head, new, document, at)
        except SourceError as error:
            return Round(
                result=Result.UNAVAILABLE, at=at, size=size, shown=new.size, why=str(error)
            )

    def _verified(self, document: bytes) -> Checkpoint:
        """The checkpoint, of this very log; raises `NoteError`."""
        try:
            checkpoint = parse_checkpoint_unsafe(self.log.verify(document))
        except NoteError:
            raise
        except ValueError as error:
            raise NoteError(str(error)) from None
        if checkpoint.origin != self.log.key.name:
            raise NoteError("a checkpoint of another origin than the log's name")
        return checkpoint

    def _judged(self, head: Head | None, new: Checkpoint, document: bytes, at: datetime) -> Round:
        seen = head.seen if head is not None else Seen()
        found = judge(seen, new, tiles_of(self.source), from_start=self.from_start)
        size = seen.size if head is not None else None
        if found.finding is Finding.FORKED and head is not None:
            return self._inconsistent(head, new, document, at, found.why)
        first = head is None and found.finding is Finding.UNCHANGED
        if found.finding is Finding.GREW or first:
            self._cosign(document, at)
            return Round(result=Result.COSIGNED, at=at, size=new.size, shown=new.size)
        return Round(result=_TOLD[found.finding], at=at, size=size, shown=new.size, why=found.why)

    def _cosign(self, document: bytes, at: datetime) -> None:
        """Remember, then show. Lines of others are left out: they are not this witness's word."""
        note = self.cosigner.cosign(self.log.alone(document), at=at)
        self.state.advance(Head(log=str(self.log.key), witness=self.cosigner.vkey, note=note))


_TOLD = {
    Finding.UNCHANGED: Result.UNCHANGED,
    Finding.OLDER: Result.OLDER,
    Finding.UNPROVEN: Result.UNPROVEN,
    Finding.FORKED: Result.UNPROVEN,
}
"""What is not cosigned. Forked from nothing seen, as a false root of no leaves, is unproven."""
