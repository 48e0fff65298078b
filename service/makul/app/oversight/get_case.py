"""GetCase: the state and the steps of a case, or the list of cases (Procedure, cl. 12)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.case_steps import find_visible_case
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.officers import AUTHORISED_BODY, Officer, OfficerRole
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery(ActRequest):
    """A request for one case, or for all."""

    case_id: UUID | None


class GetCase(OversightOperation[CaseQuery, object]):
    """Returns a case with its steps, or the cases that the officer may know of."""

    name = "GetCase"
    request: ClassVar[type[ActRequest]] = CaseQuery
    roles = frozenset(OfficerRole)
    reads_only = True

    def target(self, request: CaseQuery) -> str:
        """Return the id of the case, or that all are read."""
        return str(request.case_id) if request.case_id is not None else "cases"

    def prepare(self, request: CaseQuery, facts: ActFacts) -> Decide[object]:
        """Read the case before the act is recorded."""
        decision = self._read(request, require_officer(facts))
        return lambda _: decision

    def _read(self, request: CaseQuery, officer: Officer) -> ActDecision:
        register, documents = self._services.register, self._services.documents
        if request.case_id is None:
            cases = register.cases(referred=officer.role not in AUTHORISED_BODY)
            return ActDecision(outcome=Outcome.DONE, content=documents.cases(cases))
        case = find_visible_case(register, request.case_id, officer)
        if case is None:
            return refuse_act((Reason(code=Code.OVR_06, field="caseId"),))
        steps = register.case_steps(case.case_id)
        return ActDecision(
            outcome=Outcome.DONE, content=documents.cases((case,)) + documents.case_steps(steps)
        )
