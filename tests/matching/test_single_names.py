"""A person with one name is matched by it, and no other person by one of two names (cl. 10)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from makul.domain.attributes import Attribute
from makul.domain.matches import DemographicProbe, MatchResult
from makul.domain.persons import LocalizedName, Person
from makul.matching import DemographicMatcher
from makul_testing.builders.people import EVERYTHING, PERSON, PIN

MATCHER = DemographicMatcher()
BY_NAME = DemographicProbe(pin=PIN, surname="Үлгүлөва", given_name="Айгүл")


def result(probe: DemographicProbe, person: Person | None = PERSON) -> MatchResult:
    return MATCHER.compare(probe, person).result


def with_names(surname: str | None, given_name: str | None, **more: Any) -> Person:
    """Return the person with only these names; None is an absent name."""
    names = {Attribute.SURNAME: surname, Attribute.GIVEN_NAME: given_name}
    held = {name: LocalizedName(ky=form) for name, form in names.items() if form is not None}
    rest = {name: value for name, value in EVERYTHING.items() if name not in names}
    return replace(PERSON, values={**rest, **held, **more})


@pytest.mark.parametrize("field", ["surname", "given_name"])
@pytest.mark.parametrize(
    "held",
    [
        with_names("Сукарно", None),
        with_names(None, "Сукарно"),
        with_names("Сукарно", "-"),
        with_names("—", "Сукарно"),
    ],
    ids=["surname", "given name", "dash for a given name", "dash for a surname"],
)
def test_a_person_with_one_name_is_matched_by_it(field: str, held: Person) -> None:
    """The probe has the PIN and the single name, in the field of the record or of the document."""
    probe = DemographicProbe(pin=PIN, **{field: "Sukarno"})
    with_document = replace(probe, document_number="ID0000001")

    assert result(probe, held) is MatchResult.MATCH
    assert result(with_document, held) is MatchResult.MATCH
    assert result(replace(probe, **{field: "Suharto"}), held) is MatchResult.NO_MATCH
    assert result(probe, None) is MatchResult.NO_MATCH


@pytest.mark.parametrize("sign", ["-", "—", " ", "--", "/"])
def test_a_sign_for_a_missing_name_is_no_name(sign: str) -> None:
    """A document of one name may print a dash for the other; only a person with one name matches
    so.
    """
    one, two = with_names("Сукарно", None), PERSON
    probe = DemographicProbe(pin=PIN, surname="Sukarno", given_name=sign)

    assert result(probe, one) is MatchResult.MATCH
    assert result(probe, with_names("Сукарно", "-")) is MatchResult.MATCH
    assert result(replace(probe, surname=sign, given_name="Sukarno"), one) is MatchResult.MATCH
    assert result(replace(probe, surname="Suharto"), one) is MatchResult.NO_MATCH
    assert result(replace(probe, surname="Үлгүлөва"), two) is MatchResult.NO_MATCH
    assert result(replace(probe, surname=sign), one) is not MatchResult.MATCH
    assert result(probe, None) is MatchResult.NO_MATCH


@pytest.mark.parametrize(
    ("factors", "found"),
    [
        ({"surname": "Үлгүлөва"}, MatchResult.INCONCLUSIVE),
        ({"given_name": "Айгүл"}, MatchResult.INCONCLUSIVE),
        ({"surname": "Айгүл"}, MatchResult.NO_MATCH),
        ({"given_name": "Үлгүлөва"}, MatchResult.NO_MATCH),
        ({"surname": "Башкаева"}, MatchResult.NO_MATCH),
        ({"surname": "Үлгүлөва", "patronymic": "Мисалбековна"}, MatchResult.INCONCLUSIVE),
        ({"surname": "Үлгүлөва", "given_name": ""}, MatchResult.NO_MATCH),
        ({"surname": "Үлгүлөва", "given_name": " ", "sex": "F"}, MatchResult.NO_MATCH),
        ({"surname": "Үлгүлөва", "birth_date": date(1990, 1, 1)}, MatchResult.INCONCLUSIVE),
    ],
)
def test_a_recorded_name_cannot_be_omitted(factors: dict[str, Any], found: MatchResult) -> None:
    """Attack: one of two names, as if the person had only one, is never a match."""
    assert result(DemographicProbe(pin=PIN, **factors)) is found


def test_two_names_do_not_match_a_person_with_one() -> None:
    """A name that is not recorded cannot agree."""
    assert result(BY_NAME, with_names("Үлгүлөва", None)) is MatchResult.NO_MATCH
    assert result(BY_NAME, with_names(None, None)) is MatchResult.NO_MATCH
    assert result(replace(BY_NAME, surname=None), with_names(None, None)) is MatchResult.NO_MATCH
