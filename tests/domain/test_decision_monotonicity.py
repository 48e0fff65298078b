"""Rights only add: a removed right refuses more, and never releases more."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from makul.domain.agreements import AgreementState
from makul.domain.consents import Consent
from makul.domain.disclosures import (
    GroundUse,
    Outcome,
)
from makul.domain.matches import MatchResult
from makul.domain.recipients import RecipientState
from makul_testing.builders.cases import (
    BY_CONSENT,
    BY_LAW,
    DAY,
    FORGED,
    REVOCATION_UNKNOWN,
    Case,
    found,
)
from makul_testing.strategies import SHUFFLES, THOROUGH, cases, document

Removal = Callable[[Case, random.Random], Case]


def less(things: frozenset[Any], rng: random.Random) -> frozenset[Any]:
    """Return the case with one right removed."""
    return things - {rng.choice(sorted(things))} if things else things


def _agreement(part: str) -> Removal:
    return lambda case, rng: case.under(**{part: less(getattr(case.agreement, part), rng)})


def _document(part: str) -> Removal:
    return lambda case, rng: case.saying(**{part: less(getattr(document(case), part), rng)})


def _fewer_powers(case: Case, rng: random.Random) -> Case:
    powers = dict(case.agreement.powers) if case.agreement else {}
    purpose = case.request.purpose
    if rng.random() < 0.3:
        powers.pop(purpose, None)
    elif purpose in powers:
        powers[purpose] = less(powers[purpose], rng)
    return case.under(powers=powers)


def _fewer_consented_methods(case: Case, rng: random.Random) -> Case:
    consent = document(case)
    if not isinstance(consent, Consent):
        return case
    return case.saying(methods=less(consent.methods, rng))


def _used_once_more(case: Case, _: random.Random) -> Case:
    assert case.ground is not None
    return case.on(use=replace(case.ground.use, used=case.ground.use.used + 1))


REMOVALS: dict[str, Removal] = {
    "an attribute of the agreement": _agreement("attributes"),
    "a purpose": _agreement("purposes"),
    "a method of the agreement": _agreement("methods"),
    "a channel": _agreement("channels"),
    "a provision": _agreement("provisions"),
    "a power": _fewer_powers,
    "an attribute of the consent or basis": _document("attributes"),
    "a method of the consent": _fewer_consented_methods,
    "a use": _used_once_more,
    "the agreement's term": lambda case, _: case.under(valid_to=case.at),
    "the agreement's start": lambda case, _: case.under(valid_from=case.at + DAY),
    "the document's term": lambda case, _: case.saying(valid_to=case.at),
    "the agreement": lambda case, _: case.but(agreement=None),
    "the agreement's force": lambda case, _: case.under(state=AgreementState.DRAFT),
    "the recipient's standing": lambda case, _: case.by(state=RecipientState.CUT_OFF),
    "the registration": lambda case, _: case.but(recipient=None),
    "the ground": lambda case, _: case.but(ground=None),
    "the document": lambda case, _: case.on(use=GroundUse(revoked=True)),
    "the signature": lambda case, _: case.on(proof=FORGED),
    "certainty about the signature": lambda case, _: case.on(proof=REVOCATION_UNKNOWN),
    "the match": lambda case, _: case.but(match=found(MatchResult.NO_MATCH)),
    "the record": lambda case, _: case.but(person=None),
}
DECISIVE = {
    "a channel",
    "a use",
    "the agreement's term",
    "the agreement's start",
    "the document's term",
    "the agreement",
    "the agreement's force",
    "the recipient's standing",
    "the registration",
    "the ground",
    "the document",
    "the signature",
    "certainty about the signature",
    "the match",
    "the record",
    "a purpose",
    "a method of the agreement",
}
"""Rights that the good cases have exactly once: without any of them nothing is released."""


@pytest.mark.parametrize("right", REMOVALS)
@settings(THOROUGH, max_examples=100)
@given(case=cases(), rng=SHUFFLES)
def test_a_removed_right_never_releases_more(right: str, case: Case, rng: random.Random) -> None:
    """Procedure, cl. 4, 5 and 7: no refusal becomes a release, and no release grows."""
    poorer = REMOVALS[right](case, rng)
    before, after = case.conclude(), poorer.conclude()

    assert after.released <= before.released
    assert poorer.decide().permitted <= case.decide().permitted
    if after.outcome is Outcome.MATCHED:
        assert before.outcome is Outcome.MATCHED


@pytest.mark.parametrize("right", sorted(DECISIVE))
@pytest.mark.parametrize("case", [BY_CONSENT, BY_LAW], ids=["consent", "basis"])
def test_every_right_is_needed(case: Case, right: str) -> None:
    """Each right alone, removed from a good case, refuses the whole request."""
    poorer = REMOVALS[right](case, random.Random(7))  # noqa: S311  (a choice, not a secret)

    assert poorer.conclude().outcome not in {Outcome.RELEASED, Outcome.MATCHED}
