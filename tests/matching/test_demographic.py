"""Demographic comparison (Procedure, cl. 10; docs/architecture.md, invariant 6)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.matches import DemographicProbe, MatchMethod, MatchResult
from makul.domain.persons import LocalizedName, Person
from makul.matching import DemographicMatcher, demographic
from makul.matching import name_similarity as names
from makul.matching.name_similarity import THRESHOLD
from makul_testing.builders.people import EVERYTHING, PERSON, PIN

MATCHER = DemographicMatcher()
BY_DOCUMENT = DemographicProbe(pin=PIN, document_number="ID0000001")
BY_NAME = DemographicProbe(pin=PIN, surname="Үлгүлөва", given_name="Айгүл")
WITH_ALL = replace(
    BY_NAME,
    document_number="ID0000001",
    patronymic="Мисалбековна",
    birth_date=date(1990, 1, 1),
    sex="F",
)

WRONG: dict[str, Any] = {
    "document_number": "ID0000002",
    "surname": "Башкаева",
    "given_name": "Нурлан",
    "patronymic": "Башкаевна",
    "birth_date": date(1990, 1, 2),
    "sex": "M",
}


def result(probe: DemographicProbe, person: Person | None = PERSON) -> MatchResult:
    return MATCHER.compare(probe, person).result


def without(*attributes: Attribute) -> Person:
    held = {name: value for name, value in EVERYTHING.items() if name not in attributes}
    return replace(PERSON, values=held)


@pytest.mark.parametrize(
    "probe",
    [
        BY_DOCUMENT,
        BY_NAME,
        WITH_ALL,
        replace(BY_NAME, surname="ULGULOVA", given_name="Айгуль"),
        replace(BY_NAME, surname="Ульгулева", given_name="aigul"),
        replace(BY_DOCUMENT, document_number=" id 0000001 "),
        replace(BY_DOCUMENT, birth_date=date(1990, 1, 1), sex="F"),
    ],
)
def test_agreement_in_all_given_factors_is_a_match(probe: DemographicProbe) -> None:
    """A match needs the PIN with the document number, or with surname and given name, in any
    script.
    """
    assert result(probe) is MatchResult.MATCH


def test_cyrillic_look_alikes_of_a_document_number_match() -> None:
    """АС typed on a Cyrillic keyboard and AC are the same document number."""
    held = replace(PERSON, values={**EVERYTHING, Attribute.DOCUMENT_NUMBER: "AC1234567"})

    assert result(replace(BY_DOCUMENT, document_number="ас 1234567"), held) is MatchResult.MATCH
    assert result(replace(BY_DOCUMENT, document_number="AC1234568"), held) is MatchResult.NO_MATCH


@pytest.mark.parametrize("factor", WRONG)
def test_one_factor_that_disagrees_is_no_match(factor: str) -> None:
    """Every given factor must agree, also if the others agree exactly."""
    probe = replace(WITH_ALL, **{factor: WRONG[factor]})

    assert result(probe) is MatchResult.NO_MATCH


@pytest.mark.parametrize("factor", WRONG)
def test_the_verdict_hides_which_factor_failed(factor: str) -> None:
    """The finding has the same words for each factor; only names have a score."""
    found = MATCHER.compare(
        replace(WITH_ALL, **{factor: WRONG[factor]}),
        PERSON,
    ).methods[0]

    assert replace(found, score=None) == replace(
        MATCHER.compare(replace(WITH_ALL, document_number="ID9999999"), PERSON).methods[0],
        score=None,
    )


@pytest.mark.parametrize(
    "probe",
    [
        replace(BY_NAME, surname="Айгүл", given_name="Үлгүлөва"),
        replace(BY_NAME, given_name="Мисалбековна"),
        replace(BY_NAME, surname="Мисалбековна"),
    ],
)
def test_name_fields_are_not_interchangeable(probe: DemographicProbe) -> None:
    """Each field is compared with its own field; a patronymic is not a surname."""
    assert result(probe) is MatchResult.NO_MATCH


@pytest.mark.parametrize(
    ("factor", "value"),
    [
        ("document_number", " "),
        ("surname", "-"),
        ("given_name", "ь"),
        ("patronymic", ""),
        ("patronymic", "'"),
    ],
)
@pytest.mark.parametrize("held", [PERSON, Person(pin=PIN, values={})], ids=["full", "empty"])
def test_a_factor_without_content_agrees_with_nothing(
    factor: str, value: Any, held: Person
) -> None:
    """Attack: two empty values are equal, but must not count as agreement."""
    probe = replace(WITH_ALL, **{factor: value})

    assert result(probe, held) is MatchResult.NO_MATCH


@pytest.mark.parametrize(
    ("missing", "probe"),
    [
        (Attribute.DOCUMENT_NUMBER, BY_DOCUMENT),
        (Attribute.SURNAME, BY_NAME),
        (Attribute.GIVEN_NAME, BY_NAME),
        (Attribute.PATRONYMIC, WITH_ALL),
    ],
)
def test_a_missing_factor_cannot_agree(missing: Attribute, probe: DemographicProbe) -> None:
    """A factor that the record does not hold proves nothing."""
    assert result(probe, without(missing)) is MatchResult.NO_MATCH


def test_birth_date_and_sex_are_compared_with_the_pin_if_not_recorded() -> None:
    """The PIN contains them and they prove nothing; a given value must not contradict them."""
    held = without(Attribute.BIRTH_DATE, Attribute.SEX)

    assert result(WITH_ALL, held) is MatchResult.MATCH
    assert result(replace(WITH_ALL, sex="M"), held) is MatchResult.NO_MATCH
    assert result(replace(WITH_ALL, birth_date=date(1990, 1, 2)), held) is MatchResult.NO_MATCH


CORRECTED = replace(
    PERSON,
    values={**EVERYTHING, Attribute.BIRTH_DATE: date(1991, 1, 1), Attribute.SEX: "M"},
)
"""A record with both values corrected (cl. 14); the PIN's digits still say 1 January 1990 and F."""


def test_birth_date_and_sex_are_those_of_the_record() -> None:
    """Procedure, cl. 14: the corrected record counts, and not the digits of the PIN."""
    probe = replace(WITH_ALL, birth_date=date(1991, 1, 1), sex="M")

    assert result(probe, CORRECTED) is MatchResult.MATCH
    assert result(replace(BY_DOCUMENT, birth_date=date(1991, 1, 1)), CORRECTED) is MatchResult.MATCH
    assert result(replace(BY_DOCUMENT, sex="M"), CORRECTED) is MatchResult.MATCH
    assert result(BY_DOCUMENT, CORRECTED) is MatchResult.MATCH


@pytest.mark.parametrize(
    "probe",
    [
        WITH_ALL,
        replace(BY_DOCUMENT, birth_date=date(1990, 1, 1)),
        replace(BY_DOCUMENT, sex="F"),
        replace(BY_NAME, birth_date=date(1990, 1, 1), sex="M"),
    ],
)
def test_the_digits_of_the_pin_do_not_replace_a_corrected_record(probe: DemographicProbe) -> None:
    """Procedure, cl. 14: a probe with the values of the PIN's digits contradicts the record."""
    assert result(probe, CORRECTED) is MatchResult.NO_MATCH


def test_a_pin_without_a_sex_leaves_it_to_the_record() -> None:
    """A PIN that begins with 0 states no sex."""
    pin = Pin("00101199000001")
    probe = replace(BY_NAME, pin=pin)
    held = replace(PERSON, pin=pin)

    assert result(replace(probe, sex="F"), held) is MatchResult.MATCH
    assert result(replace(probe, sex="M"), held) is MatchResult.NO_MATCH


def test_the_record_of_another_pin_never_matches() -> None:
    """The matcher checks that it got the right record."""
    assert result(WITH_ALL, replace(PERSON, pin=Pin("10101199000002"))) is MatchResult.NO_MATCH


@pytest.mark.parametrize(
    ("given_name", "found"),
    [
        ("Жанышбек", MatchResult.INCONCLUSIVE),
        ("Жаныбек", MatchResult.MATCH),
        ("Жаныл", MatchResult.NO_MATCH),
    ],
)
def test_a_near_name_is_inconclusive(given_name: str, found: MatchResult) -> None:
    """MAT-02: in a narrow band under the threshold the result is undetermined; add data."""
    held = {**EVERYTHING, Attribute.GIVEN_NAME: LocalizedName(ky="Жаныбек")}

    assert result(replace(BY_NAME, given_name=given_name), replace(PERSON, values=held)) is found


@pytest.mark.parametrize(
    ("surname", "found"),
    [
        ("Иванова", MatchResult.INCONCLUSIVE),
        ("PETROVA", MatchResult.INCONCLUSIVE),
        ("Петрова Иванова", MatchResult.MATCH),
        ("Иванов", MatchResult.NO_MATCH),
        ("Сидорова", MatchResult.NO_MATCH),
    ],
)
def test_half_of_a_double_surname_is_inconclusive(surname: str, found: MatchResult) -> None:
    """MAT-02: documents are from before and after a marriage; add data, and nothing is
    given yet.
    """
    held = {**EVERYTHING, Attribute.SURNAME: LocalizedName(ru="Иванова-Петрова")}

    assert result(replace(BY_NAME, surname=surname), replace(PERSON, values=held)) is found


@pytest.mark.parametrize("person", [PERSON, None], ids=["known", "unknown"])
@pytest.mark.parametrize(
    "probe",
    [
        DemographicProbe(pin=PIN),
        DemographicProbe(pin=PIN, patronymic="Мисалбековна"),
        DemographicProbe(pin=PIN, surname=" ", given_name=""),
        DemographicProbe(pin=PIN, birth_date=date(1990, 1, 1), sex="F"),
        DemographicProbe(pin=PIN, birth_date=date(1990, 1, 2), sex="M"),
    ],
)
def test_an_insufficient_probe_is_inconclusive_for_everybody(
    probe: DemographicProbe, person: Person | None
) -> None:
    """The PIN proves nothing by itself, and the answer to an insufficient probe reveals nothing."""
    assert result(probe, person) is MatchResult.INCONCLUSIVE


def test_verdict_names_its_method_score_threshold_and_version() -> None:
    """The verdict states the result and the method that found it."""
    (found,) = MATCHER.compare(WITH_ALL, PERSON).methods

    assert found.method is MatchMethod.DEMOGRAPHIC
    assert (found.score, found.threshold) == (1.0, THRESHOLD)
    assert (found.algorithm, found.version) == ("icao9303-fold+jaro-winkler", "2")
    assert MATCHER.methods == {MatchMethod.DEMOGRAPHIC}


DECOY_PROBE = DemographicProbe(
    pin=demographic.DECOY.pin,
    document_number="XX0000000",
    surname="Үлгүлөв",
    given_name="Мисал",
    patronymic="Мисалбекович",
    birth_date=date(1900, 1, 1),
)


def test_the_decoys_values_do_not_match() -> None:
    """Attack: the decoy is in published code, and a probe with its values gains nothing."""
    assert result(DECOY_PROBE, demographic.DECOY) is MatchResult.MATCH
    assert result(DECOY_PROBE, None) is MatchResult.NO_MATCH


TEXTS = st.none() | st.text(max_size=30)


@given(
    st.builds(
        DemographicProbe,
        pin=st.sampled_from([PIN, demographic.DECOY.pin]),
        document_number=TEXTS,
        surname=TEXTS,
        given_name=TEXTS,
        patronymic=TEXTS,
        birth_date=st.none() | st.dates(),
        sex=st.sampled_from([None, "M", "F", "?"]),
    )
)
def test_an_unknown_person_is_never_matched(probe: DemographicProbe) -> None:
    """docs/architecture.md, invariant 6: without a record there is never MATCH, for any probe."""
    found = result(probe, None)

    assert found is (MatchResult.NO_MATCH if probe.sufficient else MatchResult.INCONCLUSIVE)


@pytest.mark.parametrize("probe", [BY_DOCUMENT, BY_NAME, WITH_ALL, DemographicProbe(pin=PIN)])
def test_an_unknown_person_is_the_same_work(
    probe: DemographicProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/architecture.md, invariant 6: a match, a mismatch and an unknown person cost
    equal work.
    """
    work = [
        operations(probe, PERSON, monkeypatch),
        operations(
            replace(probe, document_number=probe.document_number and "X"), PERSON, monkeypatch
        ),
        operations(probe, None, monkeypatch),
        operations(probe, Person(pin=PIN, values={}), monkeypatch),
        operations(probe, without(Attribute.GIVEN_NAME), monkeypatch),
        operations(probe, without(Attribute.SURNAME), monkeypatch),
        operations(probe, CORRECTED, monkeypatch),
    ]

    assert all(counted == work[0] for counted in work)
    assert work[0]["_same_text"] >= 1
    assert work[0]["_best_match"] == 3 * work[0]["similarity"]


STEPS = [
    (demographic, "similarity"),
    (demographic, "_same_text"),
    (demographic, "_normalize_number"),
    (demographic, "_likeness"),
    (demographic, "_agreement"),
    (names, "fold"),
    (names, "_best_match"),
]


def operations(
    probe: DemographicProbe, person: Person | None, monkeypatch: pytest.MonkeyPatch
) -> Counter[str]:
    """Count how often each step of the comparison runs."""
    counted: Counter[str] = Counter()

    def counting(name: str, step: Callable[..., object]) -> Callable[..., object]:
        def step_and_count(*args: object) -> object:
            counted[name] += 1
            return step(*args)

        return step_and_count

    with monkeypatch.context() as patch:
        for module, name in STEPS:
            patch.setattr(module, name, counting(name, getattr(module, name)))
        MATCHER.compare(probe, person)
    return counted


def test_the_decoy_is_shaped_like_a_person() -> None:
    """The decoy has a value for every factor of a probe, in all three scripts."""
    assert set(demographic.DECOY.values) == {
        Attribute.SURNAME,
        Attribute.GIVEN_NAME,
        Attribute.PATRONYMIC,
        Attribute.SEX,
        Attribute.BIRTH_DATE,
        Attribute.DOCUMENT_NUMBER,
    }
    held = [
        value for value in demographic.DECOY.values.values() if isinstance(value, LocalizedName)
    ]
    assert [len(name.forms) for name in held] == [3, 3, 3]
