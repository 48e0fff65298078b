"""Wrap every data key again under the current master key, while the service runs.

Each field names the master key that wraps its data key, so a walk needs no stored progress. A field
that is not under the current key is still to do, also after a kill. A walk goes by primary key and
reads only heads. A batch is one short transaction; it writes a head only if the field still has the
head that was read. A data key is never used twice, so an equal head is an unchanged field.

The statements run unchanged on SQLite and PostgreSQL. See
docs/decisions/0020-rotating-the-wrapping-key.md.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Column,
    LargeBinary,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from makul.app.ports import EncryptedCount, RewrapBatch
from makul.store.db.base import Database, QuerySource, Row
from makul.store.db.field_format import HEAD_BYTES, KEY_ID_BYTES
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.schema.tables import metadata

BATCH_FIELDS = 100
"""Fields in one transaction: writers wait some ten milliseconds for it."""

BATCH_BYTES = 4 * 1024 * 1024
"""Bytes in one transaction.

A head is small, but SQLite writes its whole row again, scans included.
"""

REST = 1.0
"""Seconds that a walk rests for each second of a batch, so that writers get their turn. Without a
rest, the recording rate fell to a half; the walk is not urgent."""

MOST_WALKS = 3
"""Maximum number of walks. Another walk finds what others encrypt meanwhile under an older key. If
a third walk finds more, another process continues to do so, and the operator must be informed."""

_NO_KEY = "?"
_SEALED = frozenset({"sealed", "subject", "answer", "sealed_check"})
"""The names of columns that only the store's keys decrypt (`store.schema.tables`)."""


@dataclass(frozen=True, eq=False)
class EncryptedColumn:
    """A column of encrypted fields, and the statements to walk it."""

    table: Table
    column: Column[bytes]

    @property
    def name(self) -> str:
        """Return the names of table and column."""
        return f"{self.table.name}.{self.column.name}"

    @cached_property
    def counting(self) -> Select[bytes, int]:
        """Select the number of fields by key id."""
        key_id = _substring(self.column, 2, KEY_ID_BYTES).label("under")
        return (
            select(key_id, func.count().label("fields"))
            .where(self.column.is_not(None))
            .group_by(literal_column("under"))
        )

    @cached_property
    def first(self) -> Select[*tuple[Any, ...]]:
        """Select the first fields under another key than `done`: length, head and primary key."""
        key = self.table.primary_key.columns
        return (
            select(func.length(self.column), _substring(self.column, 1, HEAD_BYTES), *key)
            .where(
                self.column.is_not(None),
                _substring(self.column, 2, KEY_ID_BYTES) != bindparam("done", type_=LargeBinary()),
            )
            .order_by(*key)
            .limit(literal_column(str(BATCH_FIELDS)))
        )

    @cached_property
    def following(self) -> Select[*tuple[Any, ...]]:
        """Select the same fields after a given primary key."""
        key = self.table.primary_key.columns
        behind = tuple_(*(bindparam(f"after_{each.name}", type_=each.type) for each in key))
        return self.first.where(tuple_(*key) > behind)

    @cached_property
    def rewrapping(self) -> Update:
        """Put a new head before the same ciphertext, if the head is still `was`."""
        key = self.table.primary_key.columns
        head = bindparam("head", type_=LargeBinary())
        anew = head.op("||")(_substring(self.column, HEAD_BYTES + 1))
        return (
            update(self.table)
            .where(
                and_(*(each == bindparam(f"key_{each.name}", type_=each.type) for each in key)),
                _substring(self.column, 1, HEAD_BYTES) == bindparam("was", type_=LargeBinary()),
            )
            .values({self.column.name: cast(anew, LargeBinary())})
        )


def _substring(
    column: Column[bytes], start: int, length: int | None = None
) -> ColumnElement[bytes]:
    """Return some bytes of a column.

    The numbers are in the SQL text, because a statement groups by its text.
    """
    numbers = (start,) if length is None else (start, length)
    return func.substr(column, *(literal_column(str(n)) for n in numbers), type_=LargeBinary())


SEALED_COLUMNS: Sequence[EncryptedColumn] = tuple(
    EncryptedColumn(table, column)
    for table in metadata.sorted_tables
    for column in table.columns
    if column.name in _SEALED and isinstance(column.type, LargeBinary)
)
"""The columns of encrypted fields, selected by name: a table added later is included."""


def count(
    database: QuerySource, columns: Iterable[EncryptedColumn] = SEALED_COLUMNS
) -> Sequence[EncryptedCount]:
    """Count the encrypted fields by column and key id."""
    return [
        EncryptedCount(column=column.name, key_id=_name(key_id), fields=fields)
        for column in columns
        for key_id, fields in database.fetch_all(column.counting, {})
    ]


def rewrap(database: Database, cipher: FieldCipher, key_id: str) -> Iterator[RewrapBatch]:
    """Wrap all fields under the current key, whose id is `key_id`; yield each batch.

    Raises `StoreUnavailableError`; the batches that were yielded are committed.
    """
    for _ in range(MOST_WALKS):
        fields = 0
        for column in SEALED_COLUMNS:
            for batch in _walk(database, cipher, column, key_id.encode("ascii")):
                fields += batch.fields + batch.overtaken
                yield batch
        if not fields:
            return


def _walk(
    database: Database, cipher: FieldCipher, column: EncryptedColumn, done: bytes
) -> Iterator[RewrapBatch]:
    rows = database.fetch_all(column.first, {"done": done})
    while rows:
        batch, began = _first_batch(rows), time.monotonic()
        done_now = _rewrap_batch(database, cipher, column, batch)
        took = time.monotonic() - began
        yield done_now
        time.sleep(REST * took)
        after = zip(_names(column), batch[-1][2:], strict=True)
        behind = {f"after_{name}": value for name, value in after}
        rows = database.fetch_all(column.following, {"done": done, **behind})


def _first_batch(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the first rows whose fields fit into one transaction, at least one."""
    total = 0
    for number, (length, *_) in enumerate(rows):
        total += length
        if total > BATCH_BYTES:
            return rows[: max(number, 1)]
    return rows


def _rewrap_batch(
    database: Database, cipher: FieldCipher, column: EncryptedColumn, rows: Sequence[Row]
) -> RewrapBatch:
    changes, broken = [], 0
    for _length, was, *key in rows:
        try:
            head = cipher.rewrap(was)
        except FieldDecryptionError:
            broken += 1
            continue
        keys = zip(_names(column), key, strict=True)
        changes.append({"was": was, "head": head} | {f"key_{name}": at for name, at in keys})
    fields = 0
    if changes:
        fields = database.run_transaction(
            lambda transaction: sum(
                transaction.execute(column.rewrapping, change) for change in changes
            )
        )
    return RewrapBatch(
        column=column.name, fields=fields, overtaken=len(changes) - fields, broken=broken
    )


def _names(column: EncryptedColumn) -> Sequence[str]:
    return [each.name for each in column.table.primary_key.columns]


def _name(key_id: object) -> str:
    """Return a key id as text; `?` for bytes that are no key id."""
    text = key_id.decode("latin-1") if isinstance(key_id, bytes) else ""
    fits = len(text) == KEY_ID_BYTES and all(letter in "0123456789abcdef" for letter in text)
    return text if fits else _NO_KEY
