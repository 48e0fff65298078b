"""Writes of a person's rows: each version of the record, and the samples that versions name.

Every function runs in a transaction that holds the lock `LockKind.REGISTRY`. So no two transactions
write one person at once.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from makul.domain.persons import Person
from makul.store.db.base import Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.person_codec import (
    FORMAT,
    name_samples,
    pad,
    person_associated_data,
    person_from_bytes,
    person_to_bytes,
    sample_associated_data,
)
from makul.store.schema.person_tables import person, person_sample

_CURRENT = (
    select(person.c.version, person.c.sealed, person.c.content_index, person.c.format)
    .where(person.c.pin_index == bindparam("pin_index"))
    .order_by(person.c.version.desc())
    .limit(1)
)
_ADD_PERSON = insert(person)
_SAMPLE_KNOWN = select(person_sample.c.recorded_at).where(
    person_sample.c.pin_index == bindparam("pin_index"),
    person_sample.c.sample_index == bindparam("sample_index"),
)
_ADD_SAMPLE = insert(person_sample)


def read_current(transaction: Transaction, cipher: FieldCipher, pin_index: bytes) -> Person | None:
    """Return the current version of the person with this index; None if there is none."""
    row = transaction.fetch_one(_CURRENT, {"pin_index": pin_index})
    if row is None:
        return None
    version, sealed, *_ = row
    return person_from_bytes(
        cipher.decrypt(sealed, person_associated_data(pin_index, version)), version
    )


def add_version(
    transaction: Transaction, cipher: FieldCipher, person: Person, at: datetime
) -> bool:
    """Add this record as a new version, unless it equals the current one.

    Returns whether it was added. This function assigns the version number and ignores the record's
    own.
    """
    pin_index = cipher.index("pin", person.pin.digits)
    record, samples = name_samples(cipher, person)
    version, unchanged = 0, False
    row = transaction.fetch_one(_CURRENT, {"pin_index": pin_index})
    if row is not None:
        version, sealed, content_index, form = row
        if form != FORMAT:  # its digest was computed over format 1
            plain = cipher.decrypt(sealed, person_associated_data(pin_index, version))
            content_index = digest_record(
                cipher, name_samples(cipher, person_from_bytes(plain, version))[0]
            )
        unchanged = content_index == digest_record(cipher, record)
    if unchanged:
        return False
    add_samples(transaction, cipher, pin_index, samples, at)
    encrypted = encrypt_record(cipher, record, pin_index, version + 1)
    key = {"pin_index": pin_index, "version": version + 1}
    transaction.execute(_ADD_PERSON, {**key, **encrypted, "recorded_at": micros(at)})
    return True


def add_samples(
    transaction: Transaction,
    cipher: FieldCipher,
    pin_index: bytes,
    samples: Mapping[bytes, bytes],
    at: datetime,
) -> None:
    """Add the samples for which this person has no row yet."""
    for index, sample in samples.items():
        key = {"pin_index": pin_index, "sample_index": index}
        if transaction.fetch_one(_SAMPLE_KNOWN, key) is None:
            sealed = cipher.encrypt(sample, sample_associated_data(pin_index, index))
            transaction.execute(_ADD_SAMPLE, {**key, "sealed": sealed, "recorded_at": micros(at)})


def digest_record(cipher: FieldCipher, record: Person) -> bytes:
    """Return the keyed digest that detects a changed record."""
    return cipher.content_index("person", person_to_bytes(record))


def encrypt_record(
    cipher: FieldCipher, record: Person, pin_index: bytes, version: int
) -> dict[str, object]:
    """Return the encrypted columns of a record whose samples are named."""
    content = person_to_bytes(record)
    return {
        "content_index": cipher.content_index("person", content),
        "sealed": cipher.encrypt(pad(content), person_associated_data(pin_index, version)),
        "format": FORMAT,
    }
