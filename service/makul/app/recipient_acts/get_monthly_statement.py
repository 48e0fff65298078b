"""GetMonthlyStatement: a recipient reads the operator's statement of its month (cl. 11)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.month_steps import read_month
from makul.app.ports.acts import ActFacts, Decide
from makul.domain.months import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementQuery(ActRequest):
    """A request for the head of a statement, or for one of its pages."""

    month: Month
    page: int | None


class GetMonthlyStatement(RecipientOperation[StatementQuery, object]):
    """Returns the statement of the caller's own month, never of another recipient."""

    name = "GetMonthlyStatement"
    request: ClassVar[type[ActRequest]] = StatementQuery
    reads_only = True

    def target(self, request: StatementQuery) -> str:
        """Return the month."""
        return str(request.month)

    def prepare(self, request: StatementQuery, facts: ActFacts) -> Decide[object]:
        """Read the statement before the act is recorded, because pages are large."""
        decision = read_month(
            self._services, facts.caller.recipient, request.month, request.page, at=facts.at
        )
        return lambda _: decision
