"""ListConsents: a citizen sees the consents that the operator holds (Procedure, cl. 4)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.app.ports.subject import ConsentPosition, HeldConsentRow, SubjectConsent
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import Pin

PAGE_CONSENTS = 50
"""Number of consents on a page if the request names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentListRequest(SubjectRequest):
    """A request for a page of the citizen's consents."""

    after: ConsentPosition | None
    limit: int | None


class ListConsents(SubjectOperation[ConsentListRequest, object]):
    """Returns consents about the citizen, and those that the citizen gave for another person."""

    name = "ListConsents"
    request: ClassVar[type[ActRequest]] = ConsentListRequest
    reads_only = True

    def target(self, request: ConsentListRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "consents"

    def prepare(self, request: ConsentListRequest, facts: ActFacts) -> Decide[object]:
        """Read the committed record before the act is recorded."""
        rows, following = self._page(
            require_subject(facts), request.after, limit=request.limit or PAGE_CONSENTS
        )
        listed = [self._describe(row) for row in rows]
        content = self._services.documents.subject_consents(listed, following, at=facts.at)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)

    def _page(
        self, citizen: Pin, after: ConsentPosition | None, *, limit: int
    ) -> tuple[list[HeldConsentRow], ConsentPosition | None]:
        """Return a page, and the position of the next one if there are more."""
        found: list[HeldConsentRow] = []
        while len(found) <= limit:
            rows, after = self._services.record.consents(citizen, after, limit=limit + 1)
            found += rows
            if after is None:
                break
        page = found[:limit]
        return page, page[-1].position if len(found) > limit else None

    def _describe(self, row: HeldConsentRow) -> SubjectConsent:
        record, documents = self._services.record, self._services.documents
        document = record.document(row.recipient, row.digest)
        recipient = record.recipient(row.recipient)
        return SubjectConsent(
            row=row,
            recipient_name=recipient.name if recipient is not None else None,
            document=documents.stored_consent(document) if document is not None else None,
        )
