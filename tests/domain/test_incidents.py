"""Incidents that recipients report (Procedure, cl. 15)."""

from datetime import timedelta
from uuid import UUID

import pytest

from makul.domain.incidents import IncidentKind, judge_incident, propose_from_incident
from makul.domain.oversight_cases import CaseParty
from makul.domain.reasons import Code, Reason
from makul_testing.builders.records import BANK, NOON
from makul_testing.builders.secrecy import an_incident

OWN = UUID(int=1)
HOUR = timedelta(hours=1)


def test_the_kinds_are_the_words_of_clause_15() -> None:
    """Procedure, cl. 15: disclosure, dissemination, personal use, unauthorised transfer."""
    assert {*IncidentKind} - {IncidentKind.LOSS} == {
        "DISCLOSURE",
        "DISSEMINATION",
        "PERSONAL_USE",
        "UNAUTHORISED_TRANSFER",
    }


def test_a_report_about_own_data_is_recorded() -> None:
    """Procedure, cl. 15: with the decisions concerned, or with their number."""
    assert judge_incident(an_incident(), (), at=NOON) == ()
    assert judge_incident(an_incident(disclosures=(OWN,)), {OWN}, at=NOON) == ()


def test_a_report_says_nothing_about_others() -> None:
    """A decision of another recipient is an unknown one."""
    refused = (Reason(code=Code.OVR_06, field="disclosureId"),)

    assert judge_incident(an_incident(disclosures=(OWN,)), (), at=NOON) == refused


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"affected": 0}, "affected"),
        ({"affected": 1, "disclosures": (OWN, UUID(int=2))}, "affected"),
        ({"happened_to": NOON - 3 * HOUR}, "happenedTo"),
        ({"happened_to": NOON + HOUR}, "happenedTo"),
        ({"discovered_at": NOON - 3 * HOUR}, "discoveredAt"),
        ({"discovered_at": NOON + HOUR}, "discoveredAt"),
    ],
)
def test_what_cannot_have_happened(changes: dict[str, object], field: str) -> None:
    """The times and the number fit together, and nothing is in the future."""
    own = {OWN, UUID(int=2)}

    reasons = judge_incident(an_incident(**changes), own, at=NOON)

    assert reasons == (Reason(code=Code.OVR_02, field=field),)


def test_an_incident_proposes_a_case_with_both_texts() -> None:
    """Procedure, cl. 12: the authorised body reads in the case what the recipient reported."""
    incident = an_incident()

    facts, *texts = propose_from_incident(BANK, OWN, incident)

    assert (facts.recipient, facts.party) == (BANK, CaseParty.RECIPIENT)
    assert facts.period.begins <= incident.happened_from < facts.period.ends
    assert str(OWN) in facts.reason
    assert [each.reason for each in texts] == [incident.description, incident.measures]
