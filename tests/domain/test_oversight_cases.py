"""The rules of cases: who may do what in which state, and what proposes a case (cl. 12)."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from makul.domain.cases import CasePeriod, CaseScope
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.domain.officers import OfficerRole
from makul.domain.oversight_cases import (
    CaseChoice,
    CaseState,
    EvidenceFile,
    OversightCase,
    judge_acknowledgement,
    judge_choice,
    judge_referral,
    period_of_days,
    propose_from_month,
)
from makul.domain.reasons import Code, Reason

BANK = MemberCode("COM/60000001")
EVIDENCE = EvidenceFile(digest=b"e" * 32, size=1, part_digests=(b"p" * 32,))
UNKNOWN, STATE = ((Reason(code=code, field="caseId"),) for code in (Code.OVR_06, Code.OVR_02))


def a_case(state: CaseState, *, evidence: EvidenceFile | None = EVIDENCE) -> OversightCase:
    return OversightCase(
        case_id=UUID(int=1),
        recipient=BANK,
        period=CasePeriod(date(2026, 10, 1), date(2026, 11, 1)),
        scope=CaseScope.EXCEPTIONS,
        state=state,
        changed_at=datetime(2026, 11, 2, tzinfo=UTC),
        evidence=evidence,
    )


@pytest.mark.parametrize("state", CaseState)
def test_each_act_has_its_states(state: CaseState) -> None:
    """A table of every act in every state; what is not named is OVR-02."""
    allowed = {
        "open": {CaseState.PROPOSED},
        "dismiss": {CaseState.PROPOSED, CaseState.OPEN},
        "refer": {CaseState.OPEN},
    }
    case = a_case(state)
    judged = {
        "open": judge_choice(case, CaseChoice.OPEN),
        "dismiss": judge_choice(case, CaseChoice.DISMISS),
        "refer": judge_referral(case),
    }

    for act, reasons in judged.items():
        assert reasons == (() if state in allowed[act] else STATE), act


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (CaseState.PROPOSED, UNKNOWN),
        (CaseState.OPEN, UNKNOWN),
        (CaseState.DISMISSED, UNKNOWN),
        (CaseState.REFERRED, ()),
        (CaseState.ACKNOWLEDGED, STATE),
    ],
)
def test_a_case_is_the_data_protection_bodys_from_its_referral(
    state: CaseState, expected: tuple[Reason, ...]
) -> None:
    """An id that does not exist has the same answer before that."""
    assert judge_acknowledgement(a_case(state)) == expected
    visible = a_case(state).is_visible_to(OfficerRole.PROTECTION_OFFICER)
    assert visible is (expected != UNKNOWN)
    assert a_case(state).is_visible_to(OfficerRole.BODY_OFFICER)


def test_an_unknown_case_is_nobodys() -> None:
    """OVR-06 for every act."""
    for choice in CaseChoice:
        assert judge_choice(None, choice) == UNKNOWN
    assert judge_referral(None) == judge_acknowledgement(None) == UNKNOWN


def test_a_case_is_not_referred_without_evidence() -> None:
    """The materials are what is referred (cl. 12)."""
    reasons = judge_referral(a_case(CaseState.OPEN, evidence=None))

    assert reasons == (Reason(code=Code.OVR_02, field="evidence"),)


@pytest.mark.parametrize(
    ("exceptions", "reason"),
    [
        ((), None),
        ((("PAPER_TO_INSPECT", 9), ("TO_INSPECT", 1)), None),
        ((("NO_GROUND", 2), ("PAPER_TO_INSPECT", 9)), "2026-10: NO_GROUND 2"),
        ((("DENIED_BY_SUBJECT", 1),), "2026-10: DENIED_BY_SUBJECT 1"),
        ((("SUBJECT_SILENT", 5),), None),
        ((("NECESSITY_UNCONFIRMED", 3),), None),
    ],
)
def test_absent_consent_proposes_a_case(
    exceptions: tuple[tuple[str, int], ...], reason: str | None
) -> None:
    """Exceptions that only ask a person to look propose nothing."""
    proposal = propose_from_month(BANK, Month(2026, 10), exceptions)

    assert (proposal.reason if proposal is not None else None) == reason
    if proposal is not None:
        assert proposal.period == CasePeriod(date(2026, 10, 1), date(2026, 11, 1))


def test_the_last_day_belongs_to_a_period() -> None:
    """One day is a period; a last day before the first, or after the calendar, is none."""
    day = date(2026, 12, 31)
    assert period_of_days(day, day) == CasePeriod(day, date(2027, 1, 1))
    for first, last in ((day, date(2026, 12, 30)), (day, date.max)):
        with pytest.raises(ValueError, match="period"):
            period_of_days(first, last)
