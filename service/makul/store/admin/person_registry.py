"""The part of the operator's desk that is about persons (cl. 13, 14 and 16)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from makul.domain.identifiers import Pin
from makul.domain.person_queries import PersonCount, PersonQuery, PersonsFound
from makul.domain.persons import Person
from makul.store.admin import persons as people
from makul.store.admin.unit_of_work import RegistryUnitOfWork


class PersonDesk:
    """What the operator does with the register of citizens; every look is recorded."""

    _office: RegistryUnitOfWork

    def put_persons(self, persons: Sequence[Person], *, at: datetime) -> int:
        """Insert or replace as a new version, one transaction a call; how many changed."""
        return people.put(self._office, persons, at=at)

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """A person's record for the operator's eyes; the look is itself recorded (cl. 13, 16)."""
        return people.look(self._office, pin, reason=reason, at=at)

    def search_persons(
        self, query: PersonQuery, *, reason: str, at: datetime, report: Callable[[int], None]
    ) -> PersonsFound:
        """Find persons by what is known of them; the search and who it found are recorded."""
        return people.search(self._office, query, reason=reason, at=at, report=report)

    def change_person(
        self,
        pin: Pin,
        change: Callable[[Person], Person],
        *,
        field: str,
        reason: str,
        at: datetime,
    ) -> tuple[Person, Person] | None:
        """Add a changed version of a record: before and after; None where there is none."""
        return people.change_one(self._office, pin, change, field=field, reason=reason, at=at)

    def count_persons(self) -> PersonCount:
        """Count what the register holds; opens no record."""
        return people.count(self._office.database)
