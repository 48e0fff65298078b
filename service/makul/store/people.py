"""Persons as the operator puts them into the database and, on the record, looks at them."""

from collections.abc import Sequence
from datetime import datetime

from makul.domain.identifiers import Pin
from makul.domain.persons import Person
from makul.store.office import Office
from makul.store.person_rows import add_version, read_current


def put(office: Office, persons: Sequence[Person], *, at: datetime) -> int:
    """Keep each person as a new version where anything changed; how many did.

    One transaction: a caller with many persons comes with a few hundred at a time, for the desk
    waits meanwhile, and on SQLite whoever writes. Version numbers are given here, whatever the
    persons' own say.
    """
    with office.changing() as transaction:
        changed = sum(add_version(transaction, office.sealer, one, at) for one in persons)
        facts = {"given": len(persons), "changed": changed}
        office.log.write(transaction, "persons.put", "", facts, at=at)
    return changed


def look(office: Office, pin: Pin, *, reason: str, at: datetime) -> Person | None:
    """A person's record, given only once the look is committed to the log.

    Its samples are named with their sizes, and not opened.
    """
    index = office.sealer.index("pin", pin.digits)
    with office.changing() as transaction:
        found = read_current(transaction, office.sealer, index)
        facts = {"reason": reason, "found": found is not None}
        office.log.write(transaction, "person.look", "", facts, at=at, subject_index=index)
    return found
