"""ResolveCorrection: the authorised body decides on a report of wrong data (Procedure, cl. 14)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.correction_steps import correction_done
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.corrections import ResolutionRights
from makul.domain.corrections import (
    CorrectionOutcome,
    CorrectionState,
    ResolutionCase,
    judge_resolution,
)
from makul.domain.officers import AUTHORISED_BODY


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionRequest(ActRequest):
    """A decision on a report."""

    correction_id: UUID
    resolution: CorrectionOutcome
    justification: str


class ResolveCorrection(OversightOperation[ResolutionRequest, ResolutionRights]):
    """Confirms the value that the operator entered, or rejects the report.

    The port reads no value of a person: the operator enters the value before.
    """

    name = "ResolveCorrection"
    request: ClassVar[type[ActRequest]] = ResolutionRequest
    roles = AUTHORISED_BODY

    def target(self, request: ResolutionRequest) -> str:
        """Return the id of the correction."""
        return str(request.correction_id)

    def decide(
        self, request: ResolutionRequest, facts: ActFacts, rights: ResolutionRights
    ) -> ActDecision:
        """Resolve the report, and every other open report of the same value with it."""
        found, outcome = rights.correction(request.correction_id), request.resolution
        together = rights.examined_together(found) if found is not None else ()
        reasons = judge_resolution(
            ResolutionCase(
                correction=found,
                together=together,
                outcome=outcome,
                party=require_officer(facts).member,
            )
        )
        if reasons:
            return refuse_act(reasons)
        corrected = outcome is CorrectionOutcome.CORRECTED
        terms = self._services.correction_terms
        due = facts.at + terms.acknowledge_within if corrected else None
        rights.set_correction_state(together, CorrectionState(outcome.value), due)
        resolved = rights.correction(request.correction_id)
        if resolved is None:
            raise TypeError("a correction that was resolved can be read")
        return correction_done(self._services, resolved)
