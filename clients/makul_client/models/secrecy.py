"""The typed answers about secrecy: undertakings, incidents and deletions (cl. 15 and 16)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from makul_client.models.acts import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedUndertaking:
    """An undertaking that the service recorded, or ended."""

    undertaking_id: UUID
    ended_on: date | None
    """The last day of the work, if the undertaking was ended."""
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """What you know about an incident. Name no subject in the texts."""

    kind: str
    """DISCLOSURE, DISSEMINATION, PERSONAL_USE, UNAUTHORISED_TRANSFER or LOSS."""
    happened_from: datetime
    happened_to: datetime | None = None
    discovered_at: datetime
    disclosures: tuple[UUID, ...] = ()
    """The decisions whose data are concerned, as far as you know them."""
    affected: int
    """The number of decisions concerned: at least those that you name."""
    description: str
    measures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedIncident:
    """An incident that the operator recorded. It proposes a case to the authorised body."""

    incident_id: UUID
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDue:
    """Data that you must erase."""

    disclosure_id: UUID
    decided_at: datetime
    erase_by: datetime
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedDeletions:
    """Deletions that the operator recorded."""

    attested: int
    act: Act
