"""Properties that are true of every case, not only of chosen ones.

`makul_testing.strategies` generates cases so that permitted and refused ones both occur by the
hundred; the last test here checks that.
"""

import random
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from makul.domain import eligibility, grounds
from makul.domain.agreements import AgreementState
from makul.domain.calendar import CLOCK_TOLERANCE
from makul.domain.consents import Consent, ResultForm
from makul.domain.disclosures import (
    Outcome,
    ProofStatus,
)
from makul.domain.legal_bases import BasisStatement, Provision
from makul.domain.matches import MatchResult, MatchVerdict
from makul.domain.reason_texts import text
from makul.domain.reasons import CATALOGUE
from makul.domain.recipients import RecipientState
from makul.domain.rules import Verdict
from makul_testing.builders.cases import (
    BY_LAW,
    PERSON,
    Case,
    found,
)
from makul_testing.strategies import SHUFFLES, THOROUGH, cases, document

# --- invariant 3 ------------------------------------------------------------------------------


@THOROUGH
@given(cases())
def test_release_needs_request_ground_agreement_and_powers(case: Case) -> None:
    """docs/architecture.md, invariant 3: released ⊆ requested ∩ consented ∩ agreement ∩ powers ∩
    held.
    """
    released = case.conclude().released
    stated = document(case)

    assert case.agreement is not None
    assert released <= case.request.attributes
    assert released <= stated.attributes
    assert released <= case.agreement.attributes
    if isinstance(stated, BasisStatement) and stated.provision == Provision.OFFICIAL_REQUEST:
        assert released <= case.agreement.powers.get(case.request.purpose, frozenset())
    if released:
        assert case.person is not None
        assert released <= set(case.person.values) - case.person.disputed


def entitled(case: Case) -> bool:
    """Judge by a second reading of the Procedure, one sentence in a line, without the rules."""
    request, agreement, recipient = case.request, case.agreement, case.recipient
    ground, stated = case.ground, document(case)
    assert agreement is not None
    assert recipient is not None
    assert ground is not None
    return all(
        (
            recipient.code == request.recipient == agreement.recipient == stated.recipient,
            recipient.state is RecipientState.ACTIVE,
            agreement.number == request.agreement_number == stated.agreement_number,
            agreement.state is AgreementState.IN_FORCE,
            agreement.valid_from <= case.at < agreement.valid_to,
            request.channel in agreement.channels,
            request.purpose in agreement.purposes,
            recipient.kind.clause == "3d" or agreement.competences.get(request.purpose, " ") != " ",
            request.purpose == stated.purpose,
            request.methods,
            request.methods <= agreement.methods,
            request.attributes <= agreement.attributes & stated.attributes,
            request.attributes or stated.result_form is ResultForm.YES_NO,
            request.operation.result_form is stated.result_form,
            request.subject in (stated.subject, None),
            case.at < stated.valid_to,
            0 <= ground.use.used < stated.max_disclosures,
            not ground.use.revoked and not ground.use.digest_differs,
            ground.proof.status is ProofStatus.PASSED,
            by_the_subject(case, stated) if isinstance(stated, Consent) else by_law(case, stated),
        )
    )


def by_the_subject(case: Case, consent: Consent) -> bool:
    """Judge by clause 4: the subject's own consent, known to the operator, in force."""
    return (
        case.ground is not None
        and case.ground.proof.signer is not None
        and case.ground.proof.signer.pin == consent.subject
        and consent.controller == case.operator
        and case.request.methods <= consent.methods
        and consent.given_at <= case.at + CLOCK_TOLERANCE
        and consent.valid_from <= case.at + CLOCK_TOLERANCE
        and max(consent.given_at, consent.valid_from) < consent.valid_to
        and not consent.represented
        and not consent.on_paper
    )


def by_law(case: Case, statement: BasisStatement) -> bool:
    """Judge by clause 5: a body entitled to the provision, its official, an act, its powers."""
    body, agreement, purpose = case.recipient, case.agreement, case.request.purpose
    assert body is not None
    assert agreement is not None
    kinds = (
        {"3a", "3b"} if statement.provision not in {"VITAL_INTEREST", "OFFICIAL_REQUEST"} else set()
    )
    kinds = kinds or {"3a", "3b", "3c"}
    kinds = {"3a", "3b", "3c", "3d", "3e"} if statement.provision == "LAW" else kinds
    within_powers = statement.provision != "OFFICIAL_REQUEST" or (
        purpose in agreement.powers and case.request.attributes <= agreement.powers[purpose]
    )
    return (
        case.ground is not None
        and case.ground.proof.signer is not None
        and case.ground.proof.signer.official == statement.official
        and statement.provision in agreement.provisions
        and body.kind.clause in kinds
        and within_powers
        and statement.issued_at <= case.at + CLOCK_TOLERANCE
        and statement.issued_at < statement.valid_to
        and statement.act.issued_on <= (statement.issued_at + timedelta(hours=6)).date()
        and statement.case_number != " "
        and (statement.hidden_until is None or kinds == {"3a", "3b"})
    )


@THOROUGH
@given(cases())
def test_rules_agree_with_a_second_reading(case: Case) -> None:
    """Procedure, cl. 3 to 5 and 7: the rules permit exactly what a second reading permits."""
    assert case.decide().permitted is entitled(case)


# --- no match, no data ------------------------------------------------------------------------


@THOROUGH
@given(cases())
def test_nothing_is_disclosed_without_a_match(case: Case) -> None:
    """Procedure, cl. 10: data and a yes need a match of the requested person by every method."""
    is_disclosed = case.conclude().outcome in {Outcome.RELEASED, Outcome.MATCHED}
    methods = case.match.methods if case.match is not None else ()

    if is_disclosed:
        assert case.decide().permitted
        assert {verdict.result for verdict in methods} == {MatchResult.MATCH}
        assert case.request.methods <= {verdict.method for verdict in methods}
        assert case.person is not None
        assert case.person.pin == case.request.subject
        assert not (case.person.locked and case.decide().by_consent)


@THOROUGH
@given(cases(), st.sampled_from([None, found(), found(MatchResult.NO_MATCH)]))
def test_no_case_at_all_releases_without_a_match(case: Case, match: MatchVerdict | None) -> None:
    """Procedure, cl. 10: no other property of a case replaces the match."""
    assert case.but(match=match).conclude().released == frozenset()


# --- reasons ----------------------------------------------------------------------------------


@THOROUGH
@given(cases())
def test_only_refused_cases_have_reasons(case: Case) -> None:
    """docs/architecture.md, invariant 8: every reason cites its clause and has three languages."""
    decision, conclusion = case.decide(), case.conclude()

    assert decision.permitted is not bool(decision.reasons)
    if conclusion.outcome not in {Outcome.RELEASED, Outcome.MATCHED}:
        assert conclusion.reasons
    for reason in (*decision.reasons, *conclusion.reasons):
        assert reason.clause == CATALOGUE[reason.code].clause
        assert all((text(reason.code).ky, text(reason.code).ru, text(reason.code).en))


@THOROUGH
@given(cases())
def test_undetermined_cases_disclose_nothing(case: Case) -> None:
    """UNKNOWN and INDETERMINATE are not yes; without a failed rule they are not no either."""
    decision, conclusion = case.decide(), case.conclude()
    verdicts = {ruling.verdict for ruling in decision.rulings}

    if case.ground is not None and case.ground.proof.status is not ProofStatus.PASSED:
        assert conclusion.outcome in {Outcome.REFUSED, Outcome.UNDETERMINED}
    if Verdict.UNKNOWN in verdicts:
        assert conclusion.outcome in {Outcome.REFUSED, Outcome.UNDETERMINED}
        assert (conclusion.outcome is Outcome.REFUSED) is (Verdict.FAILED in verdicts)
    assert (conclusion.outcome is Outcome.REFUSED) <= bool(conclusion.reasons)


@THOROUGH
@given(cases(start=(BY_LAW,)))
def test_a_caller_without_consent_does_not_learn_who_is_registered(case: Case) -> None:
    """docs/architecture.md, invariant 6: unknown, locked and not matched get one answer."""
    quiet = case.but(match=found(MatchResult.NO_MATCH))
    answers = [
        quiet.but(person=person).conclude()
        for person in (None, PERSON, replace(PERSON, locked=True), replace(PERSON, values={}))
    ]
    near = case.but(match=found(MatchResult.INCONCLUSIVE), person=PERSON).conclude()

    assert {repr(answer) for answer in (*answers, near)} == {repr(answers[0])}


# --- order ------------------------------------------------------------------------------------


@THOROUGH
@given(cases(), SHUFFLES)
def test_no_order_changes_a_decision(case: Case, rng: random.Random) -> None:
    """Sets, maps, methods and rules may come in any order."""

    def shuffled(things: Any) -> list[Any]:
        return rng.sample(list(things), len(things))

    agreement = case.agreement
    assert agreement is not None
    again = case.asking(
        attributes=frozenset(shuffled(case.request.attributes)),
        methods=frozenset(shuffled(case.request.methods)),
    ).under(
        attributes=frozenset(shuffled(agreement.attributes)),
        purposes=frozenset(shuffled(agreement.purposes)),
        powers=dict(shuffled(agreement.powers.items())),
    )
    if case.match is not None:
        again = again.but(match=MatchVerdict(tuple(shuffled(case.match.methods))))
    with ExitStack() as stack:
        for module, rules in (
            (eligibility, "ELIGIBILITY_RULES"),
            (grounds, "CONSENT_RULES"),
            (grounds, "BASIS_RULES"),
        ):
            order = tuple(shuffled(getattr(module, rules)))
            stack.enter_context(patch.object(module, rules, order))
        reordered, conclusion = again.decide(), again.conclude()

    decision = case.decide()
    assert reordered.permitted is decision.permitted
    assert set(reordered.rulings) == set(decision.rulings)
    assert reordered.releasable == decision.releasable
    assert conclusion.outcome is case.conclude().outcome
    assert conclusion.released == case.conclude().released


# --- the cases are worth their while ----------------------------------------------------------


AT_LEAST = {
    Outcome.RELEASED: 50,
    Outcome.MATCHED: 50,
    Outcome.NOT_MATCHED: 10,
    Outcome.REFUSED: 200,
    Outcome.UNDETERMINED: 10,
}
"""The minimum number of each outcome in six hundred cases."""


def test_the_drawn_cases_have_every_outcome() -> None:
    """Properties over cases that are all refused would prove nothing."""
    outcomes: dict[Outcome, int] = {}

    @settings(THOROUGH, max_examples=900, derandomize=True)
    @given(cases())
    def draw_them(case: Case) -> None:
        outcome = case.conclude().outcome
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    draw_them()

    for outcome, at_least in AT_LEAST.items():
        assert outcomes.get(outcome, 0) >= at_least, outcomes
