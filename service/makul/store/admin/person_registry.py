"""The part of the registry that concerns persons (cl. 13, 14 and 16)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from makul.domain.identifiers import Pin
from makul.domain.person_queries import PersonCount, PersonQuery, PersonsFound
from makul.domain.persons import Person
from makul.store.admin import persons as people
from makul.store.admin.unit_of_work import RegistryUnitOfWork


class StorePersonRegistry:
    """The operator's changes to and reads of the register of citizens; every access is recorded."""

    _office: RegistryUnitOfWork

    def put_persons(self, persons: Sequence[Person], *, at: datetime) -> int:
        """Insert persons or add new versions in one transaction, and return how many changed."""
        return people.put(self._office, persons, at=at)

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """Return a person's record for the operator; the access itself is recorded (cl. 13, 16)."""
        return people.read_person(self._office, pin, reason=reason, at=at)

    def subject_lock(self, pin: Pin) -> datetime | None:
        """Return since when a citizen has locked their own matching; None if they have not."""
        return people.read_subject_lock(self._office, pin)

    def search_persons(
        self, query: PersonQuery, *, reason: str, at: datetime, report: Callable[[int], None]
    ) -> PersonsFound:
        """Find persons by known data; the search and the persons found are recorded."""
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
        """Add a changed version of a record; return it before and after, or None if none exists."""
        return people.change_one(self._office, pin, change, field=field, reason=reason, at=at)

    def count_persons(self) -> PersonCount:
        """Count what the register contains; opens no record."""
        return people.count(self._office.database)
