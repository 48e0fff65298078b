"""Persons: operators insert them into the database, and every access of an operator is recorded."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Integer, bindparam, func, select

from makul.domain.identifiers import Pin
from makul.domain.person_locks import MatchingState
from makul.domain.person_queries import MAX_FOUND, PersonCount, PersonQuery, PersonsFound
from makul.domain.persons import Person
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database
from makul.store.db.codecs import instant
from makul.store.records.person_codec import person_associated_data, person_from_bytes
from makul.store.records.persons import add_version, read_current
from makul.store.schema.person_tables import person, person_sample
from makul.store.schema.registry_tables import matching_lock

PAGE_ROWS = 500
"""Records that one statement of a search reads: no transaction lasts for the whole search."""

_newest = person.alias("newest")
_PAGE = (
    select(person.c.pin_index, person.c.version, person.c.sealed)
    .where(
        person.c.pin_index > bindparam("after"),
        person.c.version
        == select(func.max(_newest.c.version))
        .where(_newest.c.pin_index == person.c.pin_index)
        .scalar_subquery(),
    )
    .order_by(person.c.pin_index)
    .limit(bindparam("page_rows", type_=Integer()))
)
_VERSIONS = select(
    func.count(person.c.pin_index.distinct()).label("persons"), func.count().label("versions")
)
_SUBJECT_LOCK = select(matching_lock.c.changed_at).where(
    matching_lock.c.subject_index == bindparam("pin_index"),
    matching_lock.c.state == MatchingState.LOCKED.value,
)
_SAMPLES = select(func.count()).select_from(person_sample)


def put(unit_of_work: RegistryUnitOfWork, persons: Sequence[Person], *, at: datetime) -> int:
    """Store each person as a new version if anything changed, and return how many changed.

    The call is one transaction, during which other changes of the registry wait, and on SQLite all
    writers. A caller with many persons must pass a few hundred at a time. Version numbers are
    assigned here; those of the given persons are ignored.
    """
    with unit_of_work.begin() as transaction:
        changed = sum(add_version(transaction, unit_of_work.cipher, one, at) for one in persons)
        facts = {"given": len(persons), "changed": changed}
        unit_of_work.log.write(transaction, "persons.put", "", facts, at=at)
    return changed


def read_person(
    unit_of_work: RegistryUnitOfWork, pin: Pin, *, reason: str, at: datetime
) -> Person | None:
    """Return a person's record, after the access is committed to the log.

    Its samples are listed with their sizes and are not decrypted.
    """
    index = unit_of_work.cipher.index("pin", pin.digits)
    with unit_of_work.begin() as transaction:
        person = read_current(transaction, unit_of_work.cipher, index)
        facts = {"reason": reason, "found": person is not None}
        unit_of_work.log.write(transaction, "person.look", "", facts, at=at, subject_index=index)
    return person


def read_subject_lock(unit_of_work: RegistryUnitOfWork, pin: Pin) -> datetime | None:
    """Return since when a citizen has locked their own matching.

    The lock is no part of the record: an operator who changes the record leaves it as it is.
    """
    index = unit_of_work.cipher.index("pin", pin.digits)
    row = unit_of_work.database.fetch_one(_SUBJECT_LOCK, {"pin_index": index})
    return None if row is None else instant(row[0])


def change_one(
    unit_of_work: RegistryUnitOfWork,
    pin: Pin,
    change: Callable[[Person], Person],
    *,
    field: str,
    reason: str,
    at: datetime,
) -> tuple[Person, Person] | None:
    """Add the result of `change` as a record's new version, and return it before and after.

    One transaction reads and writes the record, so a change by another operator is not lost. An
    access to a person who does not exist, and a change without effect, are recorded too.
    """
    index = unit_of_work.cipher.index("pin", pin.digits)
    with unit_of_work.begin() as transaction:
        before = read_current(transaction, unit_of_work.cipher, index)
        facts: dict[str, object] = {"field": field, "reason": reason, "found": before is not None}
        if before is not None:
            facts["changed"] = add_version(transaction, unit_of_work.cipher, change(before), at)
        unit_of_work.log.write(transaction, "person.set", "", facts, at=at, subject_index=index)
        after = read_current(transaction, unit_of_work.cipher, index)
    return (before, after) if before is not None and after is not None else None


def search(
    unit_of_work: RegistryUnitOfWork,
    query: PersonQuery,
    *,
    reason: str,
    at: datetime,
    report: Callable[[int], None],
) -> PersonsFound:
    """Find persons by known data: reads current records until there are enough.

    The query is recorded before the first record is decrypted. Each person found is recorded before
    the result is returned, because each is an access to that person's data.
    """
    facts: dict[str, object] = {"reason": reason, "query": query.fields}
    with unit_of_work.begin() as transaction:
        unit_of_work.log.write(transaction, "person.search", "", facts, at=at)
    matches: list[Person] = []
    for number, each in enumerate(_read_all(unit_of_work), start=1):
        if number % PAGE_ROWS == 0:
            report(number)
        if query.is_met_by(each):
            matches.append(each)
        if len(matches) > MAX_FOUND:
            break
    shown = tuple(matches[:MAX_FOUND])
    with unit_of_work.begin() as transaction:
        for each in shown:
            index = unit_of_work.cipher.index("pin", each.pin.digits)
            looked = {"reason": reason, "found": True, "by": sorted(query.fields)}
            unit_of_work.log.write(
                transaction, "person.look", "", looked, at=at, subject_index=index
            )
    return PersonsFound(persons=shown, more=len(matches) > MAX_FOUND)


def _read_all(unit_of_work: RegistryUnitOfWork) -> Iterator[Person]:
    """Yield every current record, by index; samples are not read."""
    after = b""
    while rows := unit_of_work.database.fetch_all(_PAGE, {"after": after, "page_rows": PAGE_ROWS}):
        for index, version, sealed in rows:
            plain = unit_of_work.cipher.decrypt(sealed, person_associated_data(index, version))
            yield person_from_bytes(plain, version)
        after = rows[-1][0]


def count(database: Database) -> PersonCount:
    """Count persons, versions of their records, and samples; decrypts no record."""
    counted, samples = database.fetch_one(_VERSIONS, {}), database.fetch_one(_SAMPLES, {})
    persons, versions = counted if counted is not None else (0, 0)
    return PersonCount(
        persons=persons, versions=versions, samples=samples[0] if samples is not None else 0
    )
