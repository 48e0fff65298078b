"""Reads of issued months: their states, documents and contested lines (Procedure, cl. 11)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import (
    Contest,
    ContestedLine,
    ContestException,
    IssuedMonth,
    LineAnswer,
    MonthState,
)
from makul.domain.months import Month, parse_month
from makul.language.translation import translate
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import CodecError, instant, only, pack, unpack
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.registry_tables import (
    contested_answer,
    contested_line,
    month_document,
    monthly_statement,
)

_STATEMENT = select(
    monthly_statement.c.recipient,
    monthly_statement.c.month,
    monthly_statement.c.state,
    monthly_statement.c.head,
    monthly_statement.c.content,
    monthly_statement.c.issued_at,
    monthly_statement.c.confirm_by,
    monthly_statement.c.confirmation,
).order_by(monthly_statement.c.month, monthly_statement.c.recipient)
_OF_MONTH = _STATEMENT.where(monthly_statement.c.month == bindparam("month"))
_ONE = _OF_MONTH.where(monthly_statement.c.recipient == bindparam("recipient"))


class _StatementRow(NamedTuple):
    recipient: str
    month: str
    state: str
    head: bytes
    content: bytes
    issued_at: int
    confirm_by: int
    confirmation: bytes | None


_read_statement = build_row_reader(_STATEMENT, _StatementRow)

DOCUMENT = select(month_document.c.sealed).where(month_document.c.digest == bindparam("digest"))
_LINES = (
    select(
        contested_line.c.disclosure_id,
        contested_line.c.sealed,
        contested_line.c.contested_at,
        contested_answer.c.answer,
        contested_answer.c.sealed.label("answer_sealed"),
    )
    .select_from(
        contested_line.outerjoin(
            contested_answer,
            (contested_answer.c.recipient == contested_line.c.recipient)
            & (contested_answer.c.month == contested_line.c.month)
            & (contested_answer.c.disclosure_id == contested_line.c.disclosure_id),
        )
    )
    .where(
        contested_line.c.recipient == bindparam("recipient"),
        contested_line.c.month == bindparam("month"),
    )
    .order_by(contested_line.c.contested_at, contested_line.c.disclosure_id)
)


def list_issued(
    source: Database | Transaction, month: Month | None, recipient: MemberCode | None = None
) -> Sequence[IssuedMonth]:
    """Return issued months, by month and recipient; only those of a month or recipient if given."""
    if month is None:
        rows = source.fetch_all(_STATEMENT, {})
    elif recipient is None:
        rows = source.fetch_all(_OF_MONTH, {"month": str(month)})
    else:
        rows = source.fetch_all(_ONE, {"month": str(month), "recipient": recipient})
    return [_issued_from_row(row) for row in rows if recipient in (None, row[0])]


def list_contested(
    source: Database | Transaction, cipher: FieldCipher, recipient: MemberCode, month: Month
) -> Sequence[ContestedLine]:
    """Return the contested lines of a month with the operator's answers, the earliest first."""
    rows = source.fetch_all(_LINES, {"recipient": recipient, "month": str(month)})
    return [_line_from_row(cipher, recipient, month, row) for row in rows]


def read_document(
    source: Database | Transaction, cipher: FieldCipher, digest: bytes
) -> bytes | None:
    """Return a statement as a party signed it; None if it is not stored."""
    row = source.fetch_one(DOCUMENT, {"digest": digest})
    if row is None:
        return None
    header, parts = unpack(cipher.decrypt(row[0], _document_associated_data(digest)))
    if only(header, "v")["v"] != 1 or len(parts) != 2:
        raise CodecError(translate("a stored statement cannot be read"))
    return parts[0]


def encrypt_document(cipher: FieldCipher, digest: bytes, document: bytes, report: bytes) -> bytes:
    """Return the encrypted part of a row of `month_document`."""
    return cipher.encrypt(pack({"v": 1}, [document, report]), _document_associated_data(digest))


def encrypt_contest(cipher: FieldCipher, key: Mapping[str, object], contest: Contest) -> bytes:
    """Return the encrypted part of a row of `contested_line`.

    It is the reason alone, unless there is an exception or a receipt. The other form begins with a
    zero byte, which no text of XML contains.
    """
    if contest.exception is None and contest.receipt is None:
        return cipher.encrypt(contest.reason.encode(), _contest_associated_data(key))
    header = {"v": 1, "reason": contest.reason, "exception": contest.exception}
    parts = [] if contest.receipt is None else [contest.receipt]
    return cipher.encrypt(pack(header, parts), _contest_associated_data(key))


def _read_contest(disclosure_id: UUID, plain: bytes) -> Contest:
    """Return what `encrypt_contest` encrypted. Raises `CodecError`."""
    if not plain.startswith(b"\0"):
        return Contest(disclosure_id=disclosure_id, reason=plain.decode())
    header, parts = unpack(plain)
    only(header, "v", "reason", "exception")
    reason, exception = header["reason"], header["exception"]
    known = exception is None or exception in set(ContestException)
    if header["v"] != 1 or not isinstance(reason, str) or len(parts) > 1 or not known:
        raise CodecError(translate("a contested line cannot be read"))
    return Contest(
        disclosure_id=disclosure_id,
        reason=reason,
        exception=None if exception is None else ContestException(str(exception)),
        receipt=parts[0] if parts else None,
    )


def encrypt_answer(cipher: FieldCipher, key: Mapping[str, object], reason: str) -> bytes:
    """Return the encrypted reason of a row of `contested_answer`."""
    return cipher.encrypt(reason.encode(), _answer_associated_data(key))


def _issued_from_row(row: Row) -> IssuedMonth:
    issued = _read_statement(row)
    try:
        return IssuedMonth(
            recipient=MemberCode(issued.recipient),
            month=parse_month(issued.month),
            state=MonthState(issued.state),
            head=issued.head,
            content=issued.content,
            issued_at=instant(issued.issued_at),
            confirm_by=instant(issued.confirm_by),
            confirmation=issued.confirmation,
        )
    except ValueError:
        raise CodecError(translate("an issued month cannot be read")) from None


def _line_from_row(
    cipher: FieldCipher, recipient: MemberCode, month: Month, row: Row
) -> ContestedLine:
    disclosure_id, sealed, contested_at, answer, answer_sealed = row
    key = {"recipient": recipient, "month": str(month), "disclosure_id": disclosure_id}
    answer_reason = None
    if answer_sealed is not None:
        answer_reason = cipher.decrypt(answer_sealed, _answer_associated_data(key)).decode()
    plain = cipher.decrypt(sealed, _contest_associated_data(key))
    contest = _read_contest(UUID(bytes=disclosure_id), plain)
    return ContestedLine(
        disclosure_id=contest.disclosure_id,
        reason=contest.reason,
        exception=contest.exception,
        receipt=contest.receipt,
        contested_at=instant(contested_at),
        answer=LineAnswer(answer) if answer is not None else None,
        answer_reason=answer_reason,
    )


def _document_associated_data(digest: bytes) -> bytes:
    return field_associated_data("month_document", "sealed", digest)


def _contest_associated_data(key: Mapping[str, object]) -> bytes:
    return field_associated_data("contested_line", "sealed", *_key_parts(key))


def _answer_associated_data(key: Mapping[str, object]) -> bytes:
    return field_associated_data("contested_answer", "sealed", *_key_parts(key))


def _key_parts(key: Mapping[str, object]) -> Iterator[bytes]:
    for name in ("recipient", "month", "disclosure_id"):
        part = key[name]
        yield part if isinstance(part, bytes) else str(part).encode()
