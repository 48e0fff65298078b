"""An operator's searches in the register of citizens, and their results (cl. 14)."""

from dataclasses import dataclass
from datetime import date
from unicodedata import normalize

from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person

MAX_FOUND = 20
"""Maximum number of records that one search shows.

A search finds a person, and must not list a population.
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonQuery:
    """Known attributes of a person whose PIN is unknown. Its repr shows none of them."""

    document_number: str | None = None
    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    birth_date: date | None = None

    def __post_init__(self) -> None:
        criteria = (self.document_number, self.surname, self.given_name)
        if not any(text is not None and _plain(text) for text in criteria):
            raise ValueError("a search needs a document number, a surname or a given name")

    @property
    def fields(self) -> dict[str, str]:
        """The searched values by attribute, as they are recorded."""
        stated = {
            Attribute.DOCUMENT_NUMBER: self.document_number,
            Attribute.SURNAME: self.surname,
            Attribute.GIVEN_NAME: self.given_name,
            Attribute.PATRONYMIC: self.patronymic,
            Attribute.BIRTH_DATE: self.birth_date.isoformat() if self.birth_date else None,
        }
        return {name.value: text for name, text in stated.items() if text is not None}

    def is_met_by(self, person: Person) -> bool:
        """Return whether all given attributes agree; names match in any script and case.

        The search finds a record for an operator to look at. It decides nothing, so it needs no
        threshold.
        """
        values = person.values
        return (
            _agrees(self.document_number, values.get(Attribute.DOCUMENT_NUMBER))
            and _agrees(self.surname, values.get(Attribute.SURNAME))
            and _agrees(self.given_name, values.get(Attribute.GIVEN_NAME))
            and _agrees(self.patronymic, values.get(Attribute.PATRONYMIC))
            and self.birth_date in {None, values.get(Attribute.BIRTH_DATE)}
        )

    def __repr__(self) -> str:
        return "PersonQuery(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsFound:
    """The persons that a search found."""

    persons: tuple[Person, ...]
    more: bool
    """True if there are other matches, which are not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCount:
    """The number of persons, versions and samples in the register."""

    persons: int
    versions: int
    samples: int


def _agrees(stated: str | None, recorded: object) -> bool:
    if stated is None:
        return True
    forms = recorded.forms if isinstance(recorded, LocalizedName) else (recorded,)
    return _plain(stated) in {_plain(form) for form in forms if isinstance(form, str)}


def _plain(text: str) -> str:
    """Return only the letters and digits, in one case; ё is written as е."""
    folded = normalize("NFKC", text).casefold().replace("ё", "е")
    return "".join(letter for letter in folded if letter.isalnum())
