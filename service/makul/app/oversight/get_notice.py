"""GetNotice: the texts that subjects read, with the approval to sign (Procedure, cl. 4)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, OversightOperation
from makul.app.ports import NoticeApproval
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.officers import AUTHORISED_BODY
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeQuery(ActRequest):
    """A request for one notice, or for the list of all."""

    ref: str | None


class GetNotice(OversightOperation[NoticeQuery, object]):
    """Returns the exact texts of a notice in three languages."""

    name = "GetNotice"
    request: ClassVar[type[ActRequest]] = NoticeQuery
    roles = AUTHORISED_BODY
    reads_only = True

    def target(self, request: NoticeQuery) -> str:
        """Return the number of the notice, or that all are read."""
        return request.ref or "notices"

    def prepare(self, request: NoticeQuery, facts: ActFacts) -> Decide[object]:
        """Read the notice before the act is recorded."""
        del facts
        decision = self._read(request)
        return lambda _: decision

    def _read(self, request: NoticeQuery) -> ActDecision:
        services = self._services
        notices = services.register.notices()
        if request.ref is None:
            content = services.signed_documents.listed_notices(notices)
            return ActDecision(outcome=Outcome.DONE, content=content)
        notice = next((each for each in notices if each.ref == request.ref), None)
        if notice is None:
            return refuse_act((Reason(code=Code.OVR_06, field="ref"),))
        body = services.authorised_body
        if body is None:
            return ActDecision(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_01),))
        approval = services.signed_documents.render_approval(
            NoticeApproval(authorised_body=body, ref=notice.ref, digests=notice.digests)
        )
        return ActDecision(
            outcome=Outcome.DONE,
            content=services.signed_documents.notice_to_approve(notice, approval),
        )
