"""Incidents: leaks and misuse of data that a recipient reports about itself (Procedure, cl. 15)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from makul.domain.calendar import has_begun, legal_day
from makul.domain.identifiers import MemberCode
from makul.domain.oversight_cases import CaseParty, CaseProposal, period_of_days
from makul.domain.reasons import Code, Reason


class IncidentKind(StrEnum):
    """What happened, in the words of cl. 15; `LOSS` if nobody knows who has the data."""

    DISCLOSURE = "DISCLOSURE"
    DISSEMINATION = "DISSEMINATION"
    PERSONAL_USE = "PERSONAL_USE"
    UNAUTHORISED_TRANSFER = "UNAUTHORISED_TRANSFER"
    LOSS = "LOSS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as the recipient reports it."""

    kind: IncidentKind
    happened_from: datetime
    happened_to: datetime
    discovered_at: datetime
    disclosures: tuple[UUID, ...]
    """The decisions whose data are concerned, if they are known."""
    affected: int
    """The number of decisions concerned; at least that of those named."""
    description: str
    measures: str


def judge_incident(
    incident: Incident, own: Collection[UUID], *, at: datetime
) -> tuple[Reason, ...]:
    """Return why a report cannot be recorded; empty if it can.

    `own` are those of the named decisions that are the recipient's. A report never says whether
    another recipient has such a decision.
    """
    if not set(incident.disclosures) <= set(own):
        return (Reason(code=Code.OVR_06, field="disclosureId"),)
    wrong = {
        "affected": incident.affected < max(1, len(set(incident.disclosures))),
        "happenedTo": incident.happened_to < incident.happened_from,
        "discoveredAt": incident.discovered_at < incident.happened_from,
    }
    future = {
        "happenedTo": not has_begun(incident.happened_to, at=at),
        "discoveredAt": not has_begun(incident.discovered_at, at=at),
    }
    fields = [field for field in wrong if wrong[field] or future.get(field, False)]
    return tuple(Reason(code=Code.OVR_02, field=field) for field in fields)


def propose_from_incident(
    recipient: MemberCode, incident_id: UUID, incident: Incident
) -> tuple[CaseProposal, ...]:
    """Return the steps by which an incident proposes a case: the facts, and both texts.

    The authorised body reads them in the case. A text of the recipient may be as long as a step.
    """
    period = period_of_days(legal_day(incident.happened_from), legal_day(incident.happened_to))
    facts = f"Incident {incident_id}: {incident.kind} {incident.affected}"
    return tuple(
        CaseProposal(recipient=recipient, period=period, reason=text, party=CaseParty.RECIPIENT)
        for text in (facts, incident.description, incident.measures)
    )
