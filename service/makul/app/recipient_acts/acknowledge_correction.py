"""AcknowledgeCorrection: a recipient no longer uses a wrong value (Procedure, cl. 14)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.corrections import ResolutionRights
from makul.domain.corrections import judge_acknowledgement_of
from makul.domain.disclosures import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionAcknowledgement(ActRequest):
    """The acknowledgement of one correction."""

    correction_id: UUID


class AcknowledgeCorrection(RecipientOperation[CorrectionAcknowledgement, ResolutionRights]):
    """Records that the caller no longer uses the value that was corrected."""

    name = "AcknowledgeCorrection"
    request: ClassVar[type[ActRequest]] = CorrectionAcknowledgement

    def target(self, request: CorrectionAcknowledgement) -> str:
        """Return the id of the correction."""
        return str(request.correction_id)

    def decide(
        self, request: CorrectionAcknowledgement, facts: ActFacts, rights: ResolutionRights
    ) -> ActDecision:
        """Acknowledge, if the correction was named to the caller."""
        recall = rights.recall(request.correction_id, facts.caller.recipient)
        reasons = judge_acknowledgement_of(recall)
        if reasons or recall is None:
            return refuse_act(reasons)
        rights.acknowledge_correction(recall)
        content = self._services.documents.acknowledged(at=facts.at)
        return ActDecision(outcome=Outcome.DONE, content=content)
