"""Records in the form before their samples had separate rows (format 1), frozen."""

from makul.domain.persons import LocalizedName, Person
from makul.store.db.codecs import pack
from makul.store.db.location import DatabaseLocation
from makul.store.encryption.fields import FieldCipher
from makul.store.records.person_codec import person_associated_data
from makul_testing.builders.records import NOON
from makul_testing.raw_sql import parameters, raw

MICROS = int(NOON.timestamp() * 1_000_000)


def whole_bytes(person: Person) -> bytes:
    """Return a record with its samples in it."""
    facts: dict[str, object] = {}
    samples: dict[str, bytes] = {}
    for name in sorted(person.values):
        value = person.values[name]
        match value:
            case bytes():
                samples[name.value] = value
            case str():
                facts[name.value] = value
            case LocalizedName():
                facts[name.value] = {"ky": value.ky, "ru": value.ru, "latin": value.latin}
            case _:
                facts[name.value] = {"date": value.isoformat()}
    header = {
        "v": 1,
        "pin": person.pin.digits,
        "facts": facts,
        "samples": list(samples),
        "disputed": sorted(person.disputed),
        "locked": person.locked,
    }
    return pack(header, list(samples.values()))


def put_whole(place: DatabaseLocation, cipher: FieldCipher, person: Person) -> None:
    """Write a version like the program before migration 0010."""
    index = cipher.index("pin", person.pin.digits)
    content = whole_bytes(person)
    values = (
        index,
        person.version,
        cipher.content_index("person", content),
        cipher.encrypt(content, person_associated_data(index, person.version)),
        MICROS,
    )
    sql = (
        "INSERT INTO person (pin_index, version, content_index, sealed, recorded_at)"
        " VALUES (?, ?, ?, ?, ?)"
    )
    with raw(place) as connection:
        connection.execute(parameters(place, sql), values)
