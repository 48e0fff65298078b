"""GetDisclosureReceipt: a citizen gets the operator's receipt of a decision (Procedure, cl. 11)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.app.subject_view import SubjectView
from makul.domain.disclosures import Outcome
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureReceiptRequest(SubjectRequest):
    """A request for the receipt of one decision."""

    disclosure_id: UUID


class GetDisclosureReceipt(SubjectOperation[DisclosureReceiptRequest, object]):
    """Returns a receipt of the citizen's own decision.

    An id of another person, a hidden one and an unknown one have the same answer.
    """

    name = "GetDisclosureReceipt"
    request: ClassVar[type[ActRequest]] = DisclosureReceiptRequest
    reads_only = True

    def target(self, request: DisclosureReceiptRequest) -> str:
        """Return the id of the decision."""
        return str(request.disclosure_id)

    def prepare(self, request: DisclosureReceiptRequest, facts: ActFacts) -> Decide[object]:
        """Read the receipt before the act is recorded."""
        citizen = require_subject(facts)
        view = SubjectView.of(self._services, citizen, at=facts.at)
        found = self._services.record.decision(citizen, request.disclosure_id)
        if found is None or not view.is_visible(found[0]):
            return lambda _: refuse_act((Reason(code=Code.OVR_06, field="disclosureId"),))
        content = self._services.documents.encoded("disclosureReceipt", found[1])
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)
