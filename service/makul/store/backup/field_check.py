"""Decrypt every encrypted field of a restored store, to prove that the keys and the content fit.

The ledger proves decisions and acts. It reads no person and no sample; their fields are proved only
here. A field is bound to its table, its column and the parts of its primary key.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, select, tuple_

from makul.language.translation import translate
from makul.store.admin.rewrap import SEALED_COLUMNS, EncryptedColumn, count
from makul.store.backup.errors import BackupError
from makul.store.db.base import Database
from makul.store.db.field_format import HEAD_BYTES
from makul.store.encryption.fields import (
    FieldCipher,
    FieldDecryptionError,
    field_associated_data,
)

PAGE = 64
"""Rows that are read at once: some 20 MB if each holds a sample."""

BOUND_BY_KEY = frozenset(
    {
        *("act.sealed", "act_answer.sealed", "contested_answer.sealed", "contested_line.sealed"),
        *("correction.sealed", "incident.sealed", "undertaking.sealed"),
        *("desk_document.sealed", "desk_log.sealed", "disclosure.sealed", "evidence.sealed"),
        *("ground_use.subject", "month_document.sealed", "notification.sealed", "officer.sealed"),
        *("official.sealed", "oversight_case_step.sealed", "person.sealed"),
        *("person_sample.sealed", "repetition.sealed", "request_key.answer"),
        *("request_message.sealed", "signatory.sealed", "store_identity.sealed_check"),
    }
)
"""Columns whose associated data are the parts of the primary key. Of any other column, only the
data key is unwrapped, which proves the master key and not the content."""


def verify_fields(
    database: Database, cipher: FieldCipher, report: Callable[[int, int], None]
) -> int:
    """Decrypt every encrypted field, and return their number.

    Raises `BackupError` for the first column with fields that do not decrypt.
    """
    total = sum(each.fields for each in count(database))
    done = 0
    for column in SEALED_COLUMNS:
        broken = 0
        for page in _pages(database, column):
            broken += sum(not _opens(cipher, column, sealed, key) for sealed, *key in page)
            done += len(page)
            report(done, total)
        if broken:
            raise BackupError(
                translate(
                    "{number} fields of {column} do not decrypt with these keys",
                    number=broken,
                    column=column.name,
                )
            )
    return done


def _pages(database: Database, column: EncryptedColumn) -> Iterator[Sequence[Any]]:
    key = column.table.primary_key.columns
    first: Select[Any] = (
        select(column.column, *key).where(column.column.is_not(None)).order_by(*key).limit(PAGE)
    )
    after = tuple_(*(bindparam(f"after_{each.name}", type_=each.type) for each in key))
    following = first.where(tuple_(*key) > after)
    page = database.fetch_all(first, {})
    while page:
        yield page
        names = [each.name for each in key]
        behind = {f"after_{name}": at for name, at in zip(names, page[-1][1:], strict=True)}
        page = database.fetch_all(following, behind)


def _opens(
    cipher: FieldCipher, column: EncryptedColumn, sealed: bytes, key: Sequence[object]
) -> bool:
    if column.name not in BOUND_BY_KEY:
        return _unwraps(cipher, sealed)
    table, name = column.table.name, column.column.name
    for parts in _forms(key):
        try:
            cipher.decrypt(sealed, field_associated_data(table, name, *parts))
        except FieldDecryptionError:
            continue
        return True
    return False


def _unwraps(cipher: FieldCipher, sealed: bytes) -> bool:
    try:
        cipher.rewrap(sealed[:HEAD_BYTES])
    except FieldDecryptionError:
        return False
    return True


def _forms(key: Sequence[object]) -> Iterator[list[bytes]]:
    """Yield the parts of a key as bytes: a number in eight bytes, or in digits.

    A field decrypts under one form only.
    """
    yield [_part(each, lambda number: number.to_bytes(8, "big")) for each in key]
    if any(isinstance(each, int) for each in key):
        yield [_part(each, lambda number: b"%d" % number) for each in key]


def _part(value: object, of_number: Callable[[int], bytes]) -> bytes:
    match value:
        case bytes() | memoryview():
            return bytes(value)
        case int():
            return of_number(value)
    return str(value).encode()
