"""Ports of the ledger: the store as the sequencer needs it, and the log as others may read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from makul.language.translation import translate
from makul.ledger.checkpoint import Checkpoint


class LedgerBrokenError(Exception):
    """The log is inconsistent with itself or with what was published. Nothing was appended.

    The sequencer never repairs this: an operator must investigate. The message names no person.
    """

    @classmethod
    def lacking(cls, published: int, present: int) -> "LedgerBrokenError":
        """Build the error for a store that holds fewer leaves than were published."""
        return cls(
            translate(
                "{published} leaves are published and the store has {present}: was it restored"
                " from an older copy?",
                published=published,
                present=present,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The proof that a decision's leaf is in the log.

    Anyone can check it without the operator.
    """

    index: int
    """The leaf index, from 0."""
    size: int
    """The number of leaves in the tree of this proof."""
    proof: tuple[bytes, ...]
    """The audit path, the lowest node first (RFC 6962, 2.1.1)."""
    note: bytes
    """The signed checkpoint of this size, with the known cosignature lines of witnesses."""


class LedgerReader(Protocol):
    """Reads the log.

    Raises `StoreUnavailableError`, and `LedgerBrokenError` if the log is inconsistent with itself.
    """

    def inclusion(self, disclosure_id: UUID) -> Inclusion | None:
        """Return the inclusion proof of a decision's leaf.

        Return None if the leaf has no index yet or there is no such decision.
        """


class NoteSigning(Protocol):
    """Signs notes for the log (C2SP signed-note)."""

    @property
    def name(self) -> str:
        """The key's name, which is the log's origin (C2SP tlog-checkpoint)."""

    def sign(self, body: bytes) -> bytes:
        """Return the whole note: this text and the signature below it."""


class NoteChecking(Protocol):
    """Verifies notes with one key that the reader was given."""

    def verify(self, document: bytes) -> bytes:
        """Return the text that was signed; raises `ValueError` if the signature is not valid."""


class CosignatureChecking(Protocol):
    """Verifies the signature lines of one witness."""

    def verify(self, document: bytes) -> datetime:
        """Return the time at which the witness cosigned this note.

        Raises `ValueError` if its signature line is not valid.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The exclusive turn of one sequencer, and its length from now."""

    holder: UUID
    """The id of one process, drawn at random when it started."""
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """The result of one transaction of the sequencer."""

    taken: int
    """Number of leaves that received their index."""
    size: int
    more: bool
    """True if the batch was full, so that more leaves are probably waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignedCheckpoint:
    """A checkpoint signed by this log and cosigned by a witness; both signatures are verified."""

    checkpoint: Checkpoint
    witness: str
    """The name and the id of the witness's key."""
    line: str
    """The witness's signature line (C2SP signed-note), without its line end."""


@dataclass(frozen=True, slots=True)
class Standby:
    """Another sequencer holds the lease."""

    until: datetime
    """The instant at which the other sequencer's lease ends unless it is renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTree:
    """A checkpoint as it is stored."""

    size: int
    root: bytes
    note: bytes
    """The signed note, with the known cosignature lines of witnesses."""
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """The state of the log, for monitoring."""

    size: int
    root: bytes
    waiting: int
    """Number of leaves without an index."""
    waiting_since: datetime | None
    """The time at which the oldest waiting leaf was recorded."""
    checkpoint_size: int | None
    checkpoint_at: datetime | None
    cosigned_size: int | None
    """The size of the largest tree that a witness has cosigned."""
    holder: UUID | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryResult:
    """The result of recovering published leaves that a restored store lacked."""

    placed: int
    """Number of leaves of decisions that the store holds.

    They have their published indexes again.
    """
    lost: int
    """Number of leaves of decisions that the store does not hold any longer."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The first record that does not match the log.

    It names records by their ids, and no person.
    """

    where: str
    """The table, or `published`."""
    record: str
    """The key of the row: the id of a disclosure, a size, or a level and index."""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """The result of comparing every record with the log."""

    size: int
    """Number of leaves in the log when the check began."""
    checked: int
    """Number of records (decisions and acts) that were compared with their leaves."""
    waiting: int
    """Number of these records that have no leaf index yet and do not need one yet."""
    checkpoints: int
    lost: int
    """Number of leaf indexes whose records were lost, as noted when an older copy was restored."""
    finding: Finding | None
    """The first mismatch; None if all records match."""


class LedgerStore(LedgerReader, Protocol):
    """The store as the sequencer uses it. After `StoreUnavailableError` nothing was changed."""

    def sequence(
        self, signer: NoteSigning, lease: Lease, *, at: datetime, batch: int, published: int = 0
    ) -> Sequenced | Standby:
        """Assign indexes to up to `batch` leaves and sign the tree, in one transaction.

        Raises `LedgerBrokenError`, also if the log in the store is smaller than what is
        `published`.
        """

    def release(self, lease: Lease) -> None:
        """Release the lease so that another sequencer can work at once."""

    def latest(self) -> SignedTree | None:
        """Return the newest checkpoint; None before the first."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return the first `width` hashes of a tile.

        Raises `LedgerBrokenError` if they are missing.
        """

    def keep_cosignatures(self, size: int, lines: Mapping[str, str], *, at: datetime) -> int:
        """Store witnesses' verified signature lines by witness name; return how many were new."""

    def state(self) -> LedgerState:
        """Return the state of the log."""


class PublishedLog(Protocol):
    """The log as files that witnesses fetch (C2SP tlog-tiles). Raises `OSError`."""

    def checkpoint(self) -> bytes | None:
        """Return the published note; None if nothing is published."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return the first `width` hashes of a published tile.

        Raises `OSError`, and `LedgerBrokenError`.
        """

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Write a tile to its location, completely or not at all."""

    def write_checkpoint(self, note: bytes) -> None:
        """Write the note to its location, completely or not at all.

        It must be written last, because it promises the tiles.
        """
