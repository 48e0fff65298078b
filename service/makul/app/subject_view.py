"""What a subject sees of the record: every decision about them, except while it is hidden.

Hidden decisions are left out before anything is counted or divided into pages, so that no answer
depends on them (docs/architecture.md, invariant 14).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from makul.app.ports import Documents
from makul.app.ports.subject import (
    DecisionSelection,
    PagePosition,
    SubjectDecision,
    SubjectEntry,
    SubjectRecord,
)
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.recipients import Recipient
from makul.domain.subject_visibility import (
    DecisionInView,
    Hiding,
    find_visible_from,
    may_invoke_secrecy,
)

if TYPE_CHECKING:
    from makul.app.acts import SubjectServices

READ_AT_ONCE = 200
"""Rows that are read from the store at once."""


@dataclass(frozen=True, slots=True)
class _KnownRecipient:
    recipient: Recipient | None
    may_hide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """The record about one subject at one time."""

    record: SubjectRecord
    documents: Documents
    subject: Pin
    at: datetime
    hidden_at_most: timedelta
    _recipients: dict[MemberCode, _KnownRecipient] = field(default_factory=dict)

    @classmethod
    def of(cls, services: "SubjectServices", subject: Pin, *, at: datetime) -> "SubjectView":
        """Return the view of a citizen with the services of an operation."""
        return cls(
            record=services.record,
            documents=services.documents,
            subject=subject,
            at=at,
            hidden_at_most=services.hidden_at_most,
        )

    def page(
        self, selection: DecisionSelection, *, limit: int
    ) -> tuple[Sequence[SubjectEntry], PagePosition | None]:
        """Return visible decisions, latest first, and the position of the next page, if any."""
        found: list[SubjectDecision] = []
        for decision in self.visible(selection):
            if len(found) == limit:
                return [self._entry(each) for each in found], found[-1].position
            found.append(decision)
        return [self._entry(each) for each in found], None

    def visible(self, selection: DecisionSelection) -> Iterator[SubjectDecision]:
        """Yield the visible decisions of a selection, latest first."""
        while True:
            rows = self.record.decisions(self.subject, selection, limit=READ_AT_ONCE)
            yield from (row for row in rows if self.is_visible(row))
            if len(rows) < READ_AT_ONCE:
                return
            selection = replace(selection, after=rows[-1].position)

    def is_visible(self, decision: SubjectDecision) -> bool:
        """Return whether the subject may see a decision now (Procedure, cl. 5.1)."""
        in_view = DecisionInView(
            operation=decision.operation,
            outcome=decision.outcome,
            codes=decision.codes,
            ground_kind=decision.ground_kind,
            decided_at=decision.decided_at,
            may_hide=self._know(decision.recipient).may_hide,
        )
        visible_from = find_visible_from(
            in_view, self._find_hiding(decision), hidden_at_most=self.hidden_at_most
        )
        return self.at >= visible_from

    def _find_hiding(self, decision: SubjectDecision) -> Hiding | None:
        """Return what the record states of hiding, or the stored statement of an older record."""
        if decision.hiding is not None or decision.ground_kind != GroundKind.BASIS:
            return decision.hiding
        if decision.ground_digest is None:
            return None
        document = self.record.basis_document(decision.recipient, decision.ground_digest)
        statement = self.documents.stored_basis(document) if document is not None else None
        if statement is None:
            return None
        return Hiding(statement.hiding_end(self.hidden_at_most))

    def _know(self, code: MemberCode) -> _KnownRecipient:
        known = self._recipients.get(code)
        if known is None:
            recipient = self.record.recipient(code)
            agreements = self.record.agreements_of(code)
            known = self._recipients[code] = _KnownRecipient(
                recipient,
                recipient is not None and may_invoke_secrecy(recipient.kind, agreements),
            )
        return known

    def _entry(self, decision: SubjectDecision) -> SubjectEntry:
        recipient = self._know(decision.recipient).recipient
        return SubjectEntry(
            decision=decision,
            recipient_name=recipient.name if recipient is not None else None,
            repetitions=self.record.repetitions(decision.disclosure_id),
        )
