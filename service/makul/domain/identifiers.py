"""Identifiers of the Procedure's parties, documents and people.

A person's identifier never prints in full. `str` and `repr` show it masked, and therefore every log
line, traceback and error message does. Code that needs the digits must read the attribute `digits`.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import NewType

MemberCode = NewType("MemberCode", str)
"""X-Road member class and code, `COM/60000001`; see `parse_member_code`."""

AgreementNumber = NewType("AgreementNumber", str)
"""The number of a three-party agreement (Procedure, cl. 7)."""

PurposeCode = NewType("PurposeCode", str)
"""The purpose of the data, as the agreement lists it: `ACCOUNT_OPENING`."""

_PIN = re.compile(r"[012][0-9]{13}", re.ASCII)
_MEMBER_CODE = re.compile(r"[A-Z]{2,10}/[0-9A-Za-z]{1,20}", re.ASCII)
_AGREEMENT_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,63}", re.ASCII)
_PURPOSE_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}", re.ASCII)

_SEX_BY_FIRST_DIGIT = {"1": "F", "2": "M"}


class MalformedIdentifierError(ValueError):
    """An identifier does not have the form of its kind. The message never contains the value."""


@dataclass(frozen=True, slots=True, repr=False)
class Pin:
    """A citizen's personal identification number: 14 digits, `[012]DDMMYYYYNNNNN`.

    The first digit encodes the sex (1 female, 2 male, 0 not stated). The next eight encode the
    birth date, which must be a real date. No check digit is known.
    """

    digits: str

    def __post_init__(self) -> None:
        if not _PIN.fullmatch(self.digits):
            raise MalformedIdentifierError("a PIN is 14 digits, the first of them 0, 1 or 2")
        try:
            _ = self.birth_date
        except ValueError:
            raise MalformedIdentifierError("the PIN's digits 2 to 9 are not a date") from None

    @property
    def birth_date(self) -> date:
        """The birth date that the PIN encodes."""
        return date(int(self.digits[5:9]), int(self.digits[3:5]), int(self.digits[1:3]))

    def age_on(self, day: date) -> int:
        """Return the full years on a day, by the PIN's digits."""
        return age_on(self.birth_date, day)

    @property
    def sex(self) -> str | None:
        """`F` or `M`; None if the PIN does not encode it."""
        return _SEX_BY_FIRST_DIGIT.get(self.digits[0])

    @property
    def masked(self) -> str:
        """The form that people and logs may see: first digit and last two."""
        return f"{self.digits[0]}***********{self.digits[-2:]}"

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Pin({self.masked})"


def age_on(born: date, day: date) -> int:
    """Return the full years on a day.

    A person born on 29 February turns a year older on 1 March.
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def parse_member_code(text: str) -> MemberCode:
    """Parse `CLASS/CODE`, as in X-Road member identifiers; raises `MalformedIdentifierError`."""
    return MemberCode(
        _require_match(_MEMBER_CODE, text, "a member code is CLASS/CODE: COM/60000001")
    )


def parse_agreement_number(text: str) -> AgreementNumber:
    """Parse an agreement number: up to 64 letters, digits, `.`, `_`, `/`, `-`.

    Raises `MalformedIdentifierError`.
    """
    hint = "an agreement number is up to 64 letters, digits and ._/-"
    return AgreementNumber(_require_match(_AGREEMENT_NUMBER, text, hint))


def parse_purpose(text: str) -> PurposeCode:
    """Parse a purpose: `UPPER_CASE`, up to 64 characters; raises `MalformedIdentifierError`."""
    hint = "a purpose is written in capitals: ACCOUNT_OPENING"
    return PurposeCode(_require_match(_PURPOSE_CODE, text, hint))


def _require_match(pattern: re.Pattern[str], text: str, hint: str) -> str:
    if not pattern.fullmatch(text):
        raise MalformedIdentifierError(hint)
    return text
