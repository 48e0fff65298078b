"""The decision as a whole: every rule is judged, and no single rule decides (cl. 4, 5 and 7)."""

from dataclasses import replace

import pytest

from makul.domain.consents import ResultForm
from makul.domain.decision import Decision
from makul.domain.disclosures import Operation, Outcome
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.domain.rules import Verdict
from makul_testing.builders.cases import (
    BANK_AGREEMENT,
    BODY_CODE,
    BY_CONSENT,
    BY_LAW,
    CONSENT_GROUND,
    MARKETING,
    NAME_AND_BIRTH,
    REVOCATION_UNKNOWN,
    STRANGER_CODE,
    Case,
)


@pytest.mark.parametrize("case", [BY_CONSENT, BY_LAW])
def test_a_request_that_passes_every_rule_is_permitted(case: Case) -> None:
    """Procedure, cl. 4, 5 and 7: recipient, agreement and ground are all valid."""
    decision = case.decide()

    assert decision.permitted
    assert decision.reasons == ()
    assert decision.releasable == NAME_AND_BIRTH


@pytest.mark.parametrize("case", [BY_CONSENT, BY_LAW])
def test_every_rule_is_answered(case: Case) -> None:
    """ExplainDecision returns each rule with its verdict, failed or not."""
    codes = [ruling.code for ruling in case.decide().rulings]

    assert len(codes) == len(set(codes))
    assert {Code.RCP_01, Code.AGR_01, Code.AGR_04, Code.REQ_08} <= set(codes)
    assert (Code.CNS_02 in codes) is (Code.LAW_09 not in codes)


def test_the_rulings_of_a_consent_begin_with_its_presence() -> None:
    """CNS-01 passes if a consent was presented, even a bad one."""
    rulings = {
        ruling.code: ruling.verdict for ruling in BY_CONSENT.on(consent=None).decide().rulings
    }

    assert rulings[Code.CNS_01] is Verdict.PASSED
    assert rulings[Code.CNS_02] is Verdict.FAILED


def test_no_ground_is_no_permission() -> None:
    """Procedure, cl. 4: only with consent, or on a basis of cl. 5."""
    decision = BY_LAW.but(ground=None).decide()

    assert {reason.code for reason in decision.reasons} == {Code.CNS_01}
    assert decision.releasable == frozenset()
    assert decision.outcome_if_not_permitted is Outcome.REFUSED


def test_a_consent_to_a_bank_serves_no_other_body() -> None:
    """Procedure, cl. 4: a bank's consent is no consent to another body."""
    stolen = BY_LAW.but(ground=CONSENT_GROUND)

    assert {"CNS-07", "CNS-08", "CNS-15"} <= stolen.codes()


def test_a_failed_rule_outweighs_an_undetermined_one() -> None:
    """A clear no is a refusal, although another rule is undetermined."""
    mixed = BY_CONSENT.on(proof=REVOCATION_UNKNOWN).saying(purpose=MARKETING)

    assert mixed.decide().outcome_if_not_permitted is Outcome.REFUSED
    assert mixed.codes() == {"CNS-02", "CNS-08"}


def test_a_stopped_recipient_is_refused_with_any_consent() -> None:
    """Procedure, cl. 12: the recipient is stopped completely."""
    stopped = BY_CONSENT.by(state=RecipientState.CUT_OFF)

    assert not stopped.decide().permitted
    assert stopped.conclude().outcome is Outcome.REFUSED


def test_a_borrowed_agreement_grants_nothing() -> None:
    """Procedure, cl. 7: its attributes do not count for a release either."""
    borrowed = BY_CONSENT.but(agreement=replace(BANK_AGREEMENT, recipient=STRANGER_CODE))

    assert borrowed.decide().releasable == frozenset()


def test_a_yes_or_no_releases_no_attribute() -> None:
    """VerifyPerson never gives data, although its consent and request name attributes."""
    verify = BY_CONSENT.asking(operation=Operation.VERIFY_PERSON).saying(
        result_form=ResultForm.YES_NO
    )

    assert verify.decide().permitted
    assert verify.decide().releasable == frozenset()


def test_a_decision_without_a_single_ruling_permits_nothing() -> None:
    """A decision without rulings permits nothing."""
    empty = Decision(
        request=BY_CONSENT.request, rulings=(), releasable=NAME_AND_BIRTH, by_consent=True
    )

    assert not empty.permitted
    assert empty.outcome_if_not_permitted is Outcome.UNDETERMINED


def test_a_decision_refuses_truth_testing() -> None:
    """`if decision:` would let everything pass."""
    with pytest.raises(TypeError, match="no truth of"):
        bool(BY_CONSENT.decide())


def test_the_consent_must_name_this_operator() -> None:
    """Procedure, cl. 7: a consent that is addressed to another operator permits nothing here."""
    assert BY_CONSENT.but(operator=BODY_CODE).against() == {("CNS-07", "controller")}
