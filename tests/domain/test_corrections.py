"""Rules of corrections (Procedure, cl. 14)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    DEFAULT_TERMS,
    Correction,
    CorrectionKind,
    CorrectionOrigin,
    CorrectionOutcome,
    CorrectionState,
    Recall,
    RecordVersion,
    ReportCase,
    ResolutionCase,
    find_wrong_since,
    judge_acknowledgement_of,
    judge_dispute,
    judge_entry,
    judge_report,
    judge_resolution,
)
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Reason

AT = datetime(2026, 11, 12, 4, tzinfo=UTC)
BANK, BODY = MemberCode("COM/60000001"), MemberCode("GOV/70000002")

REPORTED = Correction(
    correction_id=UUID(int=1),
    attribute=Attribute.ADDRESS,
    kind=CorrectionKind.WRONG,
    origin=CorrectionOrigin.RECIPIENT,
    reporter=BANK,
    state=CorrectionState.REPORTED,
    reported_at=AT,
    examine_by=AT + DEFAULT_TERMS.examine_within,
    resolve_by=AT + DEFAULT_TERMS.resolve_within,
    changed_at=AT,
)
DISPUTED = replace(REPORTED, state=CorrectionState.DISPUTED)
ENTERED = replace(DISPUTED, entered_at=AT)
CORRECTED = replace(ENTERED, state=CorrectionState.CORRECTED, acknowledge_by=AT + timedelta(days=7))
REJECTED = replace(REPORTED, state=CorrectionState.REJECTED)


def codes(reasons: tuple[Reason, ...]) -> list[tuple[str, str | None]]:
    return [(each.code.value, each.field) for each in reasons]


@pytest.mark.parametrize(
    ("case", "refused"),
    [
        ((True, (), Attribute.ADDRESS), []),
        ((True, {Attribute.SURNAME}, Attribute.ADDRESS), []),
        ((False, (), Attribute.ADDRESS), [("OVR-06", "disclosureId")]),
        ((False, {Attribute.ADDRESS}, Attribute.ADDRESS), [("OVR-06", "disclosureId")]),
        ((True, {Attribute.ADDRESS}, Attribute.ADDRESS), [("OVR-02", "attribute")]),
        ((True, (), Attribute.PIN), [("OVR-02", "attribute")]),
    ],
)
def test_only_what_was_given_is_reported_and_once(
    case: tuple[bool, set[Attribute], Attribute], refused: list[tuple[str, str | None]]
) -> None:
    """Procedure, cl. 14: who was not given a value learns nothing by reporting it."""
    given, own_open, attribute = case
    report = ReportCase(was_given=given, own_open=own_open, attribute=attribute)

    assert codes(judge_report(report, "disclosureId")) == refused


@pytest.mark.parametrize("correction", [None, REPORTED, DISPUTED, ENTERED, CORRECTED, REJECTED])
def test_a_report_goes_one_way(correction: Correction | None) -> None:
    """REPORTED, then DISPUTED, then a value, and then a result that stays."""
    together = (correction,) if correction is not None else ()
    dispute, entry = codes(judge_dispute(correction)), codes(judge_entry(correction, together))

    assert (not dispute) is (correction is REPORTED)
    assert (not entry) is (correction is DISPUTED)
    if correction is None:
        assert dispute == entry == [("OVR-06", "correctionId")]


@pytest.mark.parametrize(
    ("correction", "outcome", "refused"),
    [
        (REPORTED, "REJECTED", []),
        (DISPUTED, "REJECTED", []),
        (ENTERED, "CORRECTED", []),
        (REPORTED, "CORRECTED", [("OVR-02", "correctionId")]),
        (DISPUTED, "CORRECTED", [("OVR-02", "resolution")]),
        (ENTERED, "REJECTED", [("OVR-02", "resolution")]),
        (CORRECTED, "REJECTED", [("OVR-02", "correctionId")]),
        (REJECTED, "CORRECTED", [("OVR-02", "correctionId")]),
        (None, "CORRECTED", [("OVR-06", "correctionId")]),
    ],
)
def test_a_correction_needs_a_value_and_a_rejection_none(
    correction: Correction | None, outcome: str, refused: list[tuple[str, str | None]]
) -> None:
    """Procedure, cl. 14: a correction without a new value would change nothing."""
    case = ResolutionCase(
        correction=correction,
        together=(correction,) if correction is not None else (),
        outcome=CorrectionOutcome(outcome),
        party=BODY,
    )

    assert codes(judge_resolution(case)) == refused


def test_nobody_decides_on_an_own_report_or_value() -> None:
    """Two persons: neither a reporter, nor one of a joined report, nor who entered the value."""
    case = ResolutionCase(
        correction=ENTERED,
        together=(ENTERED,),
        outcome=CorrectionOutcome.CORRECTED,
        party=BODY,
    )
    joined = replace(REPORTED, correction_id=UUID(int=2), reporter=BODY)

    assert judge_resolution(case) == ()
    for refused in (
        replace(case, party=BANK),
        replace(case, together=(ENTERED, joined)),
        replace(case, entered_by_same=True),
    ):
        assert codes(judge_resolution(refused)) == [("OVR-05", None)]


@pytest.mark.parametrize("late", [REPORTED, DISPUTED])
def test_a_late_report_cannot_undo_a_value_that_was_entered(late: Correction) -> None:
    """A rejection of a later report would end the correction, and nobody would be informed.

    A second value before the first is confirmed would hide since when the record was wrong.
    """
    late = replace(late, correction_id=UUID(int=3))
    case = ResolutionCase(
        correction=late, together=(ENTERED, late), outcome=CorrectionOutcome.REJECTED, party=BODY
    )

    assert codes(judge_resolution(case)) == [("OVR-02", "resolution")]
    assert codes(judge_entry(late, (ENTERED, late))) == [("OVR-02", "correctionId")]
    confirmed = judge_resolution(replace(case, outcome=CorrectionOutcome.CORRECTED))
    assert (not confirmed) is (late.state is CorrectionState.DISPUTED)


def test_a_portal_that_forwards_a_report_has_asked_for_nothing() -> None:
    """The operator or the authorised body may have a portal, and then decides all the same."""
    forwarded = replace(ENTERED, origin=CorrectionOrigin.SUBJECT, reporter=BODY)
    case = ResolutionCase(
        correction=forwarded,
        together=(forwarded,),
        outcome=CorrectionOutcome.CORRECTED,
        party=BODY,
    )

    assert judge_resolution(case) == ()
    assert codes(judge_resolution(replace(case, entered_by_same=True))) == [("OVR-05", None)]


def test_deadlines_are_of_the_state() -> None:
    """An examination is late after its term, a result after another; a result is never late."""
    after_examination = REPORTED.examine_by
    assert not REPORTED.is_overdue(after_examination - timedelta(microseconds=1))
    assert REPORTED.is_overdue(after_examination)
    assert not DISPUTED.is_overdue(after_examination)
    assert DISPUTED.is_overdue(DISPUTED.resolve_by)
    assert not REJECTED.is_overdue(datetime.max.replace(tzinfo=UTC))


def test_a_recall_is_acknowledged_once_and_may_be_late() -> None:
    """Nothing is due before the correction is confirmed."""
    recall = Recall(correction_id=UUID(int=1), recipient=BANK, acknowledged_at=None)
    done = replace(recall, acknowledged_at=AT)
    late = AT + timedelta(days=7)

    assert judge_acknowledgement_of(recall) == ()
    assert codes(judge_acknowledgement_of(done)) == [("OVR-02", "correctionId")]
    assert codes(judge_acknowledgement_of(None)) == [("OVR-06", "correctionId")]
    assert [recall.is_overdue(each, late) for each in (CORRECTED, ENTERED)] == [True, False]
    assert not done.is_overdue(CORRECTED, late)


@pytest.mark.parametrize(
    ("held", "since"),
    [([True], 0), ([True, True, True], 0), ([False, True], 1), ([True, False, True], 2)],
)
def test_the_wrong_value_is_traced_back_to_its_beginning(held: list[bool], since: int) -> None:
    """A value that was right in between is not recalled from before."""
    versions = [
        RecordVersion(recorded_at=AT + timedelta(days=day), holds_wrong_value=wrong)
        for day, wrong in enumerate(held)
    ]

    assert find_wrong_since(versions) == AT + timedelta(days=since)
    assert find_wrong_since([*versions, replace(versions[0], holds_wrong_value=False)]) is None
