"""Paper consents and consents by representatives (Procedure, cl. 4; CNS-11 to CNS-13)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from makul.domain.attributes import Attribute
from makul.domain.calendar import legal_day
from makul.domain.consents import PaperConsent, Representation
from makul.domain.disclosures import DocumentSigner, Outcome, Proof, ProofStatus
from makul.domain.identifiers import Pin
from makul.domain.matches import MatchResult
from makul.domain.reasons import Code
from makul_testing.builders.cases import (
    AT,
    BANK_AGREEMENT,
    BY_CONSENT,
    CONSENT,
    CONSENT_GROUND,
    PERSON,
    SUBJECT,
    Case,
    found,
)

OFFICIAL = "B-1001"
TODAY = legal_day(AT)
PAPER = PaperConsent(
    date=TODAY - timedelta(days=1),
    official=OFFICIAL,
    media_type="application/pdf",
    scan_digest=bytes(32),
)
OPEN = replace(BANK_AGREEMENT, paper_allowed=True, representatives_allowed=True)

CHILD = Pin("10101201500017")
PARENT_PIN = Pin("11502198500025")
TEENAGER = Pin("10203200900033")
BY_PARENT = Representation(
    pin=PARENT_PIN, kind="PARENT", valid_to=None, document_digest=bytes(32), media_type="image/png"
)


def signed(*, pin: Pin | None = None, official: str | None = None) -> Proof:
    signer = DocumentSigner(fingerprint=bytes(32), pin=pin, official=official)
    return Proof(status=ProofStatus.PASSED, signer=signer)


ON_PAPER = replace(
    BY_CONSENT,
    agreement=OPEN,
    request=replace(BY_CONSENT.request, employee="teller-42"),
    ground=replace(
        CONSENT_GROUND,
        consent=replace(CONSENT, paper=PAPER),
        proof=signed(official=OFFICIAL),
        scan_held=True,
    ),
)
FOR_CHILD = replace(
    BY_CONSENT,
    agreement=OPEN,
    request=replace(BY_CONSENT.request, subject=CHILD),
    ground=replace(
        CONSENT_GROUND,
        consent=replace(CONSENT, subject=CHILD, representative=BY_PARENT),
        proof=signed(pin=PARENT_PIN),
        authority_held=True,
    ),
)


def ground(case: Case, **changes: Any) -> Case:
    return replace(case, ground=replace(case.ground, **changes))


def test_a_paper_consent_is_a_consent() -> None:
    """Procedure, cl. 4: a consent is in writing on paper, or an electronic document."""
    assert ON_PAPER.against() == set()


@pytest.mark.parametrize(
    ("case", "against"),
    [
        (replace(ON_PAPER, agreement=BANK_AGREEMENT), {("CNS-12", "paper")}),
        (ON_PAPER.asking(employee=None), {("CNS-12", "employee")}),
        (ON_PAPER.asking(employee=" b-1001"), {("CNS-12", "employee")}),
        (ON_PAPER.asking(employee="B- 1001"), {("CNS-12", "employee")}),
        (ON_PAPER.asking(employee="\uff22-\uff11001"), {("CNS-12", "employee")}),
        (
            ON_PAPER.saying(paper=replace(PAPER, date=legal_day(CONSENT.given_at) + timedelta(1))),
            {("CNS-12", "date")},
        ),
        (ground(ON_PAPER, scan_held=False), {("CNS-13", "scan")}),
        (ground(ON_PAPER, proof=signed(official="B-1002")), {("CNS-02", None)}),
        (ground(ON_PAPER, proof=signed(official=None)), {("CNS-02", None)}),
        (ground(ON_PAPER, proof=signed(pin=SUBJECT)), {("CNS-02", None)}),
    ],
)
def test_a_paper_consent_needs_all_its_parts(
    case: Case, against: set[tuple[str, str | None]]
) -> None:
    """It needs an official other than the employee, a scan, and an agreement that permits it."""
    assert case.against() == against


def test_a_parent_consents_for_a_child() -> None:
    """CNS-11: the parent signs, and a document proves who the parent is."""
    assert FOR_CHILD.against() == set()


@pytest.mark.parametrize(
    ("case", "against"),
    [
        (replace(FOR_CHILD, agreement=BANK_AGREEMENT), {("CNS-11", "agreementNumber")}),
        (ground(FOR_CHILD, authority_held=False), {("CNS-11", "authorityDocument")}),
        (ground(FOR_CHILD, proof=signed(pin=CHILD)), {("CNS-02", None)}),
        (ground(FOR_CHILD, proof=signed(pin=SUBJECT)), {("CNS-02", None)}),
        (
            FOR_CHILD.saying(representative=replace(BY_PARENT, kind="NEIGHBOUR")),
            {("CNS-11", "authority")},
        ),
        (
            FOR_CHILD.saying(representative=replace(BY_PARENT, pin=None)),
            {("CNS-02", None), ("CNS-11", "representative"), ("CNS-11", "authority")},
        ),
        (
            FOR_CHILD.saying(representative=replace(BY_PARENT, valid_to=TODAY - timedelta(days=1))),
            {("CNS-11", "authority")},
        ),
        (
            ground(
                FOR_CHILD.saying(representative=replace(BY_PARENT, pin=TEENAGER)),
                proof=signed(pin=TEENAGER),
            ),
            {("CNS-11", "authority")},
        ),
    ],
)
def test_a_representative_needs_all_parts(case: Case, against: set[tuple[str, str | None]]) -> None:
    """CNS-11 names the missing part."""
    assert case.against() == against


def test_a_parent_cannot_consent_for_an_adult() -> None:
    """A parent's consent ends when the child comes of age."""
    grown = replace(FOR_CHILD, request=replace(FOR_CHILD.request, subject=SUBJECT))

    assert grown.saying(subject=SUBJECT).against() == {("CNS-11", "authority")}


@pytest.mark.parametrize(
    ("born", "outcome"),
    [
        (date(2015, 1, 1), Outcome.RELEASED),
        (TODAY.replace(year=TODAY.year - 18), Outcome.NOT_MATCHED),
        (date(2000, 1, 1), Outcome.NOT_MATCHED),
        (None, Outcome.RELEASED),
    ],
)
def test_a_corrected_birth_date_ends_what_a_parent_may_consent_to(
    born: date | None, outcome: Outcome
) -> None:
    """Procedure, cl. 4 and 14: the record's birth date counts, not the digits of the PIN.

    The subject did not consent then, so the answer only says that there is no match.
    """
    values = {name: value for name, value in PERSON.values.items() if name != "birthDate"}
    held = values if born is None else {**values, Attribute.BIRTH_DATE: born}
    case = FOR_CHILD.but(person=replace(PERSON, pin=CHILD, values=held))

    assert case.conclude().outcome is outcome
    if outcome is Outcome.NOT_MATCHED:
        nothing = case.conclude()
        locked = case.but(person=replace(PERSON, pin=CHILD, values=held, locked=True))
        near = case.but(match=found(MatchResult.INCONCLUSIVE))
        assert {locked.conclude(), near.conclude()} == {nothing}
        assert [reason.code for reason in nothing.reasons] == [Code.MAT_01]


def test_a_power_of_attorney_is_for_any_age() -> None:
    """A subject who is of age by the record may have given a power of attorney."""
    power = replace(BY_PARENT, kind="POWER_OF_ATTORNEY", valid_to=TODAY + timedelta(days=1))
    values = {**PERSON.values, Attribute.BIRTH_DATE: date(2000, 1, 1)}
    grown = FOR_CHILD.but(person=replace(PERSON, pin=CHILD, values=values))

    assert grown.saying(representative=power).conclude().outcome is Outcome.RELEASED


@pytest.mark.parametrize(("days", "holds"), [(-1, False), (0, True), (30, True), (None, False)])
def test_a_power_of_attorney_lasts_to_its_last_day(days: int | None, holds: bool) -> None:
    """A power of attorney without a last day proves nothing; the subject may have any age."""
    until = None if days is None else TODAY + timedelta(days=days)
    power = replace(BY_PARENT, kind="POWER_OF_ATTORNEY", valid_to=until)
    case = replace(FOR_CHILD, request=replace(FOR_CHILD.request, subject=SUBJECT))

    against = case.saying(subject=SUBJECT, representative=power).against()

    assert against == (set() if holds else {("CNS-11", "authority")})


@pytest.mark.parametrize(
    ("day", "age"),
    [(date(2033, 1, 1), 18), (date(2032, 12, 31), 17), (date(2015, 1, 1), 0)],
)
def test_an_age_is_counted_in_full_years(day: date, age: int) -> None:
    """A person is one year older on the birthday."""
    assert CHILD.age_on(day) == age
