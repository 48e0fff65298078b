"""TerminateAgreement: two officers of the authorised body end an agreement (Procedure, cl. 12)."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.domain.agreements import Agreement
from makul.domain.cut_off_rules import TerminationCase, judge_termination
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.officers import AUTHORISED_BODY, Officer

PROPOSED = "PROPOSED"
TERMINATED = "TERMINATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminationRequest(ActRequest):
    """A request to terminate an agreement."""

    agreement_number: AgreementNumber
    justification: str


class AgreementRights(Protocol):
    """The rows of an agreement, locked against decisions under it."""

    def agreement(self, number: AgreementNumber) -> Agreement | None:
        """Return an agreement; None if there is none."""

    def termination_proposal(self, number: AgreementNumber) -> Officer | None:
        """Return the officer who proposed the termination; None if nobody in office did."""

    def propose_termination(self, number: AgreementNumber, officer: Officer) -> None:
        """Record that this officer proposes the termination."""

    def terminate_agreement(self, number: AgreementNumber) -> None:
        """Terminate an agreement from this commit on; this cannot be undone."""


class TerminateAgreement(OversightOperation[TerminationRequest, AgreementRights]):
    """Proposes a termination, or carries out the one that another officer proposed."""

    name = "TerminateAgreement"
    request: ClassVar[type[ActRequest]] = TerminationRequest
    roles = AUTHORISED_BODY

    def target(self, request: TerminationRequest) -> str:
        """Return the number of the agreement."""
        return request.agreement_number

    def recipient_to_lock(self, request: TerminationRequest) -> MemberCode | None:
        """Return the recipient of the agreement, whose running decisions end before the act."""
        return self._services.register.agreement_owner(request.agreement_number)

    def decide(
        self, request: TerminationRequest, facts: ActFacts, rights: AgreementRights
    ) -> ActDecision:
        """Propose or carry out the termination."""
        number, officer = request.agreement_number, require_officer(facts)
        proposed_by = rights.termination_proposal(number)
        reasons = judge_termination(
            TerminationCase(
                officer=officer,
                agreement=rights.agreement(number),
                proposed_by=proposed_by,
            )
        )
        if reasons:
            return refuse_act(reasons)
        if proposed_by is None:
            rights.propose_termination(number, officer)
            return ActDecision(outcome=Outcome.DONE, results={"terminationState": PROPOSED})
        rights.terminate_agreement(number)
        return ActDecision(outcome=Outcome.DONE, results={"terminationState": TERMINATED})
