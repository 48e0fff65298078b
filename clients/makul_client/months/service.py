"""The operations of a recipient's month: read the statement, confirm the month, or contest it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from makul_client._internal.exchange import Exchange
from makul_client._internal.request_sender import Context
from makul_client.models.acts import Act
from makul_client.models.months import (
    ContestedItem,
    IssuedStatement,
    MonthAct,
    MonthlyStatement,
    MonthStatus,
)
from makul_client.months.answers import (
    read_issued,
    read_page_bytes,
    read_status,
    unsuitable_month,
)

UNREPORTED: Final = "UNREPORTED_BY_RECIPIENT"
"""The exception of a contested line without a receipt (recipient.xsd)."""


class MonthService:
    """The service, as far as a recipient's month needs it."""

    def __init__(self, exchange: Exchange, recipient: str) -> None:
        self._exchange = exchange
        self._recipient = recipient

    def issued(self, month: str, *, context: Context) -> IssuedStatement:
        """Return the verified head of a month with its state. Raises `StatementError`."""

        def read(answer: Any, act: Act) -> IssuedStatement:
            status = self._status(answer, month)
            return read_issued(
                answer, act, status, self._exchange.receipts, at=self._exchange.clock()
            )

        return self._exchange.carry_out("GetMonthlyStatement", {"month": month}, context, read)

    def page(self, month: str, number: int, *, context: Context) -> bytes:
        """Return the bytes of a page, which the caller compares with the head.

        Raises `StatementError` if the service has no such page.
        """
        fields = {"month": month, "page": number}
        return self._exchange.carry_out(
            "GetMonthlyStatement",
            fields,
            context,
            lambda answer, _: read_page_bytes(answer, number),
        )

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
                raise unsuitable_month()
            return MonthAct(status=status, act=act)

        return self._exchange.carry_out("ConfirmMonth", {"month": month, **fields}, context, read)

    def _status(self, answer: Any, month: str) -> MonthStatus:
        """Return the state of the month. Raises `TransportError` for that of another one."""
        return read_status(answer.status, month=month, recipient=self._recipient)


def _contested_line(item: ContestedItem) -> dict[str, Any]:
    line = {"disclosureId": str(item.disclosure_id), "reason": item.reason}
    if item.receipt is not None:
        return {**line, "receipt": item.receipt}
    return {**line, "exception": UNREPORTED} if item.is_unreported else line
