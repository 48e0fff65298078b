"""Cases about recipients that obtained data without consent (Procedure, cl. 12).

    PROPOSED -> OPEN -> REFERRED -> ACKNOWLEDGED
    PROPOSED | OPEN -> DISMISSED

The record proposes a case, and the authorised body opens it, or opens one by itself. It refers a
case with its evidence file to the body for the protection of personal data, which acknowledges it.
That body sees a case from its referral on. A case that was referred is never dismissed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from makul.domain.cases import CasePeriod, CaseScope
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import ExceptionKind, Totals
from makul.domain.months import Month
from makul.domain.officers import AUTHORISED_BODY, OfficerRole
from makul.domain.reasons import Code, Reason


class CaseState(StrEnum):
    """The state of a case."""

    PROPOSED = "PROPOSED"
    OPEN = "OPEN"
    REFERRED = "REFERRED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    DISMISSED = "DISMISSED"


REFERRED_STATES = frozenset({CaseState.REFERRED, CaseState.ACKNOWLEDGED})
"""The states in which the body for the protection of personal data sees a case."""


class CaseChoice(StrEnum):
    """What an officer decides about a case that exists."""

    OPEN = "OPEN"
    DISMISS = "DISMISS"


class CaseStepKind(StrEnum):
    """A step of a case."""

    PROPOSED = "PROPOSED"
    OPENED = "OPENED"
    EVIDENCE_ATTACHED = "EVIDENCE_ATTACHED"
    REFERRED = "REFERRED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    DISMISSED = "DISMISSED"


class CaseParty(StrEnum):
    """The party that took a step."""

    OPERATOR = "OPERATOR"
    SUBJECT = "SUBJECT"
    RECIPIENT = "RECIPIENT"
    AUTHORISED_BODY = "AUTHORISED_BODY"
    PROTECTION_BODY = "PROTECTION_BODY"


WITHOUT_CONSENT = frozenset(
    {
        ExceptionKind.NO_GROUND.value,
        ExceptionKind.OVERUSED.value,
        ExceptionKind.OUT_OF_SCOPE.value,
        ExceptionKind.OUT_OF_TERM.value,
        ExceptionKind.REVOKED_BEFORE.value,
        ExceptionKind.DENIED_BY_SUBJECT.value,
    }
)
"""The kinds of exceptions that show that the consent of a subject was absent (cl. 12).

The other kinds only ask a person to look.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """The evidence file of a case, by its digests."""

    digest: bytes
    """SHA-256 of the file."""
    size: int
    part_digests: tuple[bytes, ...]
    """SHA-256 of each part: `PART_BYTES` of the file, the last one shorter.

    So a part is verified before it is given, and the file is not read as a whole each time.
    """


PART_BYTES = 4 * 1024 * 1024
"""Size of the parts in which an evidence file is given: 5.6 million characters of base64.

Common XML parsers accept 10 million characters in one text.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProposal:
    """The facts for which a case about a recipient is proposed."""

    recipient: MemberCode
    period: CasePeriod
    reason: str
    """Fixed words and counts without personal data, or what a recipient reports."""
    party: CaseParty


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightCase:
    """A case as the register holds it."""

    case_id: UUID
    recipient: MemberCode
    period: CasePeriod
    scope: CaseScope
    state: CaseState
    changed_at: datetime
    evidence: EvidenceFile | None = None

    def is_visible_to(self, role: OfficerRole) -> bool:
        """Return whether an officer in this role may know of the case."""
        return role in AUTHORISED_BODY or self.state in REFERRED_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStep:
    """A step of a case, which is never changed."""

    kind: CaseStepKind
    at: datetime
    party: CaseParty
    text: str
    """The justification, or the reason; it may be empty."""
    evidence: bytes | None = None
    """The digest of the evidence file that was attached or referred."""


def period_of_month(month: Month) -> CasePeriod:
    """Return the days of a month."""
    following = month.following
    return CasePeriod(date(month.year, month.number, 1), date(following.year, following.number, 1))


def period_of_days(first: date, last: date) -> CasePeriod:
    """Return the period from the first to the last day. Raises `ValueError` if last is earlier."""
    if last == date.max:
        raise ValueError("a period ends before the calendar does")
    return CasePeriod(first, last + timedelta(days=1))


def propose_from_month(
    recipient: MemberCode, month: Month, exceptions: Totals
) -> CaseProposal | None:
    """Return the case that the exceptions of a month propose; None if none shows absent consent."""
    found = [f"{kind} {count}" for kind, count in exceptions if kind in WITHOUT_CONSENT]
    if not found:
        return None
    return CaseProposal(
        recipient=recipient,
        period=period_of_month(month),
        reason=f"{month}: {', '.join(found)}",
        party=CaseParty.OPERATOR,
    )


def propose_from_report(recipient: MemberCode, month: Month) -> CaseProposal:
    """Return the case that a subject's report of a decision proposes."""
    return CaseProposal(
        recipient=recipient,
        period=period_of_month(month),
        reason=f"{month}: {ExceptionKind.DENIED_BY_SUBJECT} 1",
        party=CaseParty.SUBJECT,
    )


def judge_choice(case: OversightCase | None, choice: CaseChoice) -> tuple[Reason, ...]:
    """Return why the authorised body cannot open or dismiss a case; empty if it can."""
    allowed = {CaseState.PROPOSED}
    if choice is CaseChoice.DISMISS:
        allowed.add(CaseState.OPEN)
    return _judge_state(case, allowed)


def judge_referral(case: OversightCase | None) -> tuple[Reason, ...]:
    """Return why a case cannot be referred; empty if it can."""
    reasons = _judge_state(case, {CaseState.OPEN})
    if not reasons and case is not None and case.evidence is None:
        return (Reason(code=Code.OVR_02, field="evidence"),)
    return reasons


def judge_acknowledgement(case: OversightCase | None) -> tuple[Reason, ...]:
    """Return why the data-protection body cannot acknowledge a case; empty if it can.

    A case that was not referred is not its case: the answer is that of an unknown id.
    """
    if case is not None and not case.is_visible_to(OfficerRole.PROTECTION_OFFICER):
        case = None
    return _judge_state(case, {CaseState.REFERRED})


def _judge_state(case: OversightCase | None, allowed: Collection[CaseState]) -> tuple[Reason, ...]:
    if case is None:
        return (Reason(code=Code.OVR_06, field="caseId"),)
    if case.state not in allowed:
        return (Reason(code=Code.OVR_02, field="caseId"),)
    return ()
