"""The operations of a recipient's month: read the statement, confirm the month, or contest it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from makul_client._internal.exchange import Exchange
from makul_client._internal.request_sender import Context
from makul_client.errors import StatementError, StatementFlaw, TransportError
from makul_client.models.acts import Act
from makul_client.models.months import (
    AnsweredLine,
    ContestedItem,
    IssuedStatement,
    MonthAct,
    MonthlyStatement,
    MonthStatus,
)
from makul_client.months.statement_head import read_head
from makul_client.translation import translate

UNREPORTED: Final = "UNREPORTED_BY_RECIPIENT"
"""The exception of a contested line without a receipt (recipient.xsd)."""

STATES: Final = frozenset({"ISSUED", "CONFIRMED", "CONTESTED", "SIGNED"})
"""The states of an issued month."""


class MonthService:
    """The service, as far as a recipient's month needs it."""

    def __init__(self, exchange: Exchange, recipient: str) -> None:
        self._exchange = exchange
        self._recipient = recipient

    def issued(self, month: str, *, context: Context) -> IssuedStatement:
        """Return the verified head of a month with its state. Raises `StatementError`."""

        def read(answer: Any, act: Act) -> IssuedStatement:
            if answer.statement is None:
                raise StatementError(
                    StatementFlaw.OTHER, translate("{name} is missing", name="statement")
                )
            statement = read_head(
                answer.statement,
                self._exchange.receipts,
                month=month,
                recipient=self._recipient,
                at=self._exchange.clock(),
            )
            status = self._status(answer, month)
            if hashlib.sha256(statement.document).digest() != status.statement_digest:
                raise StatementError(
                    StatementFlaw.OTHER, translate("its digest is not that of the month")
                )
            return IssuedStatement(
                statement=statement,
                status=status,
                contested=tuple(map(_answered_line, answer.contestedLine)),
                act=act,
            )

        return self._exchange.carry_out("GetMonthlyStatement", {"month": month}, context, read)

    def page(self, month: str, number: int, *, context: Context) -> bytes:
        """Return the bytes of a page, which the caller compares with the head.

        Raises `StatementError` if the service has no such page.
        """

        def read(answer: Any, _: Act) -> bytes:
            if answer.page is None:
                raise StatementError(
                    StatementFlaw.MISSING, translate("page {number}", number=number)
                )
            content: bytes = answer.page
            return content

        fields = {"month": month, "page": number}
        return self._exchange.carry_out("GetMonthlyStatement", fields, context, read)

    def confirm(self, statement: MonthlyStatement, signed: bytes, *, context: Context) -> MonthAct:
        """Confirm a month by the statement that the recipient's signatory signed."""
        return self._act(statement.month, {"statement": signed}, "CONFIRMED", context)

    def contest(
        self, statement: MonthlyStatement, items: Sequence[ContestedItem], *, context: Context
    ) -> MonthAct:
        """Contest lines, and receipts that the statement does not have."""
        lines = [_contested_line(each) for each in items]
        return self._act(statement.month, {"contestedLine": lines}, "CONTESTED", context)

    def _act(self, month: str, fields: Mapping[str, Any], state: str, context: Context) -> MonthAct:
        def read(answer: Any, act: Act) -> MonthAct:
            status = self._status(answer, month)
            if status.state != state:
                raise _unsuitable()
            return MonthAct(status=status, act=act)

        return self._exchange.carry_out("ConfirmMonth", {"month": month, **fields}, context, read)

    def _status(self, answer: Any, month: str) -> MonthStatus:
        """Return the state of the month. Raises `TransportError` for that of another one."""
        found = answer.status
        if found is None or found.state not in STATES:
            raise _unsuitable()
        if (found.recipient, found.month) != (self._recipient, month):
            raise _unsuitable()
        return MonthStatus(
            recipient=found.recipient,
            month=found.month,
            state=found.state,
            issued_at=found.issuedAt,
            confirm_by=found.confirmBy,
            overdue=found.overdue,
            statement_digest=found.statementDigest,
        )


def _contested_line(item: ContestedItem) -> dict[str, Any]:
    line = {"disclosureId": str(item.disclosure_id), "reason": item.reason}
    if item.receipt is not None:
        return {**line, "receipt": item.receipt}
    return {**line, "exception": UNREPORTED} if item.is_unreported else line


def _answered_line(read: Any) -> AnsweredLine:
    return AnsweredLine(
        disclosure_id=UUID(read.disclosureId),
        reason=read.reason,
        contested_at=read.contestedAt,
        exception=read.exception,
        answer=read.answer,
        answer_reason=read.answerReason,
    )


def _unsuitable() -> TransportError:
    return TransportError(translate("the answer is not that of this month"), passing=False)
