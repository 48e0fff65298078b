"""Synthetic citizens are the same each time, well formed, and nobody real."""

from datetime import date, timedelta

import pytest

from makul.domain.attributes import NAMES, Attribute
from makul.domain.persons import LocalizedName
from makul_sandbox.data.citizens import (
    CORRECTED,
    DISPUTED_ADDRESS,
    LOCKED,
    MINOR,
    ONE_NAME,
    PARENT,
    WITHOUT_ADDRESS,
    citizens,
)
from makul_sandbox.data.names import to_latin

PEOPLE = citizens(1000)


def test_the_same_seed_gives_the_same_people() -> None:
    """A sandbox can be made again, and a smaller one has the same first citizens."""
    assert [person.values for person in citizens(50)] == [person.values for person in PEOPLE[:50]]


def test_another_seed_gives_other_people() -> None:
    """A citizen depends only on the seed and the number."""
    assert citizens(5, seed=2)[0].values != PEOPLE[0].values


def test_pins_are_unique_and_agree_with_the_record() -> None:
    """The record has the birth date and sex of the PIN, unless it was corrected."""
    assert len({person.pin.digits for person in PEOPLE}) == len(PEOPLE)
    for person in PEOPLE:
        assert person.values[Attribute.PIN] == person.pin.digits
        corrected = timedelta(days=person == PEOPLE[CORRECTED])
        assert person.values[Attribute.BIRTH_DATE] == person.pin.birth_date + corrected
        assert person.values[Attribute.SEX] == person.pin.sex


def test_names_are_in_three_scripts() -> None:
    """Names are in Kyrgyz, Russian and Latin; the Latin form has only Latin letters."""
    for number, person in enumerate(PEOPLE):
        for name in NAMES if number != ONE_NAME else {Attribute.SURNAME}:
            value = person.values[name]
            assert isinstance(value, LocalizedName)
            assert len(value.forms) == 3
            assert value.latin is not None
            assert value.latin.isascii()


def test_nobody_can_be_mistaken_for_a_real_person() -> None:
    """Numbers and streets are marked as samples."""
    for person in PEOPLE:
        document = person.values[Attribute.DOCUMENT_NUMBER]
        assert isinstance(document, str)
        assert document[2:4] == "99"
        assert person.pin.digits[9] == "9"
        assert "Үлгү" in str(person.values.get(Attribute.ADDRESS, "Үлгү"))


def test_some_records_are_exceptional() -> None:
    """MAT-05, REL-02 and REL-01 can be provoked (Procedure, cl. 4, 10 and 14)."""
    assert [number for number, person in enumerate(PEOPLE) if person.locked] == [LOCKED]
    assert PEOPLE[DISPUTED_ADDRESS].disputed == {Attribute.ADDRESS}
    assert Attribute.ADDRESS not in PEOPLE[WITHOUT_ADDRESS].values


def test_one_citizen_has_one_name() -> None:
    """Procedure, cl. 4 and 10: such a person consents and is matched like any other."""
    assert NAMES & PEOPLE[ONE_NAME].values.keys() == {Attribute.SURNAME}


@pytest.mark.parametrize(
    ("russian", "latin"),
    [
        ("Айгуль", "Aigul"),
        ("Жээнбеков", "Zheenbekov"),
        ("Юсупова", "Iusupova"),
        ("Щукин", "Shchukin"),
    ],
)
def test_latin_names_follow_travel_documents(russian: str, latin: str) -> None:
    """ICAO Doc 9303-3, section 6 B, defines the Latin form."""
    assert to_latin(russian) == latin


def test_number_of_citizens_is_limited() -> None:
    """Personal numbers have four free digits, so more citizens would collide."""
    with pytest.raises(ValueError, match="10,000"):
        citizens(10_001)


def test_one_citizen_is_a_child_with_a_parent() -> None:
    """Procedure, cl. 4: another person must consent for the child, also in some years."""
    assert PEOPLE[MINOR].pin.age_on(date(2031, 1, 1)) < 18
    assert PEOPLE[PARENT].pin.age_on(date(2026, 1, 1)) >= 18
