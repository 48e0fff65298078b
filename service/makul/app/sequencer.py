"""The sequencer: assign leaf indexes, sign the tree and publish it for witnesses.

Each run first compares the store with the published log. A published tree is a promise to everybody
who fetched it. A store that lacks that tree, for example one restored from an older copy, must not
be extended, or the log would have two histories.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from makul.app.ports.caller import Clock
from makul.app.ports.ledger import (
    CosignedCheckpoint,
    Lease,
    LedgerBrokenError,
    LedgerStore,
    NoteChecking,
    NoteSigning,
    PublishedLog,
    Sequenced,
    SignedTree,
    Standby,
)
from makul.language.translation import translate, translate_error
from makul.ledger.checkpoint import Checkpoint, parse_checkpoint_unsafe
from makul.ledger.tile_proofs import ReadTile, TileError, TileTree
from makul.ledger.tiles import new_tiles

BATCHES_A_ROUND = 64
"""Maximum number of batches in one run.

The tree is then published even if leaves are waiting, so that witnesses see a busy log grow.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerRun:
    """The result of one run."""

    at: datetime
    taken: int
    """Number of leaves that received their index."""
    size: int | None
    """The size of the log; None for a standby sequencer."""
    published: bool
    """True if a new checkpoint was published."""


class Sequencer:
    """Assigns leaf indexes, signs checkpoints and publishes tiles, for one process.

    Each run continues from the last committed tree. Raises `StoreUnavailableError`,
    `LedgerBrokenError`, and `OSError` if the published files cannot be written.
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

    def run_once(self) -> SequencerRun:
        """Sequence the waiting leaves, sign the tree and publish it."""
        promised = self._compare()
        taken, size = 0, None
        for _ in range(BATCHES_A_ROUND):
            done = self._sequence(promised)
            if isinstance(done, Standby):
                return SequencerRun(at=self._clock(), taken=taken, size=None, published=False)
            taken, size = taken + done.taken, done.size
            if not done.more:
                break
        return SequencerRun(at=self._clock(), taken=taken, size=size, published=self.publish())

    def _sequence(self, promised: int) -> Sequenced | Standby:
        """Sequence one batch, provided that the store has at least `promised` leaves.

        The size is checked again in the transaction, because the database server may have failed
        over to another copy since the comparison.
        """
        return self._store.sequence(
            self._signer, self._lease, at=self._clock(), batch=self._batch, published=promised
        )

    def _compare(self) -> int:
        """Compare the store with the published note and return the number of published leaves.

        The root is computed only if the note is new to this process. A note that this process
        published comes from this store.
        """
        note = self._published.checkpoint()
        if note is None:
            return 0
        promised = read_published(note, self._checker, self._signer.name)
        compare(self._store, promised, only_size=note == self._compared)
        self._compared = note
        return promised.size

    def publish(self) -> bool:
        """Publish the newest checkpoint after its tiles; return whether there was anything new."""
        latest, note = self._store.latest(), self._published.checkpoint()
        if latest is None or latest.note == note:
            return False
        old = read_published(note, self._checker, self._signer.name).size if note else 0
        if old > latest.size:
            return False
        self._verify_own_signature(latest)
        write_log(self._published, latest, self._store.tile, since=old)
        self._compared = latest.note
        return True

    def _verify_own_signature(self, latest: SignedTree) -> None:
        """Verify our own signature before publishing.

        An attacker with write access to the database must not be able to publish a checkpoint in
        the log's name, because publication is irreversible.
        """
        try:
            signed = parse_checkpoint_unsafe(self._checker.verify(latest.note))
        except ValueError:
            raise LedgerBrokenError(
                translate("the store's checkpoint is not by this log's key")
            ) from None
        if signed != Checkpoint(self._signer.name, latest.size, latest.root):
            raise LedgerBrokenError(
                translate("the store's checkpoint signs another tree than it says")
            )

    def keep(self, cosigned: Iterable[CosignedCheckpoint]) -> int:
        """Store cosignatures, publish the lines of the newest tree, and return how many are new.

        A tree that a witness cosigned is a promise, as a published tree is. If the store lacks that
        tree, this raises `LedgerBrokenError` and stores none of its lines.
        """
        stored = 0
        for each in cosigned:
            compare(self._store, each.checkpoint)
            lines = {each.witness: each.line}
            size = each.checkpoint.size
            stored += self._store.keep_cosignatures(size, lines, at=self._clock())
        if stored:
            self.publish()
        return stored

    def release(self) -> None:
        """Release the lease so that another sequencer can work at once."""
        self._store.release(self._lease)


def compare(store: LedgerStore, promised: Checkpoint, *, only_size: bool = False) -> None:
    """Raise `LedgerBrokenError` if the store lacks a published tree or holds a different one."""
    latest = store.latest()
    size = latest.size if latest is not None else 0
    if promised.size > size:
        raise LedgerBrokenError.lacking(promised.size, size)
    if only_size:
        return
    try:
        root = TileTree(promised.size, store.tile).root()
    except TileError as error:
        raise LedgerBrokenError(translate_error(error)) from None
    if root != promised.root:
        raise LedgerBrokenError(
            translate(
                "the published tree of {number} leaves is another than the store's",
                number=promised.size,
            )
        )


def read_published(note: bytes, checker: NoteChecking, origin: str) -> Checkpoint:
    """Return a checkpoint that this log's key signed; raises `LedgerBrokenError`."""
    try:
        checkpoint = parse_checkpoint_unsafe(checker.verify(note))
    except ValueError:
        raise LedgerBrokenError(
            translate("the published checkpoint is not by this log's key")
        ) from None
    if checkpoint.origin != origin:
        raise LedgerBrokenError(translate("the published checkpoint is of another log"))
    return checkpoint


def write_log(
    into: PublishedLog,
    signed: SignedTree,
    read_tile: ReadTile,
    *,
    since: int = 0,
    report: Callable[[], None] = lambda: None,
) -> None:
    """Write a log as files: the tiles that are new since `since` leaves, then the checkpoint.

    `report` is called after each tile.
    """
    for tile in new_tiles(since, signed.size):
        hashes = read_tile(tile.level, tile.index, tile.width)
        into.write_tile(tile.level, tile.index, hashes)
        report()
    into.write_checkpoint(signed.note)
