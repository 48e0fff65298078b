"""Move samples out of persons' records, after the migration that made a table for them.

Each row names its format, so the move needs no stored progress: after a kill it continues with the
remaining rows. A batch is one short transaction that adds the sample's row and writes the record
without it. So a reader always finds the sample in exactly one of them. The service may run
meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Integer,
    LargeBinary,
    bindparam,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)

from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import CodecError
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.records.person_codec import (
    WHOLE,
    name_samples,
    person_associated_data,
    person_from_bytes,
)
from makul.store.records.persons import add_samples, encrypt_record
from makul.store.schema.person_tables import person

MAX_BATCH_ROWS = 100
MAX_BATCH_BYTES = 4 * 1024 * 1024
"""Bytes of records in one transaction, at least one record. Writers wait for it, as for a batch of
`store.admin.rewrap`."""

_TO_MOVE = text(f"format = {WHOLE}")
"""The predicate of the partial index: with a parameter, a database could not use the index."""
_COUNT = select(func.count()).select_from(person).where(_TO_MOVE)
_NEXT = (
    select(person.c.pin_index, person.c.version, func.length(person.c.sealed))
    .where(
        _TO_MOVE,
        tuple_(person.c.pin_index, person.c.version)
        > tuple_(
            bindparam("after_index", type_=LargeBinary()),
            bindparam("after_version", type_=Integer()),
        ),
    )
    .order_by(person.c.pin_index, person.c.version)
    .limit(literal_column(str(MAX_BATCH_ROWS)))
)
_READ = select(person.c.sealed).where(
    person.c.pin_index == bindparam("pin_index"),
    person.c.version == bindparam("version"),
    _TO_MOVE,
)
_WRITE = (
    update(person)
    .where(
        person.c.pin_index == bindparam("key_index"), person.c.version == bindparam("key_version")
    )
    .values(
        content_index=bindparam("content_index"),
        sealed=bindparam("sealed"),
        format=bindparam("format"),
    )
)


@dataclass(frozen=True, slots=True)
class MovedSamples:
    """The result of one batch, in versions of records."""

    versions: int
    broken: int
    """Versions that these keys do not decrypt, or that do not read back; they stay unchanged."""


def count_rows(database: Database) -> int:
    """Return how many versions of records still contain their samples."""
    row = database.fetch_one(_COUNT, {})
    return int(row[0]) if row is not None else 0


def move_samples(unit_of_work: RegistryUnitOfWork, *, at: datetime) -> Iterator[MovedSamples]:
    """Move the samples of every record, and yield the result of each batch.

    Raises `StoreUnavailableError`; the batches that were yielded are committed.
    """
    after: tuple[bytes, int] = (b"", 0)
    while keys := _next_keys(unit_of_work.database, after):
        versions = broken = 0
        with unit_of_work.begin() as transaction:
            for key in keys:
                try:
                    versions += _move(transaction, unit_of_work.cipher, *key, at)
                except (FieldDecryptionError, CodecError):
                    broken += 1
            facts = {"versions": versions, "broken": broken}
            unit_of_work.log.write(transaction, "persons.move_samples", "", facts, at=at)
        after = keys[-1]
        yield MovedSamples(versions, broken)


def _next_keys(database: Database, after: tuple[bytes, int]) -> list[tuple[bytes, int]]:
    keys: list[tuple[bytes, int]] = []
    total_bytes = 0
    rows = database.fetch_all(_NEXT, {"after_index": after[0], "after_version": after[1]})
    for pin_index, version, size_bytes in rows:
        total_bytes += size_bytes
        if keys and total_bytes > MAX_BATCH_BYTES:
            break
        keys.append((pin_index, version))
    return keys


def _move(
    transaction: Transaction, cipher: FieldCipher, pin_index: bytes, version: int, at: datetime
) -> int:
    """Move the samples of one version; return 0 if another process did so meanwhile."""
    row = transaction.fetch_one(_READ, {"pin_index": pin_index, "version": version})
    if row is None:
        return 0
    plain = cipher.decrypt(row[0], person_associated_data(pin_index, version))
    record, samples = name_samples(cipher, person_from_bytes(plain, version))
    encrypted = encrypt_record(cipher, record, pin_index, version)
    add_samples(transaction, cipher, pin_index, samples, at)
    return transaction.execute(
        _WRITE, {"key_index": pin_index, "key_version": version, **encrypted}
    )
