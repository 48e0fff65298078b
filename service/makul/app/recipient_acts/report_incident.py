"""ReportIncident: a recipient reports a leak or a misuse of data (Procedure, cl. 15)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol
from uuid import UUID, uuid4

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.incidents import Incident, IncidentKind, judge_incident


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport(ActRequest):
    """What the recipient knows about the incident."""

    kind: IncidentKind
    happened_from: datetime
    happened_to: datetime | None
    discovered_at: datetime
    disclosure_id: Sequence[str] | None
    affected: int
    description: str
    measures: str


class IncidentRights(Protocol):
    """The rows of incidents, and of the cases that they propose."""

    def own_disclosures(self, recipient: MemberCode, ids: Collection[UUID]) -> frozenset[UUID]:
        """Return those ids that are decisions of this recipient."""

    def add_incident(self, recipient: MemberCode, incident_id: UUID, reported: Incident) -> UUID:
        """Record an incident, and propose a case for it; return the id of the case."""


class ReportIncident(RecipientOperation[IncidentReport, IncidentRights]):
    """Records an incident of the caller, and proposes a case about it to the authorised body."""

    name = "ReportIncident"
    request: ClassVar[type[ActRequest]] = IncidentReport

    def target(self, request: IncidentReport) -> str:
        """Return what happened, in one word."""
        return request.kind.value

    def decide(
        self, request: IncidentReport, facts: ActFacts, rights: IncidentRights
    ) -> ActDecision:
        """Require that the named decisions are the caller's, and record the incident."""
        recipient, reported = facts.caller.recipient, _incident(request)
        own = rights.own_disclosures(recipient, reported.disclosures)
        reasons = judge_incident(reported, own, at=facts.at)
        if reasons:
            return refuse_act(reasons)
        incident_id = uuid4()
        case_id = rights.add_incident(recipient, incident_id, reported)
        return ActDecision(
            outcome=Outcome.DONE,
            results={"incidentId": str(incident_id)},
            stated={"caseId": str(case_id)},
        )


def _incident(request: IncidentReport) -> Incident:
    begun = request.happened_from.astimezone(UTC)
    ended = request.happened_to.astimezone(UTC) if request.happened_to is not None else begun
    return Incident(
        kind=request.kind,
        happened_from=begun,
        happened_to=ended,
        discovered_at=request.discovered_at.astimezone(UTC),
        disclosures=tuple(dict.fromkeys(UUID(each) for each in request.disclosure_id or ())),
        affected=request.affected,
        description=request.description,
        measures=request.measures,
    )
