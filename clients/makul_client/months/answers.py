"""Read the answers about an issued month, which the receipt proved already. Both ports use it."""

import hashlib
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from makul_client.errors import StatementError, StatementFlaw, TransportError
from makul_client.models.acts import Act
from makul_client.models.months import AnsweredLine, IssuedStatement, MonthStatus
from makul_client.months.statement_head import read_head
from makul_client.receipts.verifier import ReceiptVerifier
from makul_client.translation import translate

STATES: Final = frozenset({"ISSUED", "CONFIRMED", "CONTESTED", "SIGNED"})
"""The states of an issued month."""


def read_issued(
    answer: Any, act: Act, status: MonthStatus, receipts: ReceiptVerifier, *, at: datetime
) -> IssuedStatement:
    """Return the verified head of a month with its state. Raises `StatementError`."""
    if answer.statement is None:
        raise StatementError(StatementFlaw.OTHER, translate("{name} is missing", name="statement"))
    statement = read_head(
        answer.statement, receipts, month=status.month, recipient=status.recipient, at=at
    )
    if hashlib.sha256(statement.document).digest() != status.statement_digest:
        raise StatementError(StatementFlaw.OTHER, translate("its digest is not that of the month"))
    return IssuedStatement(
        statement=statement,
        status=status,
        contested=tuple(map(_answered_line, answer.contestedLine)),
        act=act,
    )


def read_page_bytes(answer: Any, number: int) -> bytes:
    """Return the bytes of a page, not verified. Raises `StatementError` if there are none."""
    if answer.page is None:
        raise StatementError(StatementFlaw.MISSING, translate("page {number}", number=number))
    content: bytes = answer.page
    return content


def read_status(found: Any, *, month: str, recipient: str | None) -> MonthStatus:
    """Return the state of a month. Raises `TransportError` for that of another one."""
    if found is None or found.state not in STATES:
        raise unsuitable_month()
    if found.month != month or recipient not in (None, found.recipient):
        raise unsuitable_month()
    return MonthStatus(
        recipient=found.recipient,
        month=found.month,
        state=found.state,
        issued_at=found.issuedAt,
        confirm_by=found.confirmBy,
        overdue=found.overdue,
        statement_digest=found.statementDigest,
    )


def _answered_line(read: Any) -> AnsweredLine:
    return AnsweredLine(
        disclosure_id=UUID(read.disclosureId),
        reason=read.reason,
        contested_at=read.contestedAt,
        exception=read.exception,
        answer=read.answer,
        answer_reason=read.answerReason,
    )


def unsuitable_month() -> TransportError:
    """Return the error of an answer about another month, or in a state that was not asked for."""
    return TransportError(translate("the answer is not that of this month"), passing=False)
