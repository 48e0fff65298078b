"""ReferCase: the authorised body hands a case to the data-protection body (Procedure, cl. 12)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, OversightOperation
from makul.app.case_steps import case_done
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.oversight import CaseRights
from makul.domain.officers import AUTHORISED_BODY
from makul.domain.oversight_cases import CaseParty, CaseState, CaseStepKind, judge_referral


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRequest(ActRequest):
    """A request to refer a case."""

    case_id: UUID
    justification: str


class ReferCase(OversightOperation[ReferralRequest, CaseRights]):
    """Refers an open case with its evidence file, which never changes afterwards."""

    name = "ReferCase"
    request: ClassVar[type[ActRequest]] = ReferralRequest
    roles = AUTHORISED_BODY

    def target(self, request: ReferralRequest) -> str:
        """Return the id of the case."""
        return str(request.case_id)

    def decide(
        self,
        request: ReferralRequest,
        facts: ActFacts,  # noqa: ARG002 - the signature of all operations
        rights: CaseRights,
    ) -> ActDecision:
        """Refer the case, if it is open and has an evidence file."""
        case = rights.case(request.case_id)
        reasons = judge_referral(case)
        if case is None or reasons:
            return refuse_act(reasons)
        return case_done(
            rights.set_case_state(
                case,
                CaseState.REFERRED,
                CaseStepKind.REFERRED,
                CaseParty.AUTHORISED_BODY,
                request.justification,
            )
        )
