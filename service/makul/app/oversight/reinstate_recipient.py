"""ReinstateRecipient: two officers of the authorised body end a complete stop (cl. 12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.domain.cut_off_rules import ReinstatementCase, judge_reinstatement
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.officers import AUTHORISED_BODY, Officer
from makul.domain.oversight_cases import CaseState
from makul.domain.recipients import Recipient, RecipientState

PROPOSED = "PROPOSED"
REINSTATED = "REINSTATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinstatementRequest(ActRequest):
    """A request to end a complete stop."""

    recipient: MemberCode
    justification: str


class StoppedRecipientRights(Protocol):
    """The rows of a recipient that was stopped."""

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return a recipient; None if it is not registered."""

    def case_states(self, recipient: MemberCode) -> Sequence[CaseState]:
        """Return the states of all cases about a recipient."""

    def reinstatement_proposals(self, code: MemberCode) -> Sequence[Officer]:
        """Return the officers in office who proposed to end the stop that lasts now."""

    def propose_reinstatement(self, code: MemberCode, officer: Officer) -> None:
        """Record that this officer proposes the end of the stop."""

    def set_recipient_state(self, code: MemberCode, state: RecipientState) -> None:
        """Set a recipient's state from this commit on."""


class ReinstateRecipient(OversightOperation[ReinstatementRequest, StoppedRecipientRights]):
    """Proposes the end of a complete stop, or carries out what another officer proposed."""

    name = "ReinstateRecipient"
    request: ClassVar[type[ActRequest]] = ReinstatementRequest
    roles = AUTHORISED_BODY

    def target(self, request: ReinstatementRequest) -> str:
        """Return the code of the recipient."""
        return request.recipient

    def recipient_to_lock(self, request: ReinstatementRequest) -> MemberCode:
        """Return the recipient, so that no request sees two states of it."""
        return request.recipient

    def decide(
        self, request: ReinstatementRequest, facts: ActFacts, rights: StoppedRecipientRights
    ) -> ActDecision:
        """Propose the end of the stop, or end it."""
        code, officer = request.recipient, require_officer(facts)
        proposed_by = tuple(rights.reinstatement_proposals(code))
        reasons = judge_reinstatement(
            ReinstatementCase(
                officer=officer,
                recipient=rights.recipient(code),
                case_states=frozenset(rights.case_states(code)),
                proposed_by=proposed_by,
            )
        )
        if reasons:
            return refuse_act(reasons)
        if not proposed_by:
            rights.propose_reinstatement(code, officer)
            return ActDecision(outcome=Outcome.DONE, results={"reinstatementState": PROPOSED})
        rights.set_recipient_state(code, RecipientState.ACTIVE)
        return ActDecision(outcome=Outcome.DONE, results={"reinstatementState": REINSTATED})
