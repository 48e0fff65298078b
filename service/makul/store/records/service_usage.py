"""Usage of the service by each recipient, counted without one row that all workers wait for.

Each use is counted in one of `SLOTS` rows, chosen at random. A transaction locks this row last. So
two transactions that meet in one slot wait for a commit, and never deadlock.
"""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import Insert, insert

from makul.domain.identifiers import MemberCode
from makul.domain.usage import Usage
from makul.store.db.base import Transaction
from makul.store.db.codecs import micros
from makul.store.schema.usage_tables import recipient_use

SLOTS = 32
"""Number of rows per counter.

Of eight concurrent transactions, two sometimes meet in one slot; one then waits for a commit.
"""

ROW_BYTES = 1_024
"""Bytes of a record besides its encrypted values: columns, indexes and leaf (measured)."""

MINUTE_MICROS = 60 * 1_000_000
DAY_MICROS = 24 * 60 * MINUTE_MICROS
KEEP_MINUTES = 10
KEEP_DAYS = 40
"""Days for which daily usage is kept: more than a month, so that the operator can view it.

Minutes are kept only while they count.
"""


class Span(StrEnum):
    """Counter and the time that it covers."""

    MINUTE = "MINUTE"
    """Requests for a decision, by the minute."""
    INQUIRY = "INQUIRY"
    """Requests that decide nothing, by the minute."""
    DAY = "DAY"
    """Bytes recorded, by the UTC day."""


def _row(span: Span, begins: str, more: object) -> dict[str, object]:
    return {
        "recipient": bindparam("recipient"),
        "span": span.value,
        "begins": bindparam(begins),
        "slot": bindparam("slot"),
        "requests": 1,
        "bytes": more,
    }


def _count(*rows: dict[str, object]) -> Insert:
    """Return the statement that adds to slots and creates the missing ones.

    An UPDATE followed by an INSERT for the first use of a slot would lose races at the start of
    each minute. The construct is PostgreSQL's; the dialect of SQLite compiles it to the same SQL.
    """
    added = insert(recipient_use).values(list(rows))
    return added.on_conflict_do_update(
        index_elements=list(recipient_use.primary_key.columns),
        set_={
            "requests": recipient_use.c.requests + 1,
            "bytes": recipient_use.c.bytes + added.excluded.bytes,
        },
    )


_USE = _count(
    _row(Span.MINUTE, "minute", bindparam("more")), _row(Span.DAY, "day", bindparam("more"))
)
_INQUIRE = _count(_row(Span.INQUIRY, "minute", 0))
_INQUIRIES = select(func.coalesce(func.sum(recipient_use.c.requests), 0)).where(
    recipient_use.c.recipient == bindparam("recipient"),
    recipient_use.c.span == Span.INQUIRY.value,
    recipient_use.c.begins == bindparam("minute"),
)
_KEY = (
    recipient_use.c.recipient,
    recipient_use.c.span,
    recipient_use.c.begins,
    recipient_use.c.slot,
)


def _sum_of_use(column: Any, span: Span, begins: str) -> ScalarSelect[int]:
    return (
        select(func.coalesce(func.sum(column), 0))
        .where(
            recipient_use.c.recipient == bindparam("code"),
            recipient_use.c.span == span.value,
            recipient_use.c.begins == bindparam(begins),
        )
        .scalar_subquery()
    )


USED = (
    _sum_of_use(recipient_use.c.requests, Span.MINUTE, "minute"),
    _sum_of_use(recipient_use.c.bytes, Span.DAY, "day"),
)
"""Columns for `usage_from_row`, in a statement with parameters `code`, `minute` and `day`."""


def usage_values(at: datetime) -> dict[str, int]:
    """Return the parameters of `USED`: the minute and the UTC day of an instant."""
    return {"minute": micros(at) // MINUTE_MICROS, "day": micros(at) // DAY_MICROS}


def usage_from_row(row: tuple[Any, ...]) -> Usage:
    """Return the usage from the columns `USED`. PostgreSQL returns sums as decimal numbers."""
    requests, size = row
    return Usage(requests=int(requests), bytes=int(size))


def count_use(transaction: Transaction, recipient: MemberCode, size: int, *, at: datetime) -> None:
    """Count one request and the bytes that it recorded. Call this last in a transaction."""
    values = {"recipient": recipient, "slot": secrets.randbelow(SLOTS), "more": size + ROW_BYTES}
    transaction.execute(_USE, {**values, **usage_values(at)})


def count_inquiry(transaction: Transaction, recipient: MemberCode, *, at: datetime) -> int:
    """Count a request that decides nothing; return the number of such requests in this minute."""
    values = {"recipient": recipient, "minute": usage_values(at)["minute"]}
    transaction.execute(_INQUIRE, {**values, "slot": secrets.randbelow(SLOTS)})
    (inquiries,) = transaction.fetch_one(_INQUIRIES, values) or (0,)
    return int(inquiries)


_FORGET = delete(recipient_use).where(
    tuple_(*_KEY).in_(
        select(*_KEY)
        .where(
            or_(
                (recipient_use.c.span == Span.DAY.value)
                & (recipient_use.c.begins < bindparam("day")),
                (recipient_use.c.span != Span.DAY.value)
                & (recipient_use.c.begins < bindparam("minute")),
            )
        )
        .limit(bindparam("rows"))
    )
)


def forget_use(transaction: Transaction, rows: int, *, at: datetime) -> int:
    """Delete at most `rows` rows that no longer count; return how many were deleted."""
    now = usage_values(at)
    values = {"minute": now["minute"] - KEEP_MINUTES, "day": now["day"] - KEEP_DAYS, "rows": rows}
    return transaction.execute(_FORGET, values)
