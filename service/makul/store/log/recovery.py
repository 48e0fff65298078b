"""Add published leaves to a store that was restored from an older copy.

Publication is irreversible: witnesses have the tree. So the log must continue from it. If the copy
still contains a leaf, the leaf gets its published index again. If the decision is lost, only the
hash is stored at that index, and it is permanently marked as lost. The receipt still proves that
decision.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, exists, insert, select

from makul.app.ports.ledger import Lease, LedgerBrokenError, RecoveryResult, SignedTree, Standby
from makul.language.translation import translate
from makul.store.db.base import QuerySource, Transaction
from makul.store.db.codecs import micros
from makul.store.log.tree import add_checkpoint, lock_head, move_head, write_tiles
from makul.store.records.audit_log import AuditLog
from makul.store.schema.ledger_tables import ledger_leaf, ledger_lost, ledger_position, ledger_queue

_WAITING = select(ledger_leaf.c.leaf_hash, ledger_leaf.c.disclosure_id).where(
    ~exists().where(ledger_position.c.disclosure_id == ledger_leaf.c.disclosure_id)
)
_PLACE = insert(ledger_position)
_LOSE = insert(ledger_lost)
_TAKE_OUT = delete(ledger_queue).where(
    ledger_queue.c.disclosure_id == bindparam("key_disclosure_id")
)


def recover(
    transaction: Transaction,
    log: AuditLog,
    promised: SignedTree,
    leaves: Sequence[bytes],
    lease: Lease,
    *,
    at: datetime,
) -> RecoveryResult | Standby:
    """Append published leaves as they were published; raises `LedgerBrokenError`.

    `leaves` are the hashes of the indexes that the store lacks. The resulting tree must have the
    promised root. Otherwise the store had already diverged from what was published.
    """
    edge = lock_head(transaction, lease, at)
    if isinstance(edge, Standby):
        transaction.mark_rollback()
        return edge
    appended = edge.extended(leaves)
    if (appended.edge.size, appended.edge.root()) != (promised.size, promised.root):
        raise LedgerBrokenError(translate("what was published does not continue the store's log"))
    waiting = find_waiting_leaves(transaction)
    lost = 0
    for position, leaf in enumerate(leaves, edge.size):
        disclosure_id = waiting.get(leaf)
        if disclosure_id is None:
            row = {"position": position, "leaf_hash": leaf, "noted_at": micros(at)}
            transaction.execute(_LOSE, row)
            lost += 1
        else:
            placed = {"disclosure_id": disclosure_id, "position": position}
            transaction.execute(_PLACE, placed)
            transaction.execute(_TAKE_OUT, {"key_disclosure_id": disclosure_id})
    write_tiles(transaction, edge.size, appended)
    move_head(transaction, appended.edge, lease, at=at)
    add_checkpoint(transaction, promised, at=at)
    done = RecoveryResult(placed=len(leaves) - lost, lost=lost, size=promised.size)
    facts = {"size": done.size, "placed": done.placed, "lost": done.lost}
    log.write(transaction, "ledger.recover", "", facts, at=at)
    return done


def find_waiting_leaves(source: QuerySource) -> Mapping[bytes, bytes]:
    """Return the hashes of the leaves that have no index, with the ids of their records."""
    rows = source.fetch_all(_WAITING, {})
    return {bytes(leaf): bytes(record_id) for leaf, record_id in rows}
