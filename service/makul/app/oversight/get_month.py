"""GetMonth: the state of a month and the statement of a recipient (Procedure, cl. 11)."""

from dataclasses import dataclass, replace
from typing import ClassVar

from makul.app.acts import ActRequest, OversightOperation
from makul.app.month_steps import read_month
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.domain.officers import OfficerRole


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRequest(ActRequest):
    """A request for the month of one recipient, or for the states of all."""

    month: Month
    recipient: MemberCode | None
    page: int | None


class GetMonth(OversightOperation[MonthRequest, object]):
    """Returns the statement of a recipient, or the state of the month of each recipient."""

    name = "GetMonth"
    request: ClassVar[type[ActRequest]] = MonthRequest
    roles = frozenset(OfficerRole)
    reads_only = True

    def target(self, request: MonthRequest) -> str:
        """Return the month."""
        return str(request.month)

    def prepare(self, request: MonthRequest, facts: ActFacts) -> Decide[object]:
        """Read the month before the act is recorded, because pages are large."""
        decision = self._read(request, facts)
        return lambda _: decision

    def _read(self, request: MonthRequest, facts: ActFacts) -> ActDecision:
        services = self._services
        register, documents = services.register, services.documents
        if request.recipient is None:
            states = (
                documents.month_status(issued, at=facts.at)
                for issued in register.issued_months(request.month)
            )
            return ActDecision(outcome=Outcome.DONE, content=b"".join(states))
        decision = read_month(services, request.recipient, request.month, request.page, at=facts.at)
        if decision.outcome is not Outcome.DONE:
            return decision
        (issued,) = register.issued_months(request.month, request.recipient)
        confirmation = (
            register.signed_document(issued.confirmation)
            if issued.confirmation is not None
            else None
        )
        if confirmation is None:
            return decision
        return replace(
            decision, content=decision.content + documents.encoded("confirmation", confirmation)
        )
