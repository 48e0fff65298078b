"""Recorded decisions, as operators list them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Select, bindparam, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from makul.app.ports import DisclosureRow
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.language.translation import translate
from makul.store.db.base import Database, Row
from makul.store.db.codecs import CodecError, codes_from_text, instant, micros, names_from_text
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher
from makul.store.records.private_fields import open_private
from makul.store.schema.ledger_tables import ledger_leaf
from makul.store.schema.record_tables import disclosure

MOST_ROWS = 10_000
"""Maximum number of disclosures listed at once. Each is decrypted, at about 10 µs a row."""

_DISCLOSURES = select(
    disclosure.c.disclosure_id,
    disclosure.c.request_id,
    disclosure.c.recipient,
    disclosure.c.operation,
    disclosure.c.outcome,
    disclosure.c.reasons,
    disclosure.c.released,
    disclosure.c.purpose,
    disclosure.c.agreement_number,
    disclosure.c.ground_kind,
    disclosure.c.ground_id,
    disclosure.c.decided_at,
    disclosure.c.sealed,
    ledger_leaf.c.leaf_hash,
).select_from(
    disclosure.join(ledger_leaf, ledger_leaf.c.disclosure_id == disclosure.c.disclosure_id)
)


class _Decision(NamedTuple):
    disclosure_id: bytes
    request_id: bytes
    recipient: str
    operation: str
    outcome: str
    reasons: str
    released: str
    purpose: str | None
    agreement_number: str | None
    ground_kind: str | None
    ground_id: bytes | None
    decided_at: int
    sealed: bytes
    leaf_hash: bytes


_read_row = build_row_reader(_DISCLOSURES, _Decision)
_ONE_DISCLOSURE = _DISCLOSURES.where(disclosure.c.disclosure_id == bindparam("disclosure_id"))


def _select_disclosures(*conditions: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    latest_first = (disclosure.c.decided_at.desc(), disclosure.c.disclosure_id.desc())
    return _DISCLOSURES.where(*conditions).order_by(*latest_first).limit(bindparam("limit"))


_OF_RECIPIENT = disclosure.c.recipient == bindparam("recipient")
_SINCE = disclosure.c.decided_at >= bindparam("since")
_LISTINGS = {
    (by_recipient, by_time): _select_disclosures(
        *([_OF_RECIPIENT] if by_recipient else []), *([_SINCE] if by_time else [])
    )
    for by_recipient, by_time in product((False, True), repeat=2)
}


PAGE_ROWS = 500
"""Number of decisions read at once for a month.

A page takes about 3 MB, for a month of any size.
"""

_PLACE = tuple_(disclosure.c.decided_at, disclosure.c.disclosure_id)
_BEFORE_ALL = b"\xff" * 16
"""Sorts after every id.

With the microsecond before a month as the time, the next row is the first of the month.
"""


def _page(*conditions: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    """Return the statement that reads the page after a time and id.

    The separate conditions on time let PostgreSQL skip the partitions of other months.
    """
    after = tuple_(bindparam("at", type_=BigInteger), bindparam("id", type_=LargeBinary))
    decided_at = disclosure.c.decided_at
    return (
        _DISCLOSURES.where(
            *conditions,
            after < _PLACE,
            decided_at >= bindparam("at", type_=BigInteger),
            decided_at < bindparam("ends"),
        )
        .order_by(decided_at, disclosure.c.disclosure_id)
        .limit(PAGE_ROWS)
    )


_PAGES = {False: _page(), True: _page(_OF_RECIPIENT)}


def latest(
    database: Database,
    cipher: FieldCipher,
    *,
    recipient: MemberCode | None,
    since: datetime | None,
    limit: int,
) -> Sequence[DisclosureRow]:
    """Return decisions, latest first, at most `limit` and at most `MOST_ROWS`."""
    statement = _LISTINGS[recipient is not None, since is not None]
    values = {
        "recipient": recipient,
        "since": micros(since) if since is not None else None,
        "limit": max(0, min(limit, MOST_ROWS)),
    }
    return [_disclosure_from_row(cipher, row) for row in database.fetch_all(statement, values)]


def of_month(
    database: Database, cipher: FieldCipher, month: Month, *, recipient: MemberCode | None
) -> Iterator[DisclosureRow]:
    """Yield a month's decisions, earliest first. Memory does not grow with their number.

    Decisions are read a page at a time. Each page is a separate statement that begins after the
    last row of the previous page, so no transaction stays open. All decisions of a past month are
    returned. For the current month, a page contains the decisions that were recorded when it was
    read.
    """
    statement = _PAGES[recipient is not None]
    values = {
        "recipient": recipient,
        "at": micros(month.begins) - 1,
        "id": _BEFORE_ALL,
        "ends": micros(month.ends),
    }
    while True:
        rows = database.fetch_all(statement, values)
        page = [_disclosure_from_row(cipher, row) for row in rows]
        yield from page
        if len(page) < PAGE_ROWS:
            return
        values |= {"at": micros(page[-1].decided_at), "id": page[-1].disclosure_id.bytes}


def read_disclosure(
    database: Database, cipher: FieldCipher, disclosure_id: UUID
) -> DisclosureRow | None:
    """Return one decision; None if it does not exist."""
    row = database.fetch_one(_ONE_DISCLOSURE, {"disclosure_id": disclosure_id.bytes})
    return _disclosure_from_row(cipher, row) if row is not None else None


def _disclosure_from_row(cipher: FieldCipher, row: Row) -> DisclosureRow:
    read = _read_row(row)
    try:
        return DisclosureRow(
            disclosure_id=UUID(bytes=read.disclosure_id),
            request_id=UUID(bytes=read.request_id),
            recipient=MemberCode(read.recipient),
            operation=Operation(read.operation),
            outcome=Outcome(read.outcome),
            codes=codes_from_text(read.reasons),
            released=names_from_text(read.released),
            purpose=read.purpose,
            agreement_number=read.agreement_number,
            subject=open_private(cipher, read.disclosure_id, read.sealed).subject,
            ground_kind=read.ground_kind,
            ground_id=UUID(bytes=read.ground_id) if read.ground_id is not None else None,
            decided_at=instant(read.decided_at),
            leaf_hash=read.leaf_hash,
        )
    except ValueError:
        raise CodecError(translate("a decision does not read back")) from None
