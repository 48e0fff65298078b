"""Persons as the operator puts them into the database and, on the record, looks at them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from makul.domain.identifiers import Pin
from makul.domain.persons import Person
from makul.store.codecs import micros, person_from_bytes, person_to_bytes
from makul.store.crypto import Sealer
from makul.store.engine import Transaction
from makul.store.office import Office
from makul.store.register import person_place
from makul.store.tables import person

_CURRENT_VERSION = (
    select(person.c.version, person.c.content_index)
    .where(person.c.pin_index == bindparam("pin_index"))
    .order_by(person.c.version.desc())
    .limit(1)
)
_CURRENT_PERSON = (
    select(person.c.version, person.c.sealed)
    .where(person.c.pin_index == bindparam("pin_index"))
    .order_by(person.c.version.desc())
    .limit(1)
)
_ADD_PERSON = insert(person)


def put(office: Office, persons: Sequence[Person], *, at: datetime) -> int:
    """Keep each person as a new version where anything changed; how many did.

    One transaction: a caller with many persons comes with a few hundred at a time, for the desk
    waits meanwhile, and on SQLite whoever writes. Version numbers are given here, whatever the
    persons' own say.
    """
    with office.changing() as transaction:
        changed = sum(_put_one(transaction, office.sealer, one, at) for one in persons)
        facts = {"given": len(persons), "changed": changed}
        office.log.write(transaction, "persons.put", "", facts, at=at)
    return changed


def _put_one(transaction: Transaction, sealer: Sealer, one: Person, at: datetime) -> bool:
    content = person_to_bytes(one)
    index = sealer.index("pin", one.pin.digits)
    content_index = sealer.content_index("person", content)
    row = transaction.one(_CURRENT_VERSION, {"pin_index": index})
    version, current = row if row is not None else (0, b"")
    if current == content_index:
        return False
    version += 1
    transaction.run(
        _ADD_PERSON,
        {
            "pin_index": index,
            "version": version,
            "content_index": content_index,
            "sealed": sealer.seal(content, person_place(index, version)),
            "recorded_at": micros(at),
        },
    )
    return True


def look(office: Office, pin: Pin, *, reason: str, at: datetime) -> Person | None:
    """A person's record, given only once the look is committed to the log."""
    index = office.sealer.index("pin", pin.digits)
    with office.changing() as transaction:
        row = transaction.one(_CURRENT_PERSON, {"pin_index": index})
        facts = {"reason": reason, "found": row is not None}
        office.log.write(transaction, "person.look", "", facts, at=at, subject_index=index)
    if row is None:
        return None
    version, sealed = row
    return person_from_bytes(office.sealer.open(sealed, person_place(index, version)), version)
