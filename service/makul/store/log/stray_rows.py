"""Find rows of the log that belong to no other row."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import or_, select

from makul.language.translation import mark, translate
from makul.store.db.base import Transaction
from makul.store.log.record_kinds import KINDS
from makul.store.log.tree import LOG
from makul.store.schema.ledger_tables import (
    checkpoint,
    ledger_head,
    ledger_leaf,
    ledger_lost,
    ledger_position,
    ledger_queue,
)
from makul.store.schema.record_tables import CLOSED_BY, disclosure
from makul.store.schema.usage_tables import request_key

_KEY_OF_NOTHING = (
    select(request_key.c.disclosure_id)
    .select_from(
        request_key.outerjoin(
            disclosure,
            CLOSED_BY,
        )
    )
    .where(disclosure.c.disclosure_id.is_(None))
    .limit(1)
)
_QUEUED_WRONGLY = (
    select(ledger_queue.c.disclosure_id, ledger_leaf.c.disclosure_id)
    .select_from(
        ledger_queue.outerjoin(
            ledger_leaf, ledger_leaf.c.disclosure_id == ledger_queue.c.disclosure_id
        ).outerjoin(
            ledger_position, ledger_position.c.disclosure_id == ledger_queue.c.disclosure_id
        )
    )
    .where(or_(ledger_leaf.c.disclosure_id.is_(None), ledger_position.c.disclosure_id.is_not(None)))
    .limit(1)
)
_BELOW_0 = select(ledger_position.c.disclosure_id).where(ledger_position.c.position < 0).limit(1)
_SIZE_NOW = select(ledger_head.c.size).where(ledger_head.c.log == LOG).scalar_subquery()
_SIGNED_BEYOND = select(checkpoint.c.size).where(checkpoint.c.size > _SIZE_NOW).limit(1)
_LOST_BEYOND = (
    select(ledger_lost.c.position)
    .where(or_(ledger_lost.c.position < 0, ledger_lost.c.position >= _SIZE_NOW))
    .limit(1)
)
_LOST_AND_PLACED = (
    select(ledger_lost.c.position)
    .join(ledger_position, ledger_position.c.position == ledger_lost.c.position)
    .limit(1)
)

_STRAYS: Final = (
    *((kind.without_leaf, kind.name, mark("a record without its leaf")) for kind in KINDS),
    (_KEY_OF_NOTHING, "request_key", mark("a request id that no decision closed")),
    (_BELOW_0, "ledger_position", mark("an index below 0")),
    (_SIGNED_BEYOND, "checkpoint", mark("a tree larger than the log is signed")),
    (_LOST_BEYOND, "ledger_lost", mark("a lost leaf beyond the log's size")),
    (_LOST_AND_PLACED, "ledger_lost", mark("an index is marked as lost, but it has a leaf")),
    (
        _QUEUED_WRONGLY,
        "ledger_queue",
        mark("a queued entry is not a leaf, or already has an index"),
    ),
)
"""A statement that selects such rows, their table, and what is wrong with them."""


def find_stray_rows(transaction: Transaction) -> Iterator[tuple[str, object, str]]:
    """Yield the table and key of the first stray row of each kind, and what is wrong."""
    for statement, where, what in _STRAYS:
        row = transaction.fetch_one(statement, {})
        if row is not None:
            yield where, row[0], translate(what)
