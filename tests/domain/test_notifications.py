"""When subjects may learn of a decision, how often it is tried, and what they read (cl. 4, 5.1)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from makul.domain.disclosures import (
    BasisGround,
    GroundKind,
    GroundRef,
    Outcome,
    Proof,
    ProofStatus,
    reference,
)
from makul.domain.identifiers import PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.notification_texts import describe
from makul.domain.notifications import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    NotificationFacts,
    NotificationKind,
    pause_after,
    visible_from,
)
from makul.domain.reason_texts import Text
from makul_testing.builders.documents import BASIS
from makul_testing.builders.notifications import some_notification_facts
from makul_testing.builders.records import NOON

LATER = NOON + timedelta(days=90)
LINK = "https://portal.example/not-me/{pin}"


def a_reference(provision: str, hidden_until: object) -> GroundRef | None:
    statement = replace(BASIS, provision=provision, hidden_until=hidden_until, issued_at=NOON)
    proof = Proof(status=ProofStatus.PASSED)
    return reference(BasisGround(proof=proof, statement=statement, digest=b"d"))


@pytest.mark.parametrize("provision", [each for each in Provision if each.clause == "5.1"])
def test_only_cl_5_1_delays_a_notification(provision: Provision) -> None:
    assert visible_from(a_reference(provision, LATER), at=NOON) == LATER


@pytest.mark.parametrize(
    "provision", [*(each for each in Provision if each.clause != "5.1"), "UNKNOWN"]
)
def test_no_other_basis_delays_it(provision: str) -> None:
    assert visible_from(a_reference(provision, LATER), at=NOON) == NOON


@pytest.mark.parametrize("hidden_until", [None, NOON - timedelta(days=1), NOON])
def test_a_date_that_has_passed_delays_nothing(hidden_until: object) -> None:
    assert visible_from(a_reference("JUDICIAL", hidden_until), at=NOON) == NOON


def test_no_ground_delays_nothing() -> None:
    assert visible_from(None, at=NOON) == NOON


def test_pauses_double_up_to_a_limit() -> None:
    assert [pause_after(number) / FIRST_PAUSE for number in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_after(10**9) == LONGEST_PAUSE


def described(facts: NotificationFacts, name: str = "Ала-Тоо Банк") -> Text:
    return describe(facts, recipient_name=name, link=LINK, link_expires_at=LATER, answer_by=None)


def test_the_text_says_who_when_why_and_what() -> None:
    """The time is that of the Republic, UTC+6."""
    assert described(some_notification_facts(purpose=PurposeCode("ACCOUNT_OPENING"))).en == (
        "Ала-Тоо Банк received data about you. Time: 02.11.2026 18:00 (Bishkek). Ground: your"
        " consent (clause 4 of the Procedure). Purpose: ACCOUNT_OPENING. Data given: Given name,"
        " Surname. If that was not you, or you did not consent, report it by this link:"
        f" {LINK}. The link works once, until 31.01.2027 18:00."
    )


@pytest.mark.parametrize("kind", NotificationKind)
@pytest.mark.parametrize("ground", [GroundKind.CONSENT, GroundKind.BASIS, None])
@pytest.mark.parametrize("outcome", [Outcome.RELEASED, Outcome.MATCHED, Outcome.ACCEPTED])
def test_every_text_is_complete(
    kind: NotificationKind, ground: GroundKind | None, outcome: Outcome
) -> None:
    """Each language has the link and the recipient, and no placeholder is left."""
    provision = Provision.LAW.value if ground is GroundKind.BASIS else None
    facts = some_notification_facts(kind=kind, ground=ground, outcome=outcome, provision=provision)

    text = described(facts)

    for each in (text.ky, text.ru, text.en):
        assert each.count(LINK) == 1
        assert each.count("Ала-Тоо Банк") == 1
        assert "{" not in each.replace(LINK, "")


def test_a_name_in_braces_is_no_placeholder() -> None:
    """A registered name cannot pull other values into the text."""
    text = described(some_notification_facts(), name="{link} {0.__class__} {at}")

    assert text.en.startswith("{link} {0.__class__} {at} received data about you.")
