"""Keeping the log: leaves get their places, the tree is signed, and witnesses can fetch it.

A round first holds the store against what was published. A published tree is a promise to
everybody who fetched it: a store that does not hold it any more, restored from an older copy
perhaps, must not be built on, or the log would have two histories.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from makul.app.ports.caller import Clock
from makul.app.ports.ledger import (
    Cosigned,
    Lease,
    LedgerBrokenError,
    LedgerStore,
    NoteChecking,
    NoteSigning,
    PublishedLog,
    Sequenced,
    SignedTree,
    StandingBy,
)
from makul.ledger.checkpoint import Checkpoint, parse_checkpoint_unsafe
from makul.ledger.tile_proofs import ReadTile, TileError, TileTree
from makul.ledger.tiles import new_tiles

BATCHES_A_ROUND = 64
"""After so many the tree is published, whatever still waits: witnesses see a busy log grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerRun:
    """What came of one round."""

    at: datetime
    taken: int
    """Leaves that got their places."""
    size: int | None
    """The size of the log; None for who stands by."""
    published: bool
    """Was anything new put out?"""


class Sequencer:
    """Of one process. Raises `StoreUnavailableError`, `LedgerBrokenError`, and `OSError` where the
    published files cannot be written; each round goes on from wherever the one before ended.
    """

    def __init__(
        self,
        *,
        store: LedgerStore,
        signer: NoteSigning,
        checker: NoteChecking,
        published: PublishedLog,
        lease: Lease,
        batch: int,
        clock: Clock,
    ) -> None:
        self._store = store
        self._signer = signer
        self._checker = checker
        self._published = published
        self._lease = lease
        self._batch = batch
        self._clock = clock
        self._compared: bytes | None = None

    def round(self) -> SequencerRun:
        """Sequence what waits, sign and publish."""
        promised = self._compare()
        taken, size = 0, None
        for _ in range(BATCHES_A_ROUND):
            done = self._sequence(promised)
            if isinstance(done, StandingBy):
                return SequencerRun(at=self._clock(), taken=taken, size=None, published=False)
            taken, size = taken + done.taken, done.size
            if not done.more:
                break
        return SequencerRun(at=self._clock(), taken=taken, size=size, published=self.publish())

    def _sequence(self, promised: int) -> Sequenced | StandingBy:
        """The store may be another one by now: a server that failed over to a copy."""
        return self._store.sequence(
            self._signer, self._lease, at=self._clock(), batch=self._batch, published=promised
        )

    def _compare(self) -> int:
        """Hold the store against the published note; how many leaves are published. Its root is
        computed where it is a new one: whatever this process has published comes from this store.
        """
        note = self._published.checkpoint()
        if note is None:
            return 0
        promised = read_published(note, self._checker, self._signer.name)
        compare(self._store, promised, only_size=note == self._compared)
        self._compared = note
        return promised.size

    def publish(self) -> bool:
        """Put out the newest checkpoint, its tiles before it; whether there was anything new."""
        latest, note = self._store.latest(), self._published.checkpoint()
        if latest is None or latest.note == note:
            return False
        old = read_published(note, self._checker, self._signer.name).size if note else 0
        if old > latest.size:
            return False
        self._must_be_ours(latest)
        write_log(self._published, latest, self._store.tile, since=old)
        self._compared = latest.note
        return True

    def _must_be_ours(self, latest: SignedTree) -> None:
        """Whoever may add rows to the store shall not publish in the log's name: what was published
        once cannot be taken back.
        """
        try:
            signed = parse_checkpoint_unsafe(self._checker.verify(latest.note))
        except ValueError:
            raise LedgerBrokenError("the store's checkpoint is not by this log's key") from None
        if signed != Checkpoint(self._signer.name, latest.size, latest.root):
            raise LedgerBrokenError("the store's checkpoint signs another tree than it says")

    def keep(self, cosigned: Iterable[Cosigned]) -> int:
        """Keep what witnesses cosigned, and publish the lines of the newest tree; how many are new.

        What a witness holds this log to is a promise as much as what is published: a store that
        does not hold that tree raises `LedgerBrokenError`, and none of its lines are kept.
        """
        kept = 0
        for each in cosigned:
            compare(self._store, each.checkpoint)
            lines = {each.witness: each.line}
            size = each.checkpoint.size
            kept += self._store.keep_cosignatures(size, lines, at=self._clock())
        if kept:
            self.publish()
        return kept

    def release(self) -> None:
        """Let another sequencer work at once."""
        self._store.release(self._lease)


def compare(store: LedgerStore, promised: Checkpoint, *, only_size: bool = False) -> None:
    """Raise `LedgerBrokenError` where the store lacks a published tree, or holds another."""
    latest = store.latest()
    size = latest.size if latest is not None else 0
    if promised.size > size:
        raise LedgerBrokenError.lacking(promised.size, size)
    if only_size:
        return
    try:
        root = TileTree(promised.size, store.tile).root()
    except TileError as error:
        raise LedgerBrokenError(str(error)) from None
    if root != promised.root:
        raise LedgerBrokenError(
            f"the published tree of {promised.size} leaves is another than the store's"
        )


def read_published(note: bytes, checker: NoteChecking, origin: str) -> Checkpoint:
    """A checkpoint that this log's key signed; raises `LedgerBrokenError`."""
    try:
        checkpoint = parse_checkpoint_unsafe(checker.verify(note))
    except ValueError:
        raise LedgerBrokenError("the published checkpoint is not by this log's key") from None
    if checkpoint.origin != origin:
        raise LedgerBrokenError("the published checkpoint is of another log")
    return checkpoint


def write_log(
    into: PublishedLog,
    signed: SignedTree,
    read_tile: ReadTile,
    *,
    since: int = 0,
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Put a log out as files: its tiles from the tree of `since` leaves on, then the checkpoint.

    `tell` is called after each tile.
    """
    for tile in new_tiles(since, signed.size):
        hashes = read_tile(tile.level, tile.index, tile.width)
        into.write_tile(tile.level, tile.index, hashes)
        tell()
    into.write_checkpoint(signed.note)
