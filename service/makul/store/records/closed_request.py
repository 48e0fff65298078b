"""A closed request id, and what its stored answer released."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import AgreementNumber, PurposeCode
from makul.store.db.base import Transaction, Values
from makul.store.db.codecs import names_from_text
from makul.store.db.rows import build_row_reader
from makul.store.records.preconditions import StoredAnswerScope
from makul.store.schema.record_tables import CLOSED_BY, disclosure
from makul.store.schema.usage_tables import request_key

THIS_REQUEST = (
    request_key.c.recipient == bindparam("recipient"),
    request_key.c.space == bindparam("space"),
    request_key.c.request_id == bindparam("request_id"),
)
"""The conditions that select one closed request id."""

_CLOSED = (
    select(
        request_key.c.disclosure_id,
        request_key.c.decided_at,
        request_key.c.answer,
        request_key.c.answer_until,
        disclosure.c.sealed,
        disclosure.c.agreement_number,
        disclosure.c.purpose,
        disclosure.c.released,
        disclosure.c.ground_kind,
        disclosure.c.ground_id,
        disclosure.c.subject_index,
        disclosure.c.sealed_to,
    )
    .select_from(request_key.outerjoin(disclosure, CLOSED_BY))
    .where(*THIS_REQUEST)
)


class ClosedRequest(NamedTuple):
    """A closed request id with its decision, as columns of the database."""

    disclosure_id: bytes
    decided_at: int
    answer: bytes | None
    """The stored answer, encrypted; None after it was deleted."""
    answer_until: int | None
    sealed: bytes | None
    """The encrypted part of the decision.

    If the decision is missing, this and all columns below are None.
    """
    agreement_number: str | None
    purpose: str | None
    released: str
    ground_kind: str | None
    ground_id: bytes
    subject_index: bytes | None
    sealed_to: bytes | None


_read_closed = build_row_reader(_CLOSED, ClosedRequest)


def find_closed_request(transaction: Transaction, key: Values) -> ClosedRequest | None:
    """Return the decision that closed a request id; None if the id is open."""
    row = transaction.fetch_one(_CLOSED, key)
    return None if row is None else _read_closed(row)


def given_by(closed: ClosedRequest) -> StoredAnswerScope:
    """Return what the stored answer to a decision released."""
    number, purpose, kind = closed.agreement_number, closed.purpose, closed.ground_kind
    return StoredAnswerScope(
        agreement=AgreementNumber(number) if number is not None else None,
        purpose=PurposeCode(purpose) if purpose is not None else None,
        released=frozenset(names_from_text(closed.released)),
        ground=(GroundKind(kind), UUID(bytes=closed.ground_id)) if kind is not None else None,
        subject_index=closed.subject_index,
        sealed_to=closed.sealed_to,
    )
