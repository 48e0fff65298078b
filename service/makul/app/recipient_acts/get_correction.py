"""GetCorrection: what became of reports, and corrections of values once given (cl. 14)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionQuery(ActRequest):
    """A request for one correction, or for all of the caller."""

    correction_id: UUID | None


class GetCorrection(RecipientOperation[CorrectionQuery, object]):
    """Returns the caller's reports, and the corrections that are named to it. It gives no value."""

    name = "GetCorrection"
    request: ClassVar[type[ActRequest]] = CorrectionQuery
    reads_only = True

    def target(self, request: CorrectionQuery) -> str:
        """Return the id of the correction, or that all are read."""
        return str(request.correction_id) if request.correction_id is not None else "corrections"

    def prepare(self, request: CorrectionQuery, facts: ActFacts) -> Decide[object]:
        """Read the corrections before the act is recorded."""
        found = self._services.corrections.corrections_for(
            facts.caller.recipient, request.correction_id
        )
        if request.correction_id is not None and not found:
            unknown = (Reason(code=Code.OVR_06, field="correctionId"),)
            return lambda _: refuse_act(unknown)
        content = self._services.documents.corrections(found, at=facts.at)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)
