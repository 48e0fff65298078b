"""The decisions of a recipient, line by line, without data of a person (Procedure, cl. 11).

Only columns in clear are read: the encrypted part of a decision names its subject.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, bindparam, select, tuple_

from makul.app.ports.oversight import DecisionLine
from makul.domain.identifiers import MemberCode
from makul.domain.months import Period
from makul.store.db.base import Database, Row
from makul.store.db.codecs import codes_from_text, instant, micros, names_from_text
from makul.store.db.rows import build_row_reader
from makul.store.schema.record_tables import disclosure

_BEFORE_ALL = b"\xff" * 16
"""Sorts after every id: with the microsecond before a period, the next row is its first one."""

_OWN_IN_PERIOD = (
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.decided_at >= bindparam("begins", type_=BigInteger),
    disclosure.c.decided_at < bindparam("ends", type_=BigInteger),
)
_AFTER = select(disclosure.c.decided_at).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id"), *_OWN_IN_PERIOD
)
_LINES = (
    select(
        disclosure.c.disclosure_id,
        disclosure.c.request_id,
        disclosure.c.decided_at,
        disclosure.c.operation,
        disclosure.c.outcome,
        disclosure.c.reasons,
        disclosure.c.released,
        disclosure.c.purpose,
        disclosure.c.agreement_number,
        disclosure.c.ground_kind,
        disclosure.c.ground_digest,
    )
    .where(
        *_OWN_IN_PERIOD,
        tuple_(bindparam("at", type_=BigInteger), bindparam("id", type_=LargeBinary))
        < tuple_(disclosure.c.decided_at, disclosure.c.disclosure_id),
        disclosure.c.decided_at >= bindparam("at", type_=BigInteger),
    )
    .order_by(disclosure.c.decided_at, disclosure.c.disclosure_id)
    .limit(bindparam("limit"))
)


class _LineRow(NamedTuple):
    disclosure_id: bytes
    request_id: bytes
    decided_at: int
    operation: str
    outcome: str
    reasons: str
    released: str
    purpose: str | None
    agreement_number: str | None
    ground_kind: str | None
    ground_digest: bytes | None


_read_line = build_row_reader(_LINES, _LineRow)


def list_lines(
    database: Database, recipient: MemberCode, period: Period, after: UUID | None, limit: int
) -> Sequence[DecisionLine] | None:
    """Return a page of decisions, the earliest first.

    `after` is the last decision of the page before. Return None if it is no decision of this
    recipient in this period.
    """
    values: dict[str, object] = {
        "recipient": recipient,
        "begins": micros(period.begins),
        "ends": micros(period.ends),
    }
    at, last = micros(period.begins) - 1, _BEFORE_ALL
    if after is not None:
        row = database.fetch_one(_AFTER, {**values, "disclosure_id": after.bytes})
        if row is None:
            return None
        at, last = row[0], after.bytes
    rows = database.fetch_all(_LINES, {**values, "at": at, "id": last, "limit": limit})
    return [_line_from_row(row) for row in rows]


def _line_from_row(row: Row) -> DecisionLine:
    found = _read_line(row)
    return DecisionLine(
        disclosure_id=UUID(bytes=found.disclosure_id),
        request_id=UUID(bytes=found.request_id),
        decided_at=instant(found.decided_at),
        operation=found.operation,
        outcome=found.outcome,
        codes=codes_from_text(found.reasons),
        attributes=names_from_text(found.released),
        purpose=found.purpose,
        agreement_number=found.agreement_number,
        ground_kind=found.ground_kind,
        ground_digest=found.ground_digest,
    )
