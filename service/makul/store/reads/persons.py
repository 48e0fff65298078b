"""Reads of a person's record for a request (invariant 6)."""

from dataclasses import replace

from sqlalchemy import bindparam, func, select

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.person_locks import MatchingState
from makul.domain.persons import Person
from makul.language.translation import translate
from makul.store.db.base import Database
from makul.store.db.codecs import CodecError
from makul.store.encryption.fields import FieldCipher
from makul.store.reads.corrections import DISPUTED_ATTRIBUTES
from makul.store.records.person_codec import (
    FILLERS,
    pad,
    person_associated_data,
    person_from_bytes,
    person_to_bytes,
    sample_associated_data,
)
from makul.store.schema.person_tables import person, person_sample
from makul.store.schema.registry_tables import matching_lock

_neighbour = person.alias("neighbour")
_IS_LOCKED = (
    select(matching_lock.c.state)
    .where(matching_lock.c.subject_index == bindparam("pin_index"))
    .scalar_subquery()
)
_PERSON = (
    select(
        person.c.pin_index,
        person.c.version,
        person.c.sealed,
        _IS_LOCKED.label("lock"),
        DISPUTED_ATTRIBUTES.label("disputed"),
    )
    .where(
        person.c.pin_index
        == func.coalesce(
            select(func.max(_neighbour.c.pin_index))
            .where(_neighbour.c.pin_index <= bindparam("pin_index"))
            .scalar_subquery(),
            select(func.min(_neighbour.c.pin_index)).scalar_subquery(),
        )
    )
    .order_by(person.c.version.desc())
    .limit(1)
)
"""Reads the person with this index or, if there is none, the person with a neighbouring index.

So the database finds and reads a row in every case. The lock that the subject set comes with it,
and the attributes that are being examined (cl. 14).
"""
_SAMPLE = select(person_sample.c.sealed).where(
    person_sample.c.pin_index == bindparam("pin_index"),
    person_sample.c.sample_index == bindparam("sample_index"),
)

_NOBODY = Person(pin=Pin("00101190000000"), values=FILLERS)
"""Decrypted instead of the record of a person who does not exist.

It has the size and shape of a record.
"""


class PersonReader:
    """Reader of records by PIN.

    The work does not depend on whether the person or a value exists.
    """

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._nobody = cipher.encrypt(pad(person_to_bytes(_NOBODY)), person_associated_data(b"", 0))

    def read(self, pin: Pin) -> Person | None:
        """Return the current version of a person's record. Its samples are named and not read.

        If there is no such person, this reads the row of a neighbour without decrypting it. It then
        decrypts a dummy record instead, so that the work is equal.
        """
        index = self._cipher.index("pin", pin.digits)
        row = self._database.fetch_one(_PERSON, {"pin_index": index})
        exists = row is not None and row[0] == index
        where, version, sealed, lock, examined = (
            row if row is not None and exists else (b"", 0, self._nobody, None, None)
        )
        person = person_from_bytes(
            self._cipher.decrypt(sealed, person_associated_data(where, version)), version
        )
        if not exists:
            return None
        if person.pin != pin:
            raise CodecError(translate("a person's record does not belong where it was found"))
        # The same copy is made for every record, so that the work is equal.
        return replace(
            person,
            locked=person.locked or lock == MatchingState.LOCKED,
            disputed=person.disputed.union(map(Attribute, (examined or "").split())),
        )

    def read_samples(self, person: Person, attributes: frozenset[Attribute]) -> Person:
        """Return this version of the record with the wanted samples.

        Samples are found by the digests that this version names. So samples of other versions are
        never read.
        """
        index = self._cipher.index("pin", person.pin.digits)
        samples = {
            name: self._sample(index, ref.digest)
            for name, ref in person.samples.items()
            if name in attributes
        }
        return replace(person, values={**person.values, **samples})

    def _sample(self, pin_index: bytes, sample_index: bytes) -> bytes:
        values = {"pin_index": pin_index, "sample_index": sample_index}
        row = self._database.fetch_one(_SAMPLE, values)
        if row is None:
            raise CodecError(translate("a person's record names a sample that is not there"))
        return self._cipher.decrypt(row[0], sample_associated_data(pin_index, sample_index))
