"""What leaves once the person was compared (Procedure, cl. 10; withheld meanwhile, cl. 14)."""

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
    """Procedure, cl. 10: exactly what was asked for and allowed."""
    assert case.conclude() == Conclusion(outcome=Outcome.RELEASED, released=NAME_AND_BIRTH)


@BOTH
def test_a_yes_or_no_is_answered_without_data(case: Case) -> None:
    """VerifyPerson: MATCHED, and nothing else leaves."""
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
    """Invariant 6: whatever the comparison with a decoy says, nobody is disclosed."""
    conclusion = case.but(person=None, match=found(result)).conclude()

    assert conclusion.released == frozenset()
    assert conclusion.outcome in {Outcome.NOT_MATCHED, Outcome.UNDETERMINED}


@BOTH
def test_another_persons_record_is_never_given(case: Case) -> None:
    """The record is that of the PIN that the consent or basis speaks of, or of nobody."""
    assert case.but(person=replace(PERSON, pin=SOMEONE_ELSE)).conclude() == NOT_MATCHED


@BOTH
def test_a_request_about_nobody_gives_nobodys_record(case: Case) -> None:
    """A dry run's decision, taken to a conclusion by mistake, releases nothing."""
    assert case.asking(subject=None).conclude() == NOT_MATCHED


@BOTH
def test_every_method_that_was_asked_for_is_compared(case: Case) -> None:
    """Two methods asked and one compared is not a match: an engine's silence is not consent."""
    both = frozenset({MatchMethod.DEMOGRAPHIC, MatchMethod.FACE})
    names = frozenset(method.value for method in both)
    asking = case.under(methods=both).asking(methods=names)
    if case is BY_CONSENT:
        asking = asking.saying(methods=names)
    matched = tuple(finding(MatchResult.MATCH, method) for method in sorted(both))

    assert asking.conclude().outcome is Outcome.UNDETERMINED
    assert asking.but(match=found(MatchResult.NO_MATCH)).conclude() == NOT_MATCHED
    assert asking.but(match=MatchVerdict(matched)).conclude().outcome is Outcome.RELEASED


# --- what could not be told -------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("match", [found(MatchResult.UNAVAILABLE), found(), None])
def test_a_comparison_that_could_not_be_made_leaves_the_request_open(
    case: Case, match: MatchVerdict | None
) -> None:
    """OPS-02: "could not tell" is not "no", and neither discloses."""
    conclusion = case.but(match=match).conclude()

    assert conclusion == Conclusion(
        outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_02),)
    )
    assert leaves_open(conclusion.reasons)


def test_in_doubt_a_subject_who_consented_is_asked_for_more() -> None:
    """MAT-02: with the subject's own consent, that data are lacking may be told."""
    conclusion = BY_CONSENT.but(match=found(MatchResult.INCONCLUSIVE)).conclude()

    assert conclusion.outcome is Outcome.UNDETERMINED
    assert conclusion.reasons == (Reason(code=Code.MAT_02),)


def test_in_doubt_a_body_is_told_no_more_than_no() -> None:
    """Invariant 6: without consent, "nearly" would tell that there is such a person."""
    assert BY_LAW.but(match=found(MatchResult.INCONCLUSIVE)).conclude() == NOT_MATCHED


# --- what the subject stopped -----------------------------------------------------------------


@pytest.mark.parametrize("result", MatchResult)
def test_a_lock_stops_matching_by_consent(result: MatchResult) -> None:
    """Procedure, cl. 4: consent is the subject's to stop, whatever the comparison found."""
    locked = BY_CONSENT.but(person=LOCKED, match=found(result))

    assert locked.conclude() == Conclusion(
        outcome=Outcome.REFUSED, reasons=(Reason(code=Code.MAT_05),)
    )


@pytest.mark.parametrize("result", MatchResult)
def test_a_lock_never_stops_nor_shows_in_a_basis_in_law(result: MatchResult) -> None:
    """Procedure, cl. 5: given without consent; the lock neither hinders it nor is told."""
    case = BY_LAW.but(match=found(result))

    assert case.but(person=LOCKED).conclude() == case.conclude()


# --- what is left out -------------------------------------------------------------------------


@BOTH
def test_what_is_not_held_is_left_out_and_named(case: Case) -> None:
    """Invariant 3: only attributes not held or disputed are left out, and named."""
    values = {name: value for name, value in PERSON.values.items() if name != "birthDate"}

    assert case.but(person=replace(PERSON, values=values)).conclude() == Conclusion(
        outcome=Outcome.RELEASED,
        reasons=(Reason(code=Code.REL_01, field="birthDate"),),
        released=NAME_AND_BIRTH - {Attribute.BIRTH_DATE},
    )


@BOTH
def test_what_is_disputed_is_withheld_and_named(case: Case) -> None:
    """Procedure, cl. 14: data being corrected are not given meanwhile."""
    disputed = replace(PERSON, disputed=frozenset({Attribute.SURNAME, Attribute.ADDRESS}))

    assert case.but(person=disputed).conclude() == Conclusion(
        outcome=Outcome.RELEASED,
        reasons=(Reason(code=Code.REL_02, field="surname"),),
        released=NAME_AND_BIRTH - {Attribute.SURNAME},
    )


def test_what_is_held_but_was_not_asked_for_stays() -> None:
    """The address is held and agreed, and nobody asked for it."""
    released = BY_CONSENT.conclude().released

    assert Attribute.ADDRESS in PERSON.values
    assert Attribute.ADDRESS not in released


# --- refusals ---------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("person", [PERSON, LOCKED, None])
def test_what_was_refused_stays_refused_whatever_matched(case: Case, person: object) -> None:
    """A comparison made by mistake changes nothing, and nothing of it is told."""
    refused = case.on(proof=FORGED)

    assert refused.but(person=person).conclude() == refused.but(match=None).conclude()
    assert refused.conclude().outcome is Outcome.REFUSED


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.RELEASED}))
def test_only_a_release_can_hold_attributes(outcome: Outcome) -> None:
    """A conclusion that contradicts itself cannot be made."""
    with pytest.raises(ValueError, match="releases nothing"):
        Conclusion(outcome=outcome, released=NAME_AND_BIRTH)


def test_records_do_not_print_what_they_hold() -> None:
    """Invariant 7: neither the PIN nor a name appears when a record is printed."""
    shown = repr(PERSON) + repr(PERSON.values[Attribute.SURNAME])

    assert PERSON.pin.digits not in shown
    assert "Үлгүлүев" not in shown
