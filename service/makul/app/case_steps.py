"""Steps that the operations about cases share (Procedure, cl. 12)."""

from uuid import UUID

from makul.app.ports.acts import ActDecision, ActRegister
from makul.domain.disclosures import Outcome
from makul.domain.officers import Officer
from makul.domain.oversight_cases import OversightCase


def find_visible_case(
    register: ActRegister, case_id: UUID, officer: Officer
) -> OversightCase | None:
    """Return a case that the officer may know of; None for any other id."""
    case = register.case(case_id)
    return case if case is not None and case.is_visible_to(officer.role) else None


def case_done(case: OversightCase) -> ActDecision:
    """Return the decision that an act on a case was done, with the state after it."""
    return ActDecision(
        outcome=Outcome.DONE,
        results={"caseId": str(case.case_id), "caseState": case.state.value},
    )
