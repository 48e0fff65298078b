"""The operator's work on corrections, with security events (Procedure, cl. 13 and 14)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul.app.ports.corrections import CorrectionDesk, CorrectionView, ReportForOperator
from makul.domain.corrections import Correction, CorrectionOutcome, CorrectionTerms
from makul.domain.identifiers import MemberCode
from makul.domain.persons import Person
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event


@dataclass(frozen=True, slots=True)
class AuditedCorrections:
    """`ports.corrections.CorrectionDesk` that reports what shows or changes a person's data."""

    desk: CorrectionDesk
    user: str
    """The system user who gave the command."""

    def everything(self, *, open_only: bool) -> Sequence[CorrectionView]:
        """Return all reports, which have no data of a person."""
        return self.desk.everything(open_only=open_only)

    def find(self, correction_id: UUID) -> CorrectionView | None:
        """Return a report, which has no data of a person."""
        return self.desk.find(correction_id)

    def read(self, correction_id: UUID, *, reason: str, at: datetime) -> ReportForOperator | None:
        """Return a report with its person, and report the access."""
        found = self.desk.read(correction_id, reason=reason, at=at)
        emit_security_event(Event.PERSON_SHOWN, user=self.user)
        return found

    def dispute(self, correction_id: UUID, *, reason: str, at: datetime) -> Correction:
        """Begin the examination."""
        return self.desk.dispute(correction_id, reason=reason, at=at)

    def enter(
        self,
        correction_id: UUID,
        change: Callable[[Person], Person],
        *,
        reason: str,
        at: datetime,
    ) -> Sequence[MemberCode]:
        """Enter a new value, and report it."""
        given = self.desk.enter(correction_id, change, reason=reason, at=at)
        emit_security_event(Event.PERSONS_CHANGED, user=self.user)
        return given

    def resolve(
        self,
        correction_id: UUID,
        outcome: CorrectionOutcome,
        terms: CorrectionTerms,
        *,
        operator: MemberCode,
        reason: str,
        at: datetime,
    ) -> Correction:
        """Confirm a value, or reject a report."""
        return self.desk.resolve(
            correction_id, outcome, terms, operator=operator, reason=reason, at=at
        )
