"""The ledger: what the sequencer needs of the store, and what others may read of the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from makul.ledger.checkpoint import Checkpoint


class LedgerBrokenError(Exception):
    """The log does not fit itself, or what was published of it. Nothing was appended.

    Never mended by the sequencer: somebody has to look. The message names no person.
    """

    @classmethod
    def lacking(cls, published: int, held: int) -> "LedgerBrokenError":
        """Of a store that holds fewer leaves than were published."""
        return cls(
            f"{published} leaves are published and the store has {held}: was it restored from an"
            " older copy?"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """That a decision's leaf is in the log, for whoever checks it without the operator."""

    index: int
    """The leaf's place, from 0."""
    size: int
    """How many leaves the tree of this proof has."""
    proof: tuple[bytes, ...]
    """The audit path, the lowest node first (RFC 6962, 2.1.1)."""
    note: bytes
    """The signed checkpoint of this size, with the witnesses' lines that are known."""


class LedgerReader(Protocol):
    """Reads of the log. Raises `StoreUnavailableError`, and `LedgerBrokenError` where it does not
    fit itself.
    """

    def inclusion(self, disclosure_id: UUID) -> Inclusion | None:
        """Of a decision's leaf; None while it has no place, or there is no such decision."""


class NoteSigning(Protocol):
    """Signs for the log (C2SP signed-note)."""

    @property
    def name(self) -> str:
        """The key's name, which is the log's origin (C2SP tlog-checkpoint)."""

    def sign(self, body: bytes) -> bytes:
        """The whole note: this text and the signature below it."""


class NoteChecking(Protocol):
    """Verifies notes by one key that the reader was given."""

    def verify(self, document: bytes) -> bytes:
        """The text that was signed; raises `ValueError` where the signature does not hold."""


class CosignatureChecking(Protocol):
    """Verifies the lines of one witness."""

    def verify(self, document: bytes) -> datetime:
        """When it cosigned this note; raises `ValueError` where its line does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Whose turn it is to sequence, and for how long from now."""

    holder: UUID
    """Of one process, drawn when it started."""
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """What one transaction of the sequencer did."""

    taken: int
    """Leaves that have their place now."""
    size: int
    more: bool
    """Was the batch full? Then there are more, most likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A checkpoint that this log signed and a witness cosigned; both signatures were verified."""

    checkpoint: Checkpoint
    witness: str
    """The name and the id of the witness's key."""
    line: str
    """Its signature line (C2SP signed-note), without its end."""


@dataclass(frozen=True, slots=True)
class StandingBy:
    """Another sequencer works."""

    until: datetime
    """When its turn ends, unless it renews it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTree:
    """A checkpoint as it is kept."""

    size: int
    root: bytes
    note: bytes
    """With the witnesses' lines that are known."""
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """How the log stands, for whoever watches it."""

    size: int
    root: bytes
    waiting: int
    """Leaves without a place."""
    waiting_since: datetime | None
    """When the oldest of them was recorded."""
    checkpoint_size: int | None
    checkpoint_at: datetime | None
    cosigned_size: int | None
    """The largest tree that a witness has cosigned."""
    holder: UUID | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of published leaves that a restored store lacked."""

    placed: int
    """Of decisions that the store holds: they have their places again."""
    lost: int
    """Of decisions that it does not hold any more."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The first thing that does not fit the log. It names records by their ids, and nobody."""

    where: str
    """The table, or `published`."""
    record: str
    """The row's key: a disclosure's id, a size, a level and index."""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """What came of holding every record against the log."""

    size: int
    """Leaves that were in the log when it began."""
    checked: int
    """Records (decisions and acts) that were held against their leaves."""
    waiting: int
    """Of these, how many have no place yet, and need none yet."""
    checkpoints: int
    lost: int
    """Places whose records were lost when an older copy was restored, as noted then."""
    finding: Finding | None
    """None where all of it fits."""


class LedgerStore(LedgerReader, Protocol):
    """What the sequencer works on. Raises `StoreUnavailableError`; then nothing was changed."""

    def sequence(
        self, signer: NoteSigning, lease: Lease, *, at: datetime, batch: int, published: int = 0
    ) -> Sequenced | StandingBy:
        """Give up to `batch` leaves their places and sign the tree, in one transaction.

        Raises `LedgerBrokenError`, also where the log is smaller in it than what is `published`.
        """

    def release(self, lease: Lease) -> None:
        """Let another sequencer work at once."""

    def latest(self) -> SignedTree | None:
        """The newest checkpoint; None before the first."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first hashes of a tile; raises `LedgerBrokenError` where they are not there."""

    def keep_cosignatures(self, size: int, lines: Mapping[str, str], *, at: datetime) -> int:
        """Keep witnesses' verified lines, by their names; how many were new."""

    def state(self) -> LedgerState:
        """How the log stands."""


class PublishedLog(Protocol):
    """The log as files that witnesses fetch (C2SP tlog-tiles). Raises `OSError`."""

    def checkpoint(self) -> bytes | None:
        """The note that is published; None where nothing is."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first hashes of a published tile; raises `OSError`, `LedgerBrokenError`."""

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Put a tile in its place, whole or not at all."""

    def write_checkpoint(self, note: bytes) -> None:
        """Put the note in its place, whole or not at all: last, for it promises the tiles."""
