"""The decision (cl. 4, 5, 7) and, once the person was compared, its conclusion (cl. 10).

Pure: no XML, no SQL, no clock. Everything a decision rests on is an argument.
"""

from dataclasses import dataclass
from datetime import datetime

from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.disclosures import (
    ConsentGround,
    DisclosureRequest,
    Ground,
    Operation,
    Outcome,
)
from makul.domain.grounds import granted, judge_ground
from makul.domain.identifiers import MemberCode
from makul.domain.matches import MatchResult, MatchVerdict
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient
from makul.domain.standing import StandingCase, judge_standing
from makul.domain.verdicts import Ruling, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Every rule's verdict on a request, and what may be released should the person match."""

    request: DisclosureRequest
    rulings: tuple[Ruling, ...]
    releasable: frozenset[Attribute]
    by_consent: bool
    """Does it rest on the subject's own consent (cl. 4), not on a basis in law (cl. 5)?"""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason against it; empty where it is permitted."""
        return tuple(reason for ruling in self.rulings for reason in ruling.reasons)

    @property
    def permitted(self) -> bool:
        """May the person be looked at? Only where no rule failed and none could not be told."""
        return all(ruling.verdict in _LETS_PASS for ruling in self.rulings)

    @property
    def outcome_if_not_permitted(self) -> Outcome:
        """`REFUSED` where any rule failed; `UNDETERMINED` where one could only not be told."""
        failed = any(ruling.verdict is Verdict.FAILED for ruling in self.rulings)
        return Outcome.REFUSED if failed else Outcome.UNDETERMINED

    def __bool__(self) -> bool:
        raise TypeError("ask a decision whether it is permitted; it has no truth of its own")


_LETS_PASS = frozenset({Verdict.PASSED, Verdict.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What came of a request: its outcome, the reasons, and exactly what leaves."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    released: frozenset[Attribute] = frozenset()


def decide(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: Ground,
    *,
    operator: MemberCode,
    at: datetime,
) -> Decision:
    """Judge every rule up to the match. Looks at no person.

    Released ⊆ requested ∩ consented (or basis) ∩ agreement ∩ powers: an attribute beyond them
    fails its rule, and the intersection is taken here all the same.
    """
    standing = StandingCase(request=request, recipient=recipient, agreement=agreement, at=at)
    own = standing.usable_agreement
    rulings = judge_standing(standing) + judge_ground(
        request, recipient, own, ground, operator=operator, at=at
    )
    covered = granted(request, recipient, own, ground, at=at)
    agreed = own.attributes if own is not None else frozenset()
    return Decision(
        request=request,
        rulings=rulings,
        releasable=frozenset(name for name in agreed if name in request.attributes & covered),
        by_consent=isinstance(ground, ConsentGround),
    )


def conclude(decision: Decision, match: MatchVerdict | None, person: Person | None) -> Conclusion:
    """What leaves, now that the probe was compared (cl. 10).

    `match` is None where nothing was compared, for the decision did not permit it. An unknown
    person comes with `person` None and a verdict that is not a match.
    """
    if not decision.permitted or match is None:
        return Conclusion(outcome=decision.outcome_if_not_permitted, reasons=decision.reasons)
    if person is not None and person.locked and decision.by_consent:
        return _refused(Code.MAT_05)
    match match.result:
        case MatchResult.MATCH if person is not None:
            return _matched(decision, person)
        case MatchResult.INCONCLUSIVE if decision.by_consent:
            return Conclusion(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.MAT_02),))
        case MatchResult.UNAVAILABLE:
            return Conclusion(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_02),))
    return Conclusion(outcome=Outcome.NOT_MATCHED, reasons=(Reason(code=Code.MAT_01),))


def _matched(decision: Decision, person: Person) -> Conclusion:
    if decision.request.operation is not Operation.GET_PERSON_DATA:
        return Conclusion(outcome=Outcome.MATCHED)
    held = frozenset(person.values)
    released = decision.releasable & held - person.disputed
    left_out = [
        Reason(code=Code.REL_02 if name in held else Code.REL_01, field=name)
        for name in sorted(decision.releasable - released)
    ]
    return Conclusion(outcome=Outcome.RELEASED, reasons=tuple(left_out), released=released)


def _refused(code: Code) -> Conclusion:
    return Conclusion(outcome=Outcome.REFUSED, reasons=(Reason(code=code),))
