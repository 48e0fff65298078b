"""GetAgreementDraft: what the authorised body signs, or the list of drafts (Procedure, cl. 7)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, OversightOperation
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.agreements import AgreementState
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import AgreementNumber
from makul.domain.officers import AUTHORISED_BODY
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftQuery(ActRequest):
    """A request for one draft, or for the list of all."""

    agreement_number: AgreementNumber | None


class GetAgreementDraft(OversightOperation[DraftQuery, object]):
    """Returns the exact bytes of the newest draft with the parties that have signed it."""

    name = "GetAgreementDraft"
    request: ClassVar[type[ActRequest]] = DraftQuery
    roles = AUTHORISED_BODY
    reads_only = True

    def target(self, request: DraftQuery) -> str:
        """Return the number of the agreement, or that all drafts are read."""
        return request.agreement_number or "drafts"

    def prepare(self, request: DraftQuery, facts: ActFacts) -> Decide[object]:
        """Read the draft before the act is recorded."""
        del facts
        decision = self._read(request)
        return lambda _: decision

    def _read(self, request: DraftQuery) -> ActDecision:
        register, documents = self._services.register, self._services.signed_documents
        number = request.agreement_number
        if number is None:
            content = documents.pending_drafts(register.pending_drafts())
            return ActDecision(outcome=Outcome.DONE, content=content)
        known = register.agreement_state(number)
        if known is None:
            return refuse_act((Reason(code=Code.OVR_06, field="agreementNumber"),))
        drafts = register.pending_drafts(number)
        if known is not AgreementState.DRAFT or not drafts:
            return refuse_act((Reason(code=Code.OVR_02, field="agreementNumber"),))
        return ActDecision(
            outcome=Outcome.DONE,
            content=documents.pending_drafts(drafts),
            stated={"draftDigest": drafts[0].digest.hex()},
        )
