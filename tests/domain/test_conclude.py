"""The result after the comparison of the person (Procedure, cl. 10 and, for disputed
data, cl. 14).
"""

from dataclasses import replace

import pytest

from makul.domain.attributes import Attribute
from makul.domain.consents import ResultForm
from makul.domain.decision import Conclusion
from makul.domain.disclosures import Operation, Outcome
from makul.domain.matches import MatchMethod, MatchResult, MatchVerdict
from makul.domain.reasons import Code, Reason, leaves_open
from makul_testing.builders.cases import (
    BY_CONSENT,
    BY_LAW,
    FORGED,
    NAME_AND_BIRTH,
    PERSON,
    SOMEONE_ELSE,
    Case,
    finding,
    found,
)

LOCKED = replace(PERSON, locked=True)
NOT_MATCHED = Conclusion(outcome=Outcome.NOT_MATCHED, reasons=(Reason(code=Code.MAT_01),))
BOTH = pytest.mark.parametrize("case", [BY_CONSENT, BY_LAW], ids=["consent", "basis"])


@BOTH
def test_if_there_is_a_match_data_are_given(case: Case) -> None:
    """Procedure, cl. 10: exactly the requested and permitted data are given."""
    assert case.conclude() == Conclusion(outcome=Outcome.RELEASED, released=NAME_AND_BIRTH)


@BOTH
def test_a_yes_or_no_is_answered_without_data(case: Case) -> None:
    """VerifyPerson: the outcome is MATCHED, and no data leave."""
    verify = case.asking(operation=Operation.VERIFY_PERSON, attributes=frozenset()).saying(
        result_form=ResultForm.YES_NO
    )

    assert verify.conclude() == Conclusion(outcome=Outcome.MATCHED)
    assert verify.but(match=found(MatchResult.NO_MATCH)).conclude() == NOT_MATCHED


@BOTH
def test_without_a_match_nothing_is_given(case: Case) -> None:
    """Procedure, cl. 10: data are given *if there is a match*."""
    assert case.but(match=found(MatchResult.NO_MATCH)).conclude() == NOT_MATCHED


@BOTH
@pytest.mark.parametrize("result", MatchResult)
def test_an_unknown_person_never_matches(case: Case, result: MatchResult) -> None:
    """docs/architecture.md, invariant 6: no comparison with a decoy discloses anything."""
    conclusion = case.but(person=None, match=found(result)).conclude()

    assert conclusion.released == frozenset()
    assert conclusion.outcome in {Outcome.NOT_MATCHED, Outcome.UNDETERMINED}


@BOTH
def test_another_persons_record_is_never_given(case: Case) -> None:
    """The record must be that of the PIN of the consent or basis, or no record."""
    assert case.but(person=replace(PERSON, pin=SOMEONE_ELSE)).conclude() == NOT_MATCHED


@BOTH
def test_a_request_without_a_person_gives_no_record(case: Case) -> None:
    """A dry run's decision that reaches a conclusion by mistake releases nothing."""
    assert case.asking(subject=None).conclude() == NOT_MATCHED


@BOTH
def test_every_requested_method_must_be_compared(case: Case) -> None:
    """One compared method of two requested ones is no match: a missing result is no agreement."""
    both = frozenset({MatchMethod.DEMOGRAPHIC, MatchMethod.FACE})
    names = frozenset(method.value for method in both)
    asking = case.under(methods=both).asking(methods=names)
    if case is BY_CONSENT:
        asking = asking.saying(methods=names)
    matched = tuple(finding(MatchResult.MATCH, method) for method in sorted(both))

    assert asking.conclude().outcome is Outcome.UNDETERMINED
    assert asking.but(match=found(MatchResult.NO_MATCH)).conclude() == NOT_MATCHED
    assert asking.but(match=MatchVerdict(matched)).conclude().outcome is Outcome.RELEASED


# --- what is undetermined ----------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("match", [found(MatchResult.UNAVAILABLE), found(), None])
def test_a_comparison_that_could_not_be_made_leaves_the_request_open(
    case: Case, match: MatchVerdict | None
) -> None:
    """OPS-02: "could not be determined" is not "no", and neither discloses."""
    conclusion = case.but(match=match).conclude()

    assert conclusion == Conclusion(
        outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_02),)
    )
    assert leaves_open(conclusion.reasons)


def test_doubt_with_consent_asks_for_more_data() -> None:
    """MAT-02: with the subject's own consent, the answer may say that data are lacking."""
    conclusion = BY_CONSENT.but(match=found(MatchResult.INCONCLUSIVE)).conclude()

    assert conclusion.outcome is Outcome.UNDETERMINED
    assert conclusion.reasons == (Reason(code=Code.MAT_02),)


def test_doubt_without_consent_is_a_plain_no() -> None:
    """docs/architecture.md, invariant 6: without consent, "nearly" would reveal that the person
    exists.
    """
    assert BY_LAW.but(match=found(MatchResult.INCONCLUSIVE)).conclude() == NOT_MATCHED


# --- what the subject stopped -----------------------------------------------------------------


@pytest.mark.parametrize("result", MatchResult)
def test_a_lock_stops_matching_by_consent(result: MatchResult) -> None:
    """Procedure, cl. 4: the subject may stop a consent, for every result of the comparison."""
    locked = BY_CONSENT.but(person=LOCKED, match=found(result))

    assert locked.conclude() == Conclusion(
        outcome=Outcome.REFUSED, reasons=(Reason(code=Code.MAT_05),)
    )


@pytest.mark.parametrize("result", MatchResult)
def test_a_lock_has_no_effect_on_a_basis_in_law(result: MatchResult) -> None:
    """Procedure, cl. 5: the disclosure needs no consent, so the lock neither stops it nor shows."""
    case = BY_LAW.but(match=found(result))

    assert case.but(person=LOCKED).conclude() == case.conclude()


# --- what is left out -------------------------------------------------------------------------


@BOTH
def test_missing_attributes_are_omitted_and_named(case: Case) -> None:
    """docs/architecture.md, invariant 3: only missing or disputed attributes are omitted, and
    named.
    """
    values = {name: value for name, value in PERSON.values.items() if name != "birthDate"}

    assert case.but(person=replace(PERSON, values=values)).conclude() == Conclusion(
        outcome=Outcome.RELEASED,
        reasons=(Reason(code=Code.REL_01, field="birthDate"),),
        released=NAME_AND_BIRTH - {Attribute.BIRTH_DATE},
    )


@BOTH
def test_disputed_attributes_are_withheld_and_named(case: Case) -> None:
    """Procedure, cl. 14: data that are being corrected are not given."""
    disputed = replace(PERSON, disputed=frozenset({Attribute.SURNAME, Attribute.ADDRESS}))

    assert case.but(person=disputed).conclude() == Conclusion(
        outcome=Outcome.RELEASED,
        reasons=(Reason(code=Code.REL_02, field="surname"),),
        released=NAME_AND_BIRTH - {Attribute.SURNAME},
    )


def test_unrequested_attributes_are_not_released() -> None:
    """The address is recorded and agreed, but nobody requested it."""
    released = BY_CONSENT.conclude().released

    assert Attribute.ADDRESS in PERSON.values
    assert Attribute.ADDRESS not in released


# --- refusals ---------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("person", [PERSON, LOCKED, None])
def test_a_refusal_stays_a_refusal_after_any_match(case: Case, person: object) -> None:
    """A comparison that was made by mistake changes nothing and is not revealed."""
    refused = case.on(proof=FORGED)

    assert refused.but(person=person).conclude() == refused.but(match=None).conclude()
    assert refused.conclude().outcome is Outcome.REFUSED


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.RELEASED}))
def test_only_a_release_can_hold_attributes(outcome: Outcome) -> None:
    """A contradictory conclusion cannot be made."""
    with pytest.raises(ValueError, match="releases nothing"):
        Conclusion(outcome=outcome, released=NAME_AND_BIRTH)


def test_records_do_not_print_their_content() -> None:
    """docs/architecture.md, invariant 7: a printed record shows neither the PIN nor a name."""
    text = repr(PERSON) + repr(PERSON.values[Attribute.SURNAME])

    assert PERSON.pin.digits not in text
    assert "Үлгүлүев" not in text
