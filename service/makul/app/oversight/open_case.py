"""OpenCase: the authorised body opens a case, or decides on a proposed one (Procedure, cl. 12)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID, uuid4

from makul.app.acts import ActRequest, OversightOperation
from makul.app.case_steps import case_done
from makul.app.ports import RejectedError
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.app.ports.oversight import CaseRights
from makul.domain.cases import CasePeriod, CaseScope
from makul.domain.identifiers import MemberCode
from makul.domain.officers import AUTHORISED_BODY
from makul.domain.oversight_cases import (
    CaseChoice,
    CaseParty,
    CaseState,
    CaseStepKind,
    OversightCase,
    judge_choice,
    period_of_days,
)
from makul.domain.reasons import Code, Reason

_STEPS = {
    CaseChoice.OPEN: (CaseState.OPEN, CaseStepKind.OPENED),
    CaseChoice.DISMISS: (CaseState.DISMISSED, CaseStepKind.DISMISSED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningRequest(ActRequest):
    """A request to open a new case, or to decide on a case that exists.

    Either `case_id` and `choice` are present, or the four fields of a new case.
    """

    case_id: UUID | None
    choice: CaseChoice | None
    recipient: MemberCode | None
    first_day: date | None
    last_day: date | None
    scope: CaseScope | None
    justification: str


class OpenCase(OversightOperation[OpeningRequest, CaseRights]):
    """Opens a case about a recipient. An existing case is opened or dismissed."""

    name = "OpenCase"
    request: ClassVar[type[ActRequest]] = OpeningRequest
    roles = AUTHORISED_BODY

    def target(self, request: OpeningRequest) -> str:
        """Return the recipient, or the id of the case."""
        return str(request.recipient or request.case_id)

    def prepare(self, request: OpeningRequest, facts: ActFacts) -> Decide[CaseRights]:
        """Read the period before anything is locked. Raises `RejectedError` (REQ-01)."""
        period = _period(request)
        return lambda rights: self._decide(request, period, facts, rights)

    def _decide(
        self,
        request: OpeningRequest,
        period: CasePeriod | None,
        facts: ActFacts,
        rights: CaseRights,
    ) -> ActDecision:
        party, text = CaseParty.AUTHORISED_BODY, request.justification
        if request.case_id is not None and request.choice is not None:
            case = rights.case(request.case_id)
            reasons = judge_choice(case, request.choice)
            if case is None or reasons:
                return refuse_act(reasons)
            state, kind = _STEPS[request.choice]
            return case_done(rights.set_case_state(case, state, kind, party, text))
        if request.recipient is None or period is None or request.scope is None:
            raise TypeError("the schema requires one of the two forms")
        if rights.recipient(request.recipient) is None:
            return refuse_act((Reason(code=Code.OVR_06, field="recipient"),))
        new = OversightCase(
            case_id=uuid4(),
            recipient=request.recipient,
            period=period,
            scope=request.scope,
            state=CaseState.OPEN,
            changed_at=facts.at,
        )
        return case_done(rights.add_case(new, party, text))


def _period(request: OpeningRequest) -> CasePeriod | None:
    if request.first_day is None or request.last_day is None:
        return None
    try:
        return period_of_days(request.first_day, request.last_day)
    except ValueError:
        reason = Reason(code=Code.REQ_01, field="lastDay")
        raise RejectedError(reason, request_id=request.request_id) from None
