"""CutOffRecipient: the authorised body stops a recipient completely (Procedure, cl. 12)."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, OversightOperation
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.domain.cut_off_rules import judge_cut_off
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.officers import AUTHORISED_BODY
from makul.domain.recipients import Recipient, RecipientState


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffRequest(ActRequest):
    """A request to stop a recipient."""

    recipient: MemberCode
    justification: str


class RecipientRights(Protocol):
    """The rows of a recipient, locked against its decisions."""

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return a recipient; None if it is not registered."""

    def set_recipient_state(self, code: MemberCode, state: RecipientState) -> None:
        """Set a recipient's state from this commit on."""


class CutOffRecipient(OversightOperation[CutOffRequest, RecipientRights]):
    """Stops a recipient for everything that is ordered after the commit, on any worker."""

    name = "CutOffRecipient"
    request: ClassVar[type[ActRequest]] = CutOffRequest
    roles = AUTHORISED_BODY

    def target(self, request: CutOffRequest) -> str:
        """Return the code of the recipient."""
        return request.recipient

    def recipient_to_lock(self, request: CutOffRequest) -> MemberCode:
        """Return the recipient, whose running decisions end before the act."""
        return request.recipient

    def decide(
        self,
        request: CutOffRequest,
        facts: ActFacts,  # noqa: ARG002 - the signature of all operations
        rights: RecipientRights,
    ) -> ActDecision:
        """Cut the recipient off, unless it is unknown or cut off already."""
        reasons = judge_cut_off(rights.recipient(request.recipient))
        if reasons:
            return refuse_act(reasons)
        rights.set_recipient_state(request.recipient, RecipientState.CUT_OFF)
        return ActDecision(
            outcome=Outcome.DONE, results={"recipientState": RecipientState.CUT_OFF.value}
        )
