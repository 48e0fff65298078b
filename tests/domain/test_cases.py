"""Rules of a case: each has a result, and none is called fitting that could not be judged."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from makul.domain.agreements import AgreementState
from makul.domain.cases import CasePeriod, RuleResult, list_rules
from makul.domain.disclosures import Outcome
from makul.domain.monthly_statements import (
    ExceptionFact,
    GroundRecord,
    LineException,
    RecordedAgreement,
    find_exceptions,
)
from makul_testing.builders.months import AGREED_AT, month_decisions
from makul_testing.builders.records import an_agreement

DECISION = next(month_decisions(1)).decision
GROUND = GroundRecord(digest=b"d" * 32, revoked_at=None, uses_before=0, allowed=1)
AGREEMENT = RecordedAgreement(
    agreement=replace(an_agreement(), state=AgreementState.IN_FORCE), changed_at=AGREED_AT
)


def results(
    ground: GroundRecord | None, agreement: RecordedAgreement | None
) -> dict[str, RuleResult]:
    found = find_exceptions(DECISION, ground, None, agreement, of_subject=True)
    return {each.fact: each.result for each in list_rules(DECISION, ground, None, agreement, found)}


def test_every_fact_is_a_rule() -> None:
    """A fact that is added to the statements needs a rule here."""
    assert results(GROUND, AGREEMENT).keys() == {fact.value for fact in ExceptionFact}


def test_what_is_missing_is_not_judged() -> None:
    assert results(None, None) == {
        **dict.fromkeys((fact.value for fact in ExceptionFact), RuleResult.NOT_JUDGED),
        "GROUND_NOT_NAMED": RuleResult.FITS,
        "GROUND_NOT_REGISTERED": RuleResult.EXCEPTION,
        "DOCUMENT_NOT_STORED": RuleResult.EXCEPTION,
        "NO_AGREEMENT": RuleResult.EXCEPTION,
        "SUBJECT_REPORTED": RuleResult.FITS,
    }


def test_each_exception_of_a_rule_is_listed() -> None:
    """Two attributes outside the consent are two results of one rule."""
    exceptions = tuple(
        LineException(kind="OUT_OF_SCOPE", fact="GROUND_ATTRIBUTE", attribute=name)
        for name in ("givenName", "surname")
    )
    rules = list_rules(DECISION, GROUND, None, AGREEMENT, exceptions)
    found = [each.attribute for each in rules if each.fact == "GROUND_ATTRIBUTE"]
    assert found == ["givenName", "surname"]


def test_a_refusal_has_no_rules() -> None:
    refused = replace(DECISION, outcome=Outcome.REFUSED)
    assert list_rules(refused, GROUND, None, AGREEMENT, ()) == ()


def test_a_period_has_days_of_the_republic() -> None:
    period = CasePeriod(date(2026, 10, 1), date(2026, 11, 1))
    assert period.begins == datetime(2026, 9, 30, 18, tzinfo=UTC)
    assert period.ends == datetime(2026, 10, 31, 18, tzinfo=UTC)
    with pytest.raises(ValueError, match="before it ends"):
        CasePeriod(date(2026, 10, 1), date(2026, 10, 1))
