"""The decision (cl. 4, 5, 7) and, after the person was compared, its conclusion (cl. 10).

Pure code: no XML, no SQL, no clock. Every fact that a decision depends on is an argument.
"""

from dataclasses import dataclass
from datetime import date, datetime

from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.calendar import legal_day
from makul.domain.consent_rules import FULL_AGE
from makul.domain.consents import AuthorityKind, ResultForm
from makul.domain.delivery_encryption import EncryptionCertificate
from makul.domain.disclosures import (
    ConsentGround,
    DisclosureRequest,
    Ground,
    Operation,
    Outcome,
)
from makul.domain.eligibility import EligibilityCase, judge_eligibility
from makul.domain.grounds import granted, judge_ground
from makul.domain.identifiers import MemberCode, age_on
from makul.domain.matches import MatchResult, MatchVerdict
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient
from makul.domain.rules import Rule, Ruling, Verdict, holds, not_applicable, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Every rule's verdict on a request, with the attributes to release if the person matches."""

    request: DisclosureRequest
    rulings: tuple[Ruling, ...]
    releasable: frozenset[Attribute]
    by_consent: bool
    """True if it is based on the subject's consent (cl. 4), false for a basis in law (cl. 5)."""
    minor_on: date | None = None
    """The day on which the subject must be a minor, set if a parent or guardian consented."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason against the request; empty if it is permitted."""
        return tuple(reason for ruling in self.rulings for reason in ruling.reasons)

    @property
    def permitted(self) -> bool:
        """True if the person's record may be read: no rule failed and none was undetermined."""
        return bool(self.rulings) and all(ruling.passed for ruling in self.rulings)

    @property
    def outcome_if_not_permitted(self) -> Outcome:
        """`REFUSED` if any rule failed; `UNDETERMINED` if rules were only undetermined."""
        failed = any(ruling.verdict is Verdict.FAILED for ruling in self.rulings)
        return Outcome.REFUSED if failed else Outcome.UNDETERMINED

    def __bool__(self) -> bool:
        raise TypeError("ask a decision whether it is permitted; it has no truth of its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The result of a request: its outcome, the reasons, and exactly the attributes that leave."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    released: frozenset[Attribute] = frozenset()

    def __post_init__(self) -> None:
        if self.released and self.outcome is not Outcome.RELEASED:
            raise ValueError(f"{self.outcome} releases nothing")


def decide(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: Ground,
    *,
    operator: MemberCode,
    at: datetime,
    encryption_certificate: EncryptionCertificate | None = None,
    bound_to_secrecy: bool = False,
) -> Decision:
    """Judge every rule up to the match. Reads no person's record.

    Released ⊆ requested ∩ consented (or basis) ∩ agreement ∩ powers (docs/architecture.md,
    invariant 3). An attribute beyond them fails its rule. The intersection is computed here as a
    second safeguard.
    """
    eligibility = EligibilityCase(
        request=request,
        recipient=recipient,
        agreement=agreement,
        at=at,
        encryption_certificate=encryption_certificate,
        bound_to_secrecy=bound_to_secrecy,
    )
    own = eligibility.usable_agreement
    rulings = judge_eligibility(eligibility) + judge_ground(
        request, recipient, own, ground, operator=operator, at=at
    )
    return Decision(
        request=request,
        rulings=rulings,
        releasable=_releasable(request, own, granted(request, recipient, own, ground, at=at)),
        by_consent=isinstance(ground, ConsentGround),
        minor_on=_minor_on(ground, at),
    )


def _minor_on(ground: Ground, at: datetime) -> date | None:
    if not isinstance(ground, ConsentGround) or ground.consent is None:
        return None
    representation = ground.consent.representative
    speaks_for_a_minor = (
        representation is not None and representation.kind != AuthorityKind.POWER_OF_ATTORNEY
    )
    return legal_day(at) if speaks_for_a_minor else None


def _releasable(
    request: DisclosureRequest, agreement: Agreement | None, covered: frozenset[str]
) -> frozenset[Attribute]:
    if agreement is None or request.operation.result_form is not ResultForm.DATA:
        return frozenset()
    asked_and_covered = request.attributes & covered
    return frozenset(name for name in agreement.attributes if name in asked_and_covered)


# --- the match (cl. 10) -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchCase:
    """A permitted decision with the result of the comparison with the record."""

    decision: Decision
    match: MatchVerdict
    person: Person | None

    @property
    def subject(self) -> Person | None:
        """The record, if it belongs to exactly the person asked about."""
        person = self.person
        return (
            person if person is not None and person.pin == self.decision.request.subject else None
        )

    @property
    def result(self) -> MatchResult:
        """The result of the comparison, corrected for methods that were not compared and for age.

        It is not a match if a requested method was not compared. It is no match if a parent or
        guardian consented for a subject who is of age by the record's birth date. That date takes
        precedence over the digits of the PIN (cl. 14). Without the subject's own consent, only
        MAT-01 may be reported.
        """
        if self._came_of_age:
            return MatchResult.NO_MATCH
        compared = {verdict.method.value for verdict in self.match.methods}
        if self.match.result is MatchResult.MATCH and not self.decision.request.methods <= compared:
            return MatchResult.UNAVAILABLE
        return self.match.result

    @property
    def by_consent(self) -> bool:
        """True if the decision is based on a consent that the record's birth date does not end."""
        return self.decision.by_consent and not self._came_of_age

    @property
    def _came_of_age(self) -> bool:
        day, subject = self.decision.minor_on, self.subject
        born = subject.values.get(Attribute.BIRTH_DATE) if subject is not None else None
        return day is not None and isinstance(born, date) and age_on(born, day) >= FULL_AGE


def _not_locked(case: MatchCase) -> Ruling:
    if not case.by_consent:
        return not_applicable(Code.MAT_05)
    return holds(Code.MAT_05, case.subject is None or not case.subject.locked)


def _judge_comparison(case: MatchCase) -> Ruling:
    if case.result is MatchResult.UNAVAILABLE:
        return unknown(Code.OPS_02, Reason(code=Code.OPS_02))
    return holds(Code.OPS_02, True)


def _conclusive(case: MatchCase) -> Ruling:
    # Without the subject's consent, a near match must not be distinguishable from none (MAT-01).
    if not case.by_consent:
        return not_applicable(Code.MAT_02)
    if case.result is MatchResult.INCONCLUSIVE:
        return unknown(Code.MAT_02, Reason(code=Code.MAT_02))
    return holds(Code.MAT_02, True)


def _judge_match(case: MatchCase) -> Ruling:
    return holds(Code.MAT_01, case.result is MatchResult.MATCH and case.subject is not None)


MATCH_RULES: tuple[Rule[MatchCase], ...] = (
    Rule(Code.MAT_05, _not_locked, ("10",)),
    Rule(Code.OPS_02, _judge_comparison),
    Rule(Code.MAT_02, _conclusive),
    Rule(Code.MAT_01, _judge_match),
)
"""Rules judged in this order.

The first that stops the request concludes, and only it is reported.
"""


def conclude(decision: Decision, match: MatchVerdict | None, person: Person | None) -> Conclusion:
    """Conclude what is released, after the probe was compared (cl. 10).

    `match` is None if nothing was compared. For an unknown person, `person` is None and the verdict
    is not a match.
    """
    if not decision.permitted:
        return Conclusion(outcome=decision.outcome_if_not_permitted, reasons=decision.reasons)
    if match is None:
        return Conclusion(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_02),))
    case = MatchCase(decision=decision, match=match, person=person)
    for rule in MATCH_RULES:
        ruling = rule.judge(case)
        if not ruling.passed:
            return Conclusion(outcome=_outcome_of_failure(ruling), reasons=ruling.reasons)
    return _disclosure(decision, case.subject)


def _outcome_of_failure(ruling: Ruling) -> Outcome:
    if ruling.verdict is not Verdict.FAILED:
        return Outcome.UNDETERMINED
    return Outcome.NOT_MATCHED if ruling.code is Code.MAT_01 else Outcome.REFUSED


def _disclosure(decision: Decision, subject: Person | None) -> Conclusion:
    if decision.request.operation is not Operation.GET_PERSON_DATA:
        return Conclusion(outcome=Outcome.MATCHED)
    recorded = subject.held if subject is not None else frozenset()
    disputed = subject.disputed if subject is not None else frozenset()
    released = (decision.releasable & recorded) - disputed
    left_out = tuple(
        Reason(code=Code.REL_02 if name in recorded else Code.REL_01, field=name)
        for name in sorted(decision.releasable - released)
    )
    return Conclusion(outcome=Outcome.RELEASED, reasons=left_out, released=released)
