"""Exceptions of a monthly statement, from the records and the ground's document (cl. 11)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from makul.domain.agreements import AgreementState
from makul.domain.attributes import Attribute
from makul.domain.consents import ResultForm
from makul.domain.disclosures import Outcome
from makul.domain.monthly_statements import (
    DISCLOSING,
    ExceptionFact,
    GroundRecord,
    GroundTerms,
    RecordedAgreement,
    RecordedDecision,
    TermsInForce,
    find_exceptions,
)
from makul.domain.months import Month, month_before
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    NOON,
    POLICE,
    PURPOSE,
    an_agreement,
)

INSTANT = timedelta(microseconds=1)
DIGEST = b"d" * 32

DECISION = RecordedDecision(
    disclosure_id=UUID(int=1),
    recipient=BANK,
    decided_at=NOON,
    request_id=UUID(int=2),
    operation="GetPersonData",
    outcome=Outcome.RELEASED,
    codes=(),
    attributes=("givenName", "surname"),
    purpose=PURPOSE,
    agreement_number=AGREEMENT_NUMBER,
    ground_kind="CONSENT",
    ground_digest=DIGEST,
    receipt_digest=b"r" * 32,
)
GROUND = GroundRecord(digest=DIGEST, revoked_at=None, uses_before=0, allowed=1)
TERMS = GroundTerms(
    recipient=BANK,
    subject=AZAMAT,
    result_form=ResultForm.DATA,
    max_disclosures=1,
    agreement_number=AGREEMENT_NUMBER,
    purpose=PURPOSE,
    attributes=frozenset({"surname", "givenName", "sex"}),
    valid_from=NOON - timedelta(days=1),
    valid_to=NOON + timedelta(days=1),
)
AGREEMENT = RecordedAgreement(agreement=an_agreement(), changed_at=NOON)


def found(
    *,
    decision: RecordedDecision = DECISION,
    ground: GroundRecord | None = GROUND,
    terms: GroundTerms | None = TERMS,
    agreement: RecordedAgreement | None = AGREEMENT,
    of_subject: bool = True,
    proof_fault: ExceptionFact | None = None,
) -> list[tuple[str, str, str | None]]:
    exceptions = find_exceptions(
        decision, ground, terms, agreement, of_subject=of_subject, proof_fault=proof_fault
    )
    return [(each.kind, each.fact, each.attribute) for each in exceptions]


def decision(**changes: Any) -> dict[str, Any]:
    return {"decision": replace(DECISION, **changes)}


def ground(**changes: Any) -> dict[str, Any]:
    return {"ground": replace(GROUND, **changes)}


def terms(**changes: Any) -> dict[str, Any]:
    return {"terms": replace(TERMS, **changes)}


def agreement(**changes: Any) -> dict[str, Any]:
    return {"agreement": replace(AGREEMENT, agreement=an_agreement(**changes))}


def changed(at: datetime, **changes: Any) -> dict[str, Any]:
    return {"agreement": RecordedAgreement(agreement=an_agreement(**changes), changed_at=at)}


GOOD: dict[str, dict[str, Any]] = {
    "as agreed and consented": {},
    "the last use": {**ground(allowed=3, uses_before=2), **terms(max_disclosures=3)},
    "revoked at that instant": ground(revoked_at=NOON),
    "revoked later": ground(revoked_at=NOON + INSTANT),
    "first instant": terms(valid_from=NOON),
    "within the clock tolerance": terms(valid_from=NOON + timedelta(seconds=60)),
    "last instant": terms(valid_to=NOON + INSTANT),
    "first instant of the agreement": agreement(valid_from=NOON),
    "last instant of the agreement": agreement(valid_to=NOON + INSTANT),
    "a yes": decision(outcome=Outcome.MATCHED, attributes=()),
}

BAD: dict[str, tuple[dict[str, Any], tuple[str, str, str | None]]] = {
    "not registered": ({"ground": None}, ("NO_GROUND", "GROUND_NOT_REGISTERED", None)),
    "another document": (
        ground(digest=b"x" * 32),
        ("NO_GROUND", "OTHER_DOCUMENT_REGISTERED", None),
    ),
    "no document": ({"terms": None}, ("NO_LONGER_PROVABLE", "DOCUMENT_NOT_STORED", None)),
    "a proof that is not there now": (
        {"proof_fault": ExceptionFact.PROOF_NOT_STORED},
        ("NO_LONGER_PROVABLE", "PROOF_NOT_STORED", None),
    ),
    "one use too many": (
        ground(uses_before=1),
        ("OVERUSED", "MORE_USES_THAN_ALLOWED", None),
    ),
    "revoked": (
        ground(revoked_at=NOON - timedelta(seconds=60) - INSTANT),
        ("REVOKED_BEFORE", "GROUND_REVOKED", None),
    ),
    "revoked within the clock tolerance": (
        ground(revoked_at=NOON - timedelta(seconds=60)),
        ("REVOKED_BEFORE", "REVOKED_ABOUT_THEN", None),
    ),
    "revoked just before": (
        ground(revoked_at=NOON - INSTANT),
        ("REVOKED_BEFORE", "REVOKED_ABOUT_THEN", None),
    ),
    "registered with another limit": (
        ground(allowed=999),
        ("TO_INSPECT", "OTHER_LIMIT_REGISTERED", None),
    ),
    "of another person": ({"of_subject": False}, ("OUT_OF_SCOPE", "GROUND_SUBJECT", None)),
    "for another recipient": (terms(recipient=POLICE), ("OUT_OF_SCOPE", "GROUND_RECIPIENT", None)),
    "for a yes or no only": (
        terms(result_form=ResultForm.YES_NO),
        ("OUT_OF_SCOPE", "GROUND_FORM", None),
    ),
    "for data only": (
        decision(operation="VerifyPerson", outcome=Outcome.MATCHED, attributes=()),
        ("OUT_OF_SCOPE", "GROUND_FORM", None),
    ),
    "for another agreement": (
        terms(agreement_number="A-2"),
        ("OUT_OF_SCOPE", "GROUND_AGREEMENT", None),
    ),
    "for another purpose": (terms(purpose="LOAN"), ("OUT_OF_SCOPE", "GROUND_PURPOSE", None)),
    "not consented": (
        terms(attributes=frozenset({"surname"})),
        ("OUT_OF_SCOPE", "GROUND_ATTRIBUTE", "givenName"),
    ),
    "too early": (
        terms(valid_from=NOON + timedelta(seconds=61)),
        ("OUT_OF_TERM", "GROUND_TERM", None),
    ),
    "too late": (terms(valid_to=NOON), ("OUT_OF_TERM", "GROUND_TERM", None)),
    "an empty term": (
        terms(valid_from=NOON + timedelta(seconds=30), valid_to=NOON + timedelta(seconds=30)),
        ("OUT_OF_TERM", "GROUND_TERM", None),
    ),
    "on paper": (terms(on_paper=True), ("PAPER_TO_INSPECT", "CONSENT_ON_PAPER", None)),
    "no agreement": ({"agreement": None}, ("OUT_OF_SCOPE", "NO_AGREEMENT", None)),
    "a purpose that is not agreed": (
        agreement(purposes=frozenset({"LOAN"})),
        ("OUT_OF_SCOPE", "AGREEMENT_PURPOSE", None),
    ),
    "an attribute that is not agreed": (
        {**decision(attributes=("sex",))},
        ("OUT_OF_SCOPE", "AGREEMENT_ATTRIBUTE", "sex"),
    ),
    "before the agreement": (
        agreement(valid_from=NOON + INSTANT),
        ("OUT_OF_TERM", "AGREEMENT_TERM", None),
    ),
    "after the agreement": (agreement(valid_to=NOON), ("OUT_OF_TERM", "AGREEMENT_TERM", None)),
}


def test_a_ground_that_was_never_registered_is_no_lost_proof() -> None:
    """Only what was registered when it was used can be "no longer" provable."""
    assert found(ground=None, terms=None) == [
        ("NO_GROUND", "GROUND_NOT_REGISTERED", None),
        ("NO_GROUND", "DOCUMENT_NOT_STORED", None),
    ]


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_what_fits_is_no_exception(case: dict[str, Any]) -> None:
    """Procedure, cl. 11: the edges are those of the rules on requests."""
    assert found(**case) == []


@pytest.mark.parametrize(("case", "exception"), BAD.values(), ids=BAD)
def test_each_misfit_is_one_exception(
    case: dict[str, Any], exception: tuple[str, str, str | None]
) -> None:
    """Procedure, cl. 11: documents are compared with what was given."""
    assert found(**case) == [exception]


def test_a_ground_that_is_not_named_is_reported_once() -> None:
    """Nothing else can be compared, except with the agreement."""
    unnamed = replace(DECISION, ground_kind=None, ground_digest=None)

    assert found(decision=unnamed, ground=None, terms=None) == [
        ("NO_GROUND", "GROUND_NOT_NAMED", None)
    ]


@pytest.mark.parametrize(
    "case",
    [
        changed(NOON + INSTANT),
        changed(NOON - INSTANT, state=AgreementState.DRAFT),
        changed(NOON - INSTANT, state=AgreementState.TERMINATED),
    ],
    ids=["renewed later", "a draft", "terminated"],
)
def test_an_agreement_that_changed_is_one_question_and_no_accusation(case: dict[str, Any]) -> None:
    """The registry has only the newest terms, and they may not be those of the decision."""
    other = an_agreement(state=case["agreement"].agreement.state, valid_from=NOON + INSTANT)
    misfit = replace(case["agreement"], agreement=replace(other, attributes=frozenset()))

    for recorded in (case["agreement"], misfit):
        assert found(agreement=recorded) == [("TO_INSPECT", "AGREEMENT_CHANGED_SINCE", None)]


@pytest.mark.parametrize(
    ("begins", "ends", "facts"),
    [
        (NOON, None, ["AGREEMENT_ATTRIBUTE"]),
        (NOON - INSTANT, NOON + INSTANT, ["AGREEMENT_ATTRIBUTE"]),
        (NOON + INSTANT, None, ["AGREEMENT_CHANGED_SINCE"]),
        (NOON - INSTANT, NOON, ["AGREEMENT_CHANGED_SINCE"]),
    ],
)
def test_earlier_terms_are_those_of_the_decision(
    begins: datetime, ends: datetime | None, facts: list[str]
) -> None:
    """A version that was in force then is compared."""
    terms = an_agreement(attributes=frozenset({Attribute.SURNAME}), state=AgreementState.DRAFT)
    recorded = replace(
        AGREEMENT,
        changed_at=NOON + INSTANT,
        versions=(TermsInForce(terms=terms, begins=begins, ends=ends),),
    )

    assert [fact for _, fact, _ in found(agreement=recorded)] == facts


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - DISCLOSING))
def test_a_decision_that_gives_nothing_needs_no_ground(outcome: Outcome) -> None:
    """A refusal often *is* the missing ground."""
    refused = replace(DECISION, outcome=outcome, ground_digest=None)

    assert found(decision=refused, ground=None, terms=None, agreement=None) == []


@pytest.mark.parametrize(
    ("month", "before"), [(Month(2026, 11), Month(2026, 10)), (Month(2027, 1), Month(2026, 12))]
)
def test_the_month_before_is_the_last_that_ended(month: Month, before: Month) -> None:
    assert month_before(month.begins) == before
    assert month_before(month.ends - INSTANT) == before
    assert month_before(month.begins - INSTANT) != before
