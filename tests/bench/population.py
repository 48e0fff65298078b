"""Many synthetic citizens: some who can sign, and a million who fill the register.

Those who sign are citizens of the sandbox's world. Those who fill it are encrypted once, as the
store encrypts them, and stored in `build/bench-cache` with their keys, because that takes minutes.
The name of the cache contains everything that could change a row.
"""

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.persons import Person
from makul.store import StoreKeys
from makul.store.db import codecs
from makul.store.db.codecs import micros
from makul.store.encryption import fields as crypto
from makul.store.encryption.fields import FieldCipher
from makul.store.records import person_codec
from makul.store.schema import person_tables
from makul_sandbox.data import citizens as people
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import BANK
from makul_sandbox.world.build import World, _certify
from makul_sandbox.world.signers import NOTICE, SandboxSigners

CACHE = Path("build/bench-cache")
RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
_FACES = 1_000
"""The number of different citizens in the population, apart from PIN, birth date and document."""
_A_BIRTHDAY = 10_000
"""The number of citizens born on one day: as many as the last digits of a PIN distinguish."""
_BORN_FROM = date(1900, 1, 1)
"""A birth date before that of any citizen of a world, so that no two have one PIN."""

PersonRow = tuple[bytes, int, bytes, bytes, int, int]
"""The columns of the table: PIN index, version, content index, sealed, recorded, format."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A citizen and their consent to the bank."""

    person: Person
    consent: bytes
    credential: Credential


def signers(world: World, count: int, *, beyond: int = 0) -> list[Signer]:
    """Yield citizens of the world with a P-256 certificate and a signed consent each.

    `beyond` skips that many, whom an earlier measurement used.
    """
    numbers = range(people.KEYED + beyond, people.KEYED + beyond + count)
    chosen = [world.people[number] for number in numbers]
    keyed = {
        place: _certify(world.hierarchy, number, person)
        for place, (number, person) in enumerate(zip(numbers, chosen, strict=True))
    }
    digest = hashlib.sha256(NOTICE.encode()).digest()
    found = []
    for place, person in enumerate(chosen):
        sandbox_signers = SandboxSigners(
            people=[person],
            citizens={0: keyed[place]},
            officials={},
            stranger=world.stranger,
            notice_digest=digest,
            at=world.made_at,
        )
        consent = sandbox_signers.sign_consent(sandbox_signers.consent(BANK, 0), BANK, keyed[place])
        found.append(Signer(person, consent, keyed[place]))
    return found


def population(count: int) -> Iterator[Person]:
    """Yield a number of citizens, no two with one PIN or one document."""
    faces = people.citizens(_FACES, seed=2)
    for number in range(count):
        face = faces[number % _FACES]
        born = _BORN_FROM + timedelta(days=number // _A_BIRTHDAY)
        sex = face.pin.digits[0]
        pin = Pin(f"{sex}{born:%d%m%Y}9{number % _A_BIRTHDAY:04d}")
        changed = {
            Attribute.PIN: pin.digits,
            Attribute.BIRTH_DATE: born,
            Attribute.DOCUMENT_NUMBER: f"AN99{number:06d}",
        }
        yield replace(face, pin=pin, values={**face.values, **changed})


class StoredPopulation:
    """A population that is encrypted by its own keys."""

    def __init__(self, count: int, *, cache: Path = CACHE) -> None:
        table = str(CreateTable(person_tables.person).compile(dialect=sqlite.dialect()))
        made_by = (
            person_codec,
            codecs.pack,
            crypto,
            people,
            population,
            _encrypted_rows,
        )
        ingredients = [str(count), table, *map(inspect.getsource, made_by)]
        name = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()
        self._count = count
        self._rows = cache / f"crowd-{count}-{name[:12]}.db"
        self._keys = self._rows.with_suffix(".keys.json")

    @property
    def keys(self) -> StoreKeys:
        """Return the keys that a store needs to hold this population."""
        self._make()
        return StoreKeys.load(self._keys)

    def write_into(self, path: Path) -> None:
        """Write the whole population into an SQLite store with these keys."""
        self._make()
        connection: Any = dbapi2.connect(str(path), isolation_level=None)
        connection.execute("ATTACH ? AS population", (str(self._rows),))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO main.person SELECT * FROM population.person ORDER BY pin_index"
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def rows(self) -> Iterator[PersonRow]:
        """Yield the whole population by PIN index, for another kind of store."""
        self._make()
        connection: Any = dbapi2.connect(str(self._rows))
        yield from connection.execute("SELECT * FROM person ORDER BY pin_index")
        connection.close()

    def _make(self) -> None:
        if self._rows.exists() and self._keys.exists():
            return
        print(f"encrypting {self._count:,} citizens, once")
        self._rows.parent.mkdir(parents=True, exist_ok=True)
        for former in self._rows.parent.glob(f"crowd-{self._count}-*"):
            former.unlink()
        keys = StoreKeys.generate()
        part = self._rows.with_suffix(".part")
        part.unlink(missing_ok=True)
        connection: Any = dbapi2.connect(str(part), isolation_level=None)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE person (pin_index BLOB PRIMARY KEY, version, content_index, sealed,"
            " recorded_at, format) WITHOUT ROWID"
        )
        connection.execute("PRAGMA cache_size = -500000")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)",
            _encrypted_rows(FieldCipher(keys), self._count),
        )
        connection.execute("COMMIT")
        connection.close()
        keys.save(self._keys)
        part.rename(self._rows)


def _encrypted_rows(cipher: FieldCipher, count: int) -> Iterator[PersonRow]:
    """Yield the rows in the form of `store.records.persons`."""
    at = micros(RECORDED)
    for person in population(count):
        content = person_codec.person_to_bytes(person)
        index = cipher.index("pin", person.pin.digits)
        sealed = cipher.encrypt(
            person_codec.pad(content), person_codec.person_associated_data(index, 1)
        )
        digest = cipher.content_index("person", content)
        yield index, 1, digest, sealed, at, person_codec.FORMAT


def spread(found: Sequence[Signer], count: int) -> Iterator[Signer]:
    """Return that many of them, at equal distances."""
    return (found[number % len(found)] for number in range(count))
