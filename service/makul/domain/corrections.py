"""Corrections of inaccurate or out-of-date data (Procedure, cl. 14).

    REPORTED -> DISPUTED -> CORRECTED | REJECTED
    REPORTED -> REJECTED

A recipient reports what it was given, and a citizen reports what the register holds about them.
While an attribute is disputed it is withheld (REL-02). A correction makes a new version of the
person's record. Every recipient that was given the wrong value is informed, and acknowledges it.

Each report has an id of its own, and the examination is of the attribute. So two reports of one
attribute are examined together, and no reporter learns of another.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from makul.domain.attributes import Attribute
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason


class CorrectionState(StrEnum):
    """The state of a report."""

    REPORTED = "REPORTED"
    DISPUTED = "DISPUTED"
    CORRECTED = "CORRECTED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        """Whether the report still waits for its result."""
        return self in (CorrectionState.REPORTED, CorrectionState.DISPUTED)


class CorrectionKind(StrEnum):
    """What is wrong with a value."""

    WRONG = "WRONG"
    OUT_OF_DATE = "OUT_OF_DATE"


class CorrectionOrigin(StrEnum):
    """Who reported a value."""

    RECIPIENT = "RECIPIENT"
    SUBJECT = "SUBJECT"


class CorrectionOutcome(StrEnum):
    """How a report is resolved."""

    CORRECTED = "CORRECTED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionTerms:
    """The deadlines of a correction, of the operator's settings (cl. 14 sets none)."""

    examine_within: timedelta
    """From the report to the beginning of the examination, or the rejection."""
    resolve_within: timedelta
    """From the report to its result."""
    acknowledge_within: timedelta
    """From the correction to a recipient's acknowledgement."""


DEFAULT_TERMS = CorrectionTerms(
    examine_within=timedelta(days=3),
    resolve_within=timedelta(days=14),
    acknowledge_within=timedelta(days=7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A report, and what became of it. It names no value and no person."""

    correction_id: UUID
    attribute: Attribute
    kind: CorrectionKind
    origin: CorrectionOrigin
    reporter: MemberCode
    """The recipient that reported, or the portal by which the citizen did."""
    state: CorrectionState
    reported_at: datetime
    examine_by: datetime
    resolve_by: datetime
    changed_at: datetime
    entered_at: datetime | None = None
    """When the new value was entered into the record."""
    wrong_since: datetime | None = None
    """From when on the record held the wrong value."""
    acknowledge_by: datetime | None = None
    """The last time of an acknowledgement; None while nothing was corrected."""

    def is_overdue(self, at: datetime) -> bool:
        """Return whether the examination or the result is late."""
        due = self.examine_by if self.state is CorrectionState.REPORTED else self.resolve_by
        return self.state.is_open and at >= due


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A recipient that was given a value which was corrected since."""

    correction_id: UUID
    recipient: MemberCode
    acknowledged_at: datetime | None

    def is_overdue(self, correction: Correction, at: datetime) -> bool:
        """Return whether the acknowledgement is late."""
        due = correction.acknowledge_by
        return self.acknowledged_at is None and due is not None and at >= due


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCase:
    """The facts by which a report is judged."""

    was_given: bool
    """True if the reporter was given this attribute of this person, or is the person."""
    own_open: Collection[Attribute]
    """The attributes of this person that the same party has reported and that are still open."""
    attribute: Attribute


def judge_report(case: ReportCase, field: str) -> tuple[Reason, ...]:
    """Return why a value cannot be reported; empty if it can.

    A recipient reports only what it was given, so a report never shows whether a person exists.
    """
    if not case.was_given:
        return (Reason(code=Code.OVR_06, field=field),)
    if case.attribute is Attribute.PIN:
        # Another PIN is another record: nothing could be corrected in this one.
        return (Reason(code=Code.OVR_02, field="attribute"),)
    if case.attribute in case.own_open:
        return (Reason(code=Code.OVR_02, field="attribute"),)
    return ()


def judge_dispute(correction: Correction | None) -> tuple[Reason, ...]:
    """Return why the examination of a report cannot begin; empty if it can."""
    return _judge_state(correction, {CorrectionState.REPORTED})


def judge_entry(
    correction: Correction | None, together: Sequence[Correction]
) -> tuple[Reason, ...]:
    """Return why no new value can be entered for a report; empty if one can.

    `together` is every open report of the same attribute of the person. A second value before the
    first is confirmed would hide since when the record held the wrong one.
    """
    reasons = _judge_state(correction, {CorrectionState.DISPUTED})
    if not reasons and _is_entered(together):
        return (Reason(code=Code.OVR_02, field="correctionId"),)
    return reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionCase:
    """The facts by which a resolution is judged."""

    correction: Correction | None
    together: Sequence[Correction]
    """Every open report of the same attribute of the person: one decision resolves them all."""
    outcome: CorrectionOutcome
    party: MemberCode
    """The member whose officer resolves, or the operator."""
    entered_by_same: bool = False
    """True if the person who resolves entered the new value of one of these reports."""


def judge_resolution(case: ResolutionCase) -> tuple[Reason, ...]:
    """Return why a report cannot be resolved in this way; empty if it can.

    Who asked for a correction does not decide on it, and nobody confirms the value that they
    entered. A correction without a new value would change nothing. A report that came after the
    new value is resolved with those before it, so its rejection would conceal the wrong value.
    """
    correction = case.correction
    corrected = case.outcome is CorrectionOutcome.CORRECTED
    allowed = {CorrectionState.DISPUTED}
    if not corrected:
        allowed.add(CorrectionState.REPORTED)
    reasons = _judge_state(correction, allowed)
    if reasons or correction is None:
        return reasons
    # For a citizen `reporter` is the portal, which only forwards: it has asked for nothing.
    asked = any(
        each.reporter == case.party and each.origin is CorrectionOrigin.RECIPIENT
        for each in case.together
    )
    if asked or (corrected and case.entered_by_same):
        return (Reason(code=Code.OVR_05),)
    if corrected is not _is_entered(case.together):
        # A value that was entered is corrected; one that was not entered cannot be.
        return (Reason(code=Code.OVR_02, field="resolution"),)
    return ()


def judge_acknowledgement_of(recall: Recall | None) -> tuple[Reason, ...]:
    """Return why a recipient cannot acknowledge a correction; empty if it can."""
    if recall is None:
        return (Reason(code=Code.OVR_06, field="correctionId"),)
    if recall.acknowledged_at is not None:
        return (Reason(code=Code.OVR_02, field="correctionId"),)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVersion:
    """A version of a person's record, as far as a correction needs it."""

    recorded_at: datetime
    holds_wrong_value: bool


def find_wrong_since(versions: Sequence[RecordVersion]) -> datetime | None:
    """Return from when on the record held the wrong value without interruption, up to its end.

    `versions` are those before the correction, the earliest first. None if the last one held
    another value.
    """
    since = None
    for version in versions:
        if not version.holds_wrong_value:
            since = None
        elif since is None:
            since = version.recorded_at
    return since


def _is_entered(together: Sequence[Correction]) -> bool:
    return any(each.entered_at is not None for each in together)


def _judge_state(
    correction: Correction | None, allowed: Collection[CorrectionState]
) -> tuple[Reason, ...]:
    if correction is None:
        return (Reason(code=Code.OVR_06, field="correctionId"),)
    if correction.state not in allowed:
        return (Reason(code=Code.OVR_02, field="correctionId"),)
    return ()
