"""Steps that the operations about corrections share (Procedure, cl. 14)."""

from dataclasses import dataclass
from uuid import uuid4

from makul.app.acts import ActServices
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.corrections import CorrectionReportRights
from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    Correction,
    CorrectionKind,
    CorrectionOrigin,
    CorrectionState,
    ReportCase,
    judge_report,
)
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedValue:
    """What a party reports about one value."""

    subject: Pin | None
    """The person; None if the party was not given the value."""
    origin: CorrectionOrigin
    attribute: Attribute
    kind: CorrectionKind
    justification: str
    proposed: str | None
    field: str
    """The element by which the party named the value."""


def report_value(
    services: ActServices, rights: CorrectionReportRights, facts: ActFacts, value: ReportedValue
) -> ActDecision:
    """Record a report with its deadlines, if the rule allows it."""
    reporter, terms = facts.caller.recipient, services.correction_terms
    subject, origin = value.subject, value.origin
    own_open = rights.own_open(subject, origin, reporter) if subject is not None else ()
    case = ReportCase(was_given=subject is not None, own_open=own_open, attribute=value.attribute)
    reasons = judge_report(case, value.field)
    if reasons or subject is None:
        return refuse_act(reasons)
    new = Correction(
        correction_id=uuid4(),
        attribute=value.attribute,
        kind=value.kind,
        origin=origin,
        reporter=reporter,
        state=CorrectionState.REPORTED,
        reported_at=facts.at,
        examine_by=facts.at + terms.examine_within,
        resolve_by=facts.at + terms.resolve_within,
        changed_at=facts.at,
    )
    rights.add_report(new, subject, value.justification, value.proposed)
    return correction_done(services, new)


def correction_done(services: ActServices, changed: Correction) -> ActDecision:
    """Return the decision that an act on a correction was done, with the state after it."""
    return ActDecision(
        outcome=Outcome.DONE,
        content=services.documents.correction_result(changed),
        stated={
            "correctionId": str(changed.correction_id),
            "correctionState": changed.state.value,
        },
    )
