"""ListDisclosures: a citizen sees who asked for data about them, and on what ground (cl. 4, 11)."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.app.ports.subject import DecisionSelection, PagePosition
from makul.app.subject_view import SubjectView
from makul.domain.disclosures import Outcome

PAGE_LINES = 50
"""Number of lines on a page if the request names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureListRequest(SubjectRequest):
    """A request for a page of the decisions about the citizen."""

    since: datetime | None
    until: datetime | None
    after: PagePosition | None
    limit: int | None


class ListOwnDisclosures(SubjectOperation[DisclosureListRequest, object]):
    """Returns every decision about the citizen that is not hidden, also refused ones."""

    name = "ListDisclosures"
    request: ClassVar[type[ActRequest]] = DisclosureListRequest
    reads_only = True

    def target(self, request: DisclosureListRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "disclosures"

    def prepare(self, request: DisclosureListRequest, facts: ActFacts) -> Decide[object]:
        """Read the committed record before the act is recorded."""
        view = SubjectView.of(self._services, require_subject(facts), at=facts.at)
        selection = DecisionSelection(since=request.since, until=request.until, after=request.after)
        entries, following = view.page(selection, limit=request.limit or PAGE_LINES)
        content = self._services.documents.subject_entries(entries, following)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)
