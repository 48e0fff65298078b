"""Synthetic citizens: believable names in three scripts, and no real person.

Each citizen depends only on the seed and their number, so that the same sandbox can be made again.
Values that could be mistaken for those of a real person are marked. Streets are named Үлгү
(sample), personal numbers end in 9NNNN and document numbers begin with 99.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul_sandbox.data.names import PEOPLES, to_latin

T = TypeVar("T")

KEYED = 26
"""The number of citizens, from the first, who have a signing key."""

CORRECTED = 16
LOCKED = 17
DISPUTED_ADDRESS = 18
WITHOUT_ADDRESS = 19
REVOKED = 20
MINOR = 21
REVOKED_LATE = 22
COMPROMISED = 23
ABSENT = 24
ONE_NAME = 25
"""The citizens, by number, who are exceptional.

Their record, name, certificate or age is unusual, or they are not in the register.
"""

PARENT = 8
"""The citizen who consents for `MINOR`."""

_BORN_FROM = date(1940, 1, 1)
_BORN_DAYS = (date(2001, 12, 31) - _BORN_FROM).days
_MINORS_BORN_FROM = date(2014, 1, 1)
_MINORS_BORN_DAYS = 365
_ISSUED_FROM = date(2018, 1, 1)
_ISSUED_DAYS = (date(2025, 12, 31) - _ISSUED_FROM).days
_DOCUMENT_TERM_YEARS = 10

_PLACES = (
    "Бишкек шаары",
    "Ош шаары",
    "Жалал-Абад шаары",
    "Каракол шаары",
    "Нарын шаары",
    "Талас шаары",
    "Баткен шаары",
    "Токмок шаары",
    "Чүй облусу, Кемин району",
    "Ош облусу, Өзгөн району",
    "Ысык-Көл облусу, Тоң району",
    "Жалал-Абад облусу, Сузак району",
)


@dataclass(frozen=True, slots=True)
class _Draw:
    """A source of choices that depend only on the seed, the citizen's number and what is chosen."""

    seed: int
    number: int

    def below(self, bound: int, what: str) -> int:
        """Return a number in [0, `bound`)."""
        digest = hashlib.sha256(f"{self.seed}:{self.number}:{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % bound

    def choose(self, choices: Sequence[T], what: str) -> T:
        """Return one of the choices, all of which are equally likely."""
        return choices[self.below(len(choices), what)]


def citizens(count: int, *, seed: int = 1) -> tuple[Person, ...]:
    """Return the first `count` synthetic citizens of a seed, always the same."""
    if not 0 <= count <= 10_000:
        raise ValueError("a sandbox has at most 10,000 citizens")
    return tuple(_citizen(_Draw(seed, number)) for number in range(count))


def _citizen(draw: _Draw) -> Person:
    female = draw.below(2, "sex") == 0
    born_from, days = _BORN_FROM, _BORN_DAYS
    if draw.number == MINOR:
        born_from, days = _MINORS_BORN_FROM, _MINORS_BORN_DAYS
    born = born_from + timedelta(days=draw.below(days, "birth date"))
    pin = Pin(f"{1 if female else 2}{born:%d%m%Y}9{draw.number:04d}")
    values = {
        Attribute.PIN: pin.digits,
        **_names(draw, female=female),
        Attribute.SEX: "F" if female else "M",
        Attribute.BIRTH_DATE: born,
        Attribute.BIRTH_PLACE: draw.choose(_PLACES, "birth place"),
        Attribute.CITIZENSHIP: "KGZ",
        Attribute.ADDRESS: _address(draw),
        **_document(draw),
        Attribute.PERSON_STATE: "ALIVE",
    }
    if draw.number == CORRECTED:  # the digits of the PIN do not change with a correction (cl. 14)
        values[Attribute.BIRTH_DATE] = born + timedelta(days=1)
    if draw.number == WITHOUT_ADDRESS:
        del values[Attribute.ADDRESS]
    disputed = {Attribute.ADDRESS} if draw.number == DISPUTED_ADDRESS else set()
    return Person(
        pin=pin, values=values, disputed=frozenset(disputed), locked=draw.number == LOCKED
    )


def _names(draw: _Draw, *, female: bool) -> dict[Attribute, AttributeValue]:
    people = draw.choose(PEOPLES, "people")
    family = draw.choose(people.families, "surname")
    given_name = draw.choose(people.women if female else people.men, "given name")
    if draw.number == ONE_NAME:  # a single name is stored as the surname (ICAO Doc 9303-3, 4.6)
        return {Attribute.SURNAME: _localize(given_name.ky, given_name.ru)}
    father = draw.choose(people.men, "father")
    ru_patronymic = father.ru_patronymic(female=female)
    ky_patronymic = father.ky_patronymic(female=female) if people.says_uulu else ru_patronymic
    return {
        Attribute.SURNAME: _localize(family.ky_form(female=female), family.ru_form(female=female)),
        Attribute.GIVEN_NAME: _localize(given_name.ky, given_name.ru),
        Attribute.PATRONYMIC: _localize(ky_patronymic, ru_patronymic),
    }


def _localize(ky: str, ru: str) -> LocalizedName:
    return LocalizedName(ky=ky, ru=ru, latin=to_latin(ru))


def _address(draw: _Draw) -> str:
    town = draw.choose(_PLACES, "place")
    return f"{town}, Үлгү көчөсү, {draw.below(180, 'house') + 1}-үй"


def _document(draw: _Draw) -> Mapping[Attribute, AttributeValue]:
    issued = _ISSUED_FROM + timedelta(days=draw.below(_ISSUED_DAYS, "issued"))
    expires = issued.replace(year=issued.year + _DOCUMENT_TERM_YEARS, day=min(issued.day, 28))
    series = draw.choose(("ID", "ID", "ID", "AN"), "series")
    return {
        Attribute.DOCUMENT_TYPE: "ID_CARD" if series == "ID" else "PASSPORT",
        Attribute.DOCUMENT_NUMBER: f"{series}99{draw.number:05d}",
        Attribute.DOCUMENT_ISSUER: f"MKK {draw.below(90, 'issuer') + 211000}",
        Attribute.DOCUMENT_ISSUED: issued,
        Attribute.DOCUMENT_EXPIRES: expires,
        Attribute.DOCUMENT_STATE: "VALID",
    }
