"""Identifiers of parties, documents and people."""

import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.domain.identifiers import (
    MalformedIdentifierError,
    Pin,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)

DIGITS = "21501199000017"


def test_a_pin_contains_birth_date_and_sex() -> None:
    """Digits 2 to 9 are the birth date, and the first digit is the sex."""
    assert Pin(DIGITS).birth_date == date(1990, 1, 15)
    assert [Pin(first + DIGITS[1:]).sex for first in "120"] == ["F", "M", None]


@pytest.mark.parametrize(
    "digits",
    [
        "",
        "2150119900001",
        "215011990000177",
        "31501199000017",
        "23201199000017",
        "22902199000017",
        "21513199000017",
        "21501000000017",
        "2150119900001A",
        "2150119900001\n",
        " 21501199000017",
        "21501199000017\n",
        "٢١٥٠١١٩٩٠٠٠٠١٧",
    ],
)
def test_a_malformed_pin_is_refused_and_not_repeated(digits: str) -> None:
    """docs/architecture.md, invariant 7: an error message does not contain even a wrong PIN."""
    with pytest.raises(MalformedIdentifierError) as raised:
        Pin(digits)

    assert not digits.strip() or digits.strip() not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("written", [str, repr, "{}".format, "{!r}".format, "%s".__mod__])
def test_a_pin_prints_masked_however_it_is_printed(written: object) -> None:
    """docs/architecture.md, invariant 7: a PIN prints masked, with its first digit and last two."""
    assert callable(written)
    text = written(Pin(DIGITS))

    assert DIGITS not in text
    assert "2***********17" in text


def test_pins_within_other_things_print_masked() -> None:
    """A PIN in a list or a dictionary prints by its `repr`."""
    assert DIGITS not in f"{[Pin(DIGITS)]} { ({Pin(DIGITS): Pin(DIGITS)}) }"


def test_pins_are_compared_by_all_their_digits() -> None:
    """Two people whose masked PINs look alike are two people."""
    other = Pin("21501198000017")

    assert other.masked == Pin(DIGITS).masked
    assert other != Pin(DIGITS)
    assert pickle.loads(pickle.dumps(Pin(DIGITS))) == Pin(DIGITS)  # noqa: S301


@given(st.text(max_size=20))
def test_any_text_is_a_pin_or_a_malformed_identifier(text: str) -> None:
    """Parsing a stranger's text raises no other exception."""
    try:
        pin = Pin(text)
    except MalformedIdentifierError:
        return
    assert pin.digits == text


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (parse_member_code, ["COM/60000001", "GOV/7"], ["", "COM", "com/1", "COM/1/x", "COM/1\n"]),
        (parse_agreement_number, ["TEST-1", "7", "a" * 64], ["", "-1", "a" * 65, "a b", "a\n"]),
        (parse_purpose, ["ACCOUNT_OPENING", "A1"], ["", "A", "account", "A B", "AB\n", "Ä1"]),
    ],
)
def test_identifiers_have_the_published_form(
    parse: object, good: list[str], bad: list[str]
) -> None:
    """The forms are those of the published schemas: whole strings, ASCII only."""
    assert callable(parse)
    assert [parse(text) for text in good] == good
    for text in bad:
        with pytest.raises(MalformedIdentifierError):
            parse(text)
