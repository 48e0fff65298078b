"""The baseline: the rows of rights that a store has when acts begin, recorded as its first acts.

A new store has a baseline that names no row. `makul store upgrade` writes the baseline of a store
from before acts. No row is accepted later because it is older: the baseline names each one, and has
leaves in the ledger itself.
"""

from datetime import datetime
from itertools import islice

from sqlalchemy import bindparam, update

from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.acts import Act, Change, add_act, has_acts
from makul.store.records.locks import LockKind, acquire_lock
from makul.store.records.row_images import TABLE_IMAGES, TableImages
from makul.store.schema.identity_table import store_identity

BASELINE_KIND = "store.baseline"
"""The kind of these acts. They have the lowest numbers; otherwise `makul ledger verify` refuses
them."""

ROWS_AN_ACT = 256
"""Rows in one act: a statement of some hundred kilobytes."""

_MARK_RECORDED = (
    update(store_identity)
    .where(store_identity.c.baseline_at.is_(None))
    .values(baseline_at=bindparam("at"))
)


def write_baseline(database: Database, cipher: FieldCipher, *, who: str, at: datetime) -> bool:
    """Record every row of rights in one transaction; return False if a baseline exists."""

    def work(transaction: Transaction) -> bool:
        acquire_lock(transaction, LockKind.REGISTRY)
        transaction.execute(_MARK_RECORDED, {"at": micros(at)})
        if has_acts(transaction):
            return False
        begun = Act(who=who, kind=BASELINE_KIND, target="", facts={}, changes=())
        add_act(transaction, cipher, begun, at=at)
        for table in TABLE_IMAGES.values():
            _record_table(transaction, cipher, table, who=who, at=at)
        return True

    return database.run_transaction(work)


def _record_table(
    transaction: Transaction, cipher: FieldCipher, table: TableImages, *, who: str, at: datetime
) -> None:
    rows = table.rows(transaction)
    while page := list(islice(rows, ROWS_AN_ACT)):
        changes = [
            Change(
                table=table.name,
                key={name: row[name] for name in table.key_names},
                before=None,
                after=table.image(cipher, row),
            )
            for row in page
        ]
        begun = Act(who=who, kind=BASELINE_KIND, target=table.name, facts={}, changes=changes)
        add_act(transaction, cipher, begun, at=at)
