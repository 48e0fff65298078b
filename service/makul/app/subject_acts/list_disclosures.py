"""ListDisclosures: a citizen sees who asked for data about them, and on what ground (cl. 4, 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports import Caller, RejectedError
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.app.ports.subject import ConsentKey, DecisionSelection, PagePosition, SubjectEntry
from makul.app.subject_view import SubjectView
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code, Reason

PAGE_LINES = 50
"""Number of lines on a page if the request names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureListRequest(SubjectRequest):
    """A request for a page of the decisions about the citizen."""

    since: datetime | None
    until: datetime | None
    after: PagePosition | None
    limit: int | None
    recipient: MemberCode | None = None
    consent_id: UUID | None = None

    @property
    def consent(self) -> ConsentKey | None:
        """The consent whose decisions are wanted; None for all decisions about the citizen."""
        if self.recipient is None or self.consent_id is None:
            return None
        return ConsentKey(self.recipient, self.consent_id)


class ListOwnDisclosures(SubjectOperation[DisclosureListRequest, object]):
    """Returns every decision about the citizen that is not hidden, also refused ones."""

    name = "ListDisclosures"
    request: ClassVar[type[ActRequest]] = DisclosureListRequest
    reads_only = True

    def identify(self, request: DisclosureListRequest, caller: Caller) -> None:
        """Reject half a consent too (REQ-01): without it, the list would be of all decisions."""
        super().identify(request, caller)
        fields = {"recipient": request.recipient, "consentId": request.consent_id}
        missing = [name for name, value in fields.items() if value is None]
        if len(missing) == 1:
            reason = Reason(code=Code.REQ_01, field=missing[0])
            raise RejectedError(reason, request_id=request.request_id)

    def target(self, request: DisclosureListRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "disclosures"

    def prepare(self, request: DisclosureListRequest, facts: ActFacts) -> Decide[object]:
        """Read the committed record before the act is recorded."""
        subject = self._find_subject(request.consent, require_subject(facts))
        entries: Sequence[SubjectEntry] = ()
        following: PagePosition | None = None
        if subject is not None:
            view = SubjectView.of(self._services, subject, at=facts.at)
            selection = DecisionSelection(
                since=request.since,
                until=request.until,
                after=request.after,
                consent=request.consent,
            )
            entries, following = view.page(selection, limit=request.limit or PAGE_LINES)
        content = self._services.documents.subject_entries(entries, following)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)

    def _find_subject(self, consent: ConsentKey | None, citizen: Pin) -> Pin | None:
        """Return whose decisions are listed; None for a consent of others.

        A representative sees what was decided about the represented person on a consent that the
        representative gave, and nothing else about that person. A consent of others is answered
        like one on which nothing was decided.
        """
        if consent is None:
            return citizen
        own = self._services.record.own_consent(consent.recipient, consent.consent_id, citizen)
        return own.subject if own is not None else None
