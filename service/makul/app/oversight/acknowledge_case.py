"""AcknowledgeCase: the data-protection body acknowledges a referred case (Procedure, cl. 12)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, OversightOperation
from makul.app.case_steps import case_done
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.oversight import CaseRights
from makul.domain.officers import OfficerRole
from makul.domain.oversight_cases import (
    CaseParty,
    CaseState,
    CaseStepKind,
    judge_acknowledgement,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementRequest(ActRequest):
    """A request to acknowledge a case."""

    case_id: UUID
    note: str | None


class AcknowledgeCase(OversightOperation[AcknowledgementRequest, CaseRights]):
    """Records that the data-protection body received a case."""

    name = "AcknowledgeCase"
    request: ClassVar[type[ActRequest]] = AcknowledgementRequest
    roles = frozenset({OfficerRole.PROTECTION_OFFICER})

    def target(self, request: AcknowledgementRequest) -> str:
        """Return the id of the case."""
        return str(request.case_id)

    def decide(
        self,
        request: AcknowledgementRequest,
        facts: ActFacts,  # noqa: ARG002 - the signature of all operations
        rights: CaseRights,
    ) -> ActDecision:
        """Acknowledge the case, if it was referred."""
        case = rights.case(request.case_id)
        reasons = judge_acknowledgement(case)
        if case is None or reasons:
            return refuse_act(reasons)
        return case_done(
            rights.set_case_state(
                case,
                CaseState.ACKNOWLEDGED,
                CaseStepKind.ACKNOWLEDGED,
                CaseParty.PROTECTION_BODY,
                request.note or "",
            )
        )
