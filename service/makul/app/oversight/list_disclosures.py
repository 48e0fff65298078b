"""ListDisclosures: the decisions of a recipient, line by line (Procedure, cl. 11)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, OversightOperation
from makul.app.ports import RejectedError
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month, Period
from makul.domain.officers import OfficerRole
from makul.domain.oversight_cases import period_of_days
from makul.domain.reasons import Code, Reason

LINES_PER_PAGE = 1000
"""Number of lines in an answer: at most some 2 MB, as the other answers of this port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosuresRequest(ActRequest):
    """A request for the lines of a month, or from a first to a last day."""

    recipient: MemberCode
    month: Month | None
    first_day: date | None
    last_day: date | None
    after: UUID | None


class ListDisclosures(OversightOperation[DisclosuresRequest, object]):
    """Returns a page of a recipient's decisions, without data of a person.

    Decisions that are hidden from their subject (cl. 5.1) are listed: only the subject does not
    see them.
    """

    name = "ListDisclosures"
    request: ClassVar[type[ActRequest]] = DisclosuresRequest
    roles = frozenset(OfficerRole)
    reads_only = True

    def target(self, request: DisclosuresRequest) -> str:
        """Return the recipient."""
        return request.recipient

    def prepare(
        self,
        request: DisclosuresRequest,
        facts: ActFacts,  # noqa: ARG002 - the signature of all operations
    ) -> Decide[object]:
        """Read the page before the act is recorded. Raises `RejectedError` (REQ-01)."""
        decision = self._read(request, _period(request))
        return lambda _: decision

    def _read(self, request: DisclosuresRequest, period: Period) -> ActDecision:
        register = self._services.register
        if not register.is_recipient(request.recipient):
            return refuse_act((Reason(code=Code.OVR_06, field="recipient"),))
        lines = register.decision_lines(
            request.recipient, period, request.after, LINES_PER_PAGE + 1
        )
        if lines is None:
            return refuse_act((Reason(code=Code.OVR_06, field="after"),))
        page, more = lines[:LINES_PER_PAGE], len(lines) > LINES_PER_PAGE
        content = self._services.documents.decision_lines(page, more=more)
        return ActDecision(outcome=Outcome.DONE, content=content)


def _period(request: DisclosuresRequest) -> Period:
    if request.month is not None:
        return request.month
    if request.first_day is None or request.last_day is None:
        raise TypeError("the schema requires a month or two days")
    try:
        return period_of_days(request.first_day, request.last_day)
    except ValueError:
        reason = Reason(code=Code.REQ_01, field="lastDay")
        raise RejectedError(reason, request_id=request.request_id) from None
