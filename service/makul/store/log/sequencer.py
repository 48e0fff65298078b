"""The sequencing transaction, and reads of the log.

One transaction assigns indexes to leaves, writes the changed tiles, moves the head, signs the tree
and removes the leaves from the queue. A process that is killed in it has changed nothing. It begins
by locking the head's row. So of two sequencers one waits for the other and then continues from its
last tree. Leaves are taken as a set; the order of their commits has no effect.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, exists, func, insert, null, select, update

from makul.app.ports.ledger import (
    Inclusion,
    Lease,
    LedgerBrokenError,
    LedgerState,
    LedgerStore,
    NoteSigning,
    Sequenced,
    SignedTree,
    Standby,
)
from makul.language.translation import translate, translate_error
from makul.ledger.checkpoint import Checkpoint
from makul.ledger.tile_proofs import TileError, TileTree
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import instant, micros
from makul.store.log.tree import (
    LOG,
    add_checkpoint,
    lock_head,
    move_head,
    other_lease,
    read_head,
    read_tile,
    write_tiles,
)
from makul.store.schema.ledger_tables import (
    checkpoint,
    cosignature,
    ledger_head,
    ledger_leaf,
    ledger_position,
    ledger_queue,
)

COSIGNED_LOOKED_AT = 32
"""Number of newest cosigned trees from which a proof takes the one with the most witnesses.
Witnesses cosign at their own pace, and the newest tree may have only one of them."""

_RELEASE = (
    update(ledger_head)
    .where(ledger_head.c.log == bindparam("log"), ledger_head.c.holder == bindparam("by"))
    .values(holder=null(), held_until=0)
)

_PLACED = exists().where(ledger_position.c.disclosure_id == ledger_queue.c.disclosure_id)
_NEXT = (
    select(ledger_queue.c.disclosure_id)
    .join(ledger_leaf, ledger_leaf.c.disclosure_id == ledger_queue.c.disclosure_id)
    .where(~_PLACED)
    .order_by(ledger_queue.c.disclosure_id)
    .limit(bindparam("batch"))
    .subquery()
)
_PLACE = insert(ledger_position).from_select(
    ["disclosure_id", "position"],
    select(
        _NEXT.c.disclosure_id,
        bindparam("size", type_=BigInteger)
        + func.row_number().over(order_by=_NEXT.c.disclosure_id)
        - 1,
    ),
)
_NEW_LEAVES = (
    select(ledger_leaf.c.leaf_hash)
    .join(ledger_position, ledger_position.c.disclosure_id == ledger_leaf.c.disclosure_id)
    .where(ledger_position.c.position >= bindparam("size"))
    .order_by(ledger_position.c.position)
)
_TAKE_OUT = delete(ledger_queue).where(
    ledger_queue.c.disclosure_id.in_(
        select(ledger_position.c.disclosure_id).where(
            ledger_position.c.position >= bindparam("size")
        )
    )
)
_WAITS = select(ledger_queue.c.disclosure_id).limit(1)
_WAITING = select(
    func.count(ledger_queue.c.disclosure_id), func.min(ledger_leaf.c.recorded_at)
).select_from(
    ledger_queue.outerjoin(ledger_leaf, ledger_leaf.c.disclosure_id == ledger_queue.c.disclosure_id)
)

_POSITION = select(ledger_position.c.position).where(
    ledger_position.c.disclosure_id == bindparam("disclosure_id")
)
_CHECKPOINT = select(
    checkpoint.c.size, checkpoint.c.root, checkpoint.c.note, checkpoint.c.made_at
).where(checkpoint.c.size == bindparam("size"))
_LATEST = (
    select(checkpoint.c.size, checkpoint.c.root, checkpoint.c.note, checkpoint.c.made_at)
    .order_by(checkpoint.c.size.desc())
    .limit(1)
)
_COSIGNATURES = (
    select(cosignature.c.witness, cosignature.c.line)
    .where(cosignature.c.size == bindparam("size"))
    .order_by(cosignature.c.witness)
)
_ADD_COSIGNATURE = insert(cosignature)
_COSIGNED = (
    select(cosignature.c.size, func.count())
    .where(cosignature.c.size > bindparam("above"))
    .group_by(cosignature.c.size)
    .order_by(cosignature.c.size.desc())
    .limit(COSIGNED_LOOKED_AT)
)


class StoreLedger(LedgerStore):
    """The log in the store's tables. Raises `StoreUnavailableError`; then nothing was changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._untold = False
        """True if the outcome of the last transaction is unknown. Its effects may be visible on the
        primary before they reach the synchronous replica."""

    def sequence(
        self, signer: NoteSigning, lease: Lease, *, at: datetime, batch: int, published: int = 0
    ) -> Sequenced | Standby:
        """Give up to `batch` leaves their indexes and sign the tree, in one transaction.

        If there is nothing to do, no write transaction starts. Raises `LedgerBrokenError`, also if
        the log has fewer leaves than are `published`.
        """
        head = read_head(self._database)
        other = other_lease(head, lease, at)
        if other is not None:
            return other
        if not self._untold and self._idle(head, lease, at):
            return Sequenced(taken=0, size=head[0], more=False)
        self._untold = True
        done = self._database.run_transaction(
            lambda transaction: _sequence(
                transaction, signer, lease, at=at, batch=batch, published=published
            ),
            # An interrupted commit is not looked up: the work continues from the head, wherever it
            # is. Its new write waits for the replica that the commit waited for, before anything is
            # published.
            resolve_unknown_commit=lambda _: None,
        )
        self._untold = False
        return done

    def release(self, lease: Lease) -> None:
        """End this holder's lease, so that another sequencer can work immediately.

        The lease of another holder does not change.
        """
        values = {"log": LOG, "by": lease.holder.bytes}
        self._database.run_transaction(lambda transaction: transaction.execute(_RELEASE, values))

    def latest(self) -> SignedTree | None:
        """Return the newest checkpoint; None before the first."""
        return self._read_signed_tree(self._database.fetch_one(_LATEST, {}))

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return the first hashes of a tile; raises `LedgerBrokenError` if they are missing."""
        return read_tile(self._database, level, index, width)

    def inclusion(self, disclosure_id: UUID) -> Inclusion | None:
        """Return the proof for a decision's leaf, in the recent tree with the most cosignatures.

        Without cosignatures it is the newest tree. Returns None if the leaf has no index or no
        signed tree contains it. Tiles only grow at their ends, so reads at several moments give one
        proof.
        """
        placed = self._database.fetch_one(_POSITION, {"disclosure_id": disclosure_id.bytes})
        signed = self._find_covering(placed[0]) if placed is not None else None
        if placed is None or signed is None:
            return None
        try:
            proof = TileTree(signed.size, self.tile).inclusion_proof(placed[0])
        except TileError as error:
            raise LedgerBrokenError(translate_error(error)) from None
        return Inclusion(index=placed[0], size=signed.size, proof=proof, note=signed.note)

    def keep_cosignatures(self, size: int, lines: Mapping[str, str], *, at: datetime) -> int:
        """Store the witnesses' verified lines, and return how many are new.

        The first line of a witness under a checkpoint stays.
        """

        def work(transaction: Transaction) -> int:
            rows = transaction.fetch_all(_COSIGNATURES, {"size": size})
            new = lines.keys() - {witness for witness, _ in rows}
            for witness in sorted(new):
                row = {"size": size, "witness": witness, "line": lines[witness]}
                transaction.execute(_ADD_COSIGNATURE, {**row, "collected_at": micros(at)})
            return len(new)

        return self._database.run_transaction(work)

    def state(self) -> LedgerState:
        """Return the state of the log."""
        size, root, holder, until = read_head(self._database)
        waiting, since = self._database.fetch_one(_WAITING, {}) or (0, None)
        newest = self._database.fetch_one(_LATEST, {})
        cosigned = self._database.fetch_one(_COSIGNED, {"above": -1})
        return LedgerState(
            size=size,
            root=root,
            waiting=waiting,
            waiting_since=instant(since) if since is not None else None,
            checkpoint_size=newest[0] if newest is not None else None,
            checkpoint_at=instant(newest[3]) if newest is not None else None,
            cosigned_size=cosigned[0] if cosigned is not None else None,
            holder=UUID(bytes=holder) if holder is not None else None,
            held_until=instant(until) if holder is not None else None,
        )

    def _idle(self, head: Row, lease: Lease, at: datetime) -> bool:
        """Return whether there is nothing to do.

        The lease lasts long enough, no leaf waits, and the tree is signed.
        """
        size, _, holder, until = head
        fresh = holder == lease.holder.bytes and until > micros(at + lease.length / 2)
        return (
            fresh
            and self._database.fetch_one(_WAITS, {}) is None
            and self._database.fetch_one(_CHECKPOINT, {"size": size}) is not None
        )

    def _find_covering(self, position: int) -> SignedTree | None:
        """Return a checkpoint whose tree contains this index."""
        rows = self._database.fetch_all(_COSIGNED, {"above": position})
        if rows:
            size, _ = max(rows, key=lambda row: (row[1], row[0]))
            return self._read_signed_tree(self._database.fetch_one(_CHECKPOINT, {"size": size}))
        newest = self.latest()
        return newest if newest is not None and newest.size > position else None

    def _read_signed_tree(self, row: Row | None) -> SignedTree | None:
        if row is None:
            return None
        size, root, note, made_at = row
        lines = [line for _, line in self._database.fetch_all(_COSIGNATURES, {"size": size})]
        return SignedTree(
            size=size,
            root=root,
            note=note + "".join(f"{line}\n" for line in lines).encode(),
            made_at=instant(made_at),
        )


def _sequence(
    transaction: Transaction,
    signer: NoteSigning,
    lease: Lease,
    *,
    at: datetime,
    batch: int,
    published: int,
) -> Sequenced | Standby:
    edge = lock_head(transaction, lease, at)
    if isinstance(edge, Standby):
        transaction.mark_rollback()
        return edge
    size = edge.size
    if size < published:
        raise LedgerBrokenError.lacking(published, size)
    taken = transaction.execute(_PLACE, {"size": size, "batch": batch})
    if taken:
        leaves = [leaf for (leaf,) in transaction.fetch_all(_NEW_LEAVES, {"size": size})]
        if len(leaves) != taken:
            raise LedgerBrokenError(
                translate("there are leaves with an index beyond the log's end")
            )
        appended = edge.extended(leaves)
        write_tiles(transaction, size, appended)
        transaction.execute(_TAKE_OUT, {"size": size})
        edge = appended.edge
    root = move_head(transaction, edge, lease, at=at)
    if transaction.fetch_one(_CHECKPOINT, {"size": edge.size}) is None:
        note = signer.sign(Checkpoint(signer.name, edge.size, root).body())
        signed = SignedTree(size=edge.size, root=root, note=note, made_at=at)
        add_checkpoint(transaction, signed, at=at)
    return Sequenced(taken=taken, size=edge.size, more=taken == batch)
