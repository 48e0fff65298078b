"""The rows that decisions depend on, in the form that acts state and that verification reads.

A row is stated by all its columns except the one that only serves for locking. An encrypted column
is stated by a keyed digest of its content, for two reasons. A rotation of the master key changes
the encrypted bytes. A plain digest would let an attacker guess a PIN.

A long value is stated by its SHA-256. Each value carries its type, so that no text is ever equal to
a digest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Select, Table, bindparam, select, tuple_
from sqlalchemy.sql.elements import literal_column

from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import dumps
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError, field_associated_data
from makul.store.schema.tables import metadata

Image = Mapping[str, object]
"""The columns of a row that are not part of its key: plain values by column name."""

PAGE = 256
"""Number of rows read at once."""

MAX_BYTES = 64
"""Maximum length in bytes of a value that is stated in full.

Longer bytes are stated by their SHA-256, so keys and digests stay readable.
"""

MAX_CHARACTERS = 16_384
"""Maximum length in characters of a text that is stated in full.

Longer texts are stated by their SHA-256. The terms of an agreement stay readable.
"""

_ENCRYPTED = frozenset({"sealed", "subject"})
_LEFT_OUT = frozenset({"to_lock_by"})

REGISTER_TABLES = (
    "recipient",
    "certificate",
    "sealing_certificate",
    "official",
    "official_withdrawal",
    "signatory",
    "agreement",
    "agreement_draft",
    "agreement_signature",
    "notice_text",
    "notice_approval",
    "desk_document",
    "officer",
    "termination_proposal",
    "reinstatement_proposal",
    "monthly_statement",
    "contested_line",
    "contested_answer",
    "month_document",
    "oversight_case",
    "oversight_case_step",
    "matching_lock",
    "month_question",
    "subject_answer",
    "correction",
    "correction_recall",
    "undertaking",
    "undertaking_end",
    "incident",
    "deletion_attestation",
)
"""Tables that only acts change."""

USED_TABLES = (
    "ground_use",
    "revocation",
    "consent_giver",
    "daily_use",
    "paper_use",
    "attempt",
)
"""Tables that decisions change. The operator may also revoke a ground."""


@dataclass(frozen=True, eq=False)
class TableImages:
    """A table whose rows are verified against the ledger, and the statements that read it."""

    table: Table

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.table.name

    @cached_property
    def key_names(self) -> tuple[str, ...]:
        """The columns of the primary key, in key order."""
        return tuple(column.name for column in self.table.primary_key.columns)

    @cached_property
    def _columns(self) -> tuple[Column[Any], ...]:
        return tuple(each for each in self.table.columns if each.name not in _LEFT_OUT)

    @cached_property
    def select_one(self) -> Select[*tuple[Any, ...]]:
        """The statement that reads one row by its key."""
        key = self.table.primary_key.columns
        return select(*self._columns).where(*(each == bindparam(each.name) for each in key))

    @cached_property
    def first(self) -> Select[*tuple[Any, ...]]:
        """The statement that reads the first page of rows, in key order."""
        key = self.table.primary_key.columns
        return select(*self._columns).order_by(*key).limit(literal_column(str(PAGE)))

    @cached_property
    def following(self) -> Select[*tuple[Any, ...]]:
        """The statement that reads the page of rows after a key."""
        key = self.table.primary_key.columns
        after = tuple_(*(bindparam(f"after_{each.name}", type_=each.type) for each in key))
        return self.first.where(tuple_(*key) > after)

    def rows(self, source: Database | Transaction) -> Iterator[Mapping[str, object]]:
        """Yield every row as values by column name. Rows are read one page at a time."""
        page = source.fetch_all(self.first, {})
        while page:
            named = [self.named(row) for row in page]
            yield from named
            after = {f"after_{name}": named[-1][name] for name in self.key_names}
            page = source.fetch_all(self.following, after)

    def named(self, row: Row) -> dict[str, object]:
        """Return a row of `select_one`, `first` or `following` as values by column name."""
        return dict(zip((each.name for each in self._columns), row, strict=True))

    def key_text(self, key: Mapping[str, object]) -> str:
        """Return the key as text. Two texts are equal only if the keys are equal."""
        return dumps([state_value(key[name]) for name in self.key_names])

    def image(self, cipher: FieldCipher, row: Mapping[str, object]) -> Image:
        """Return the stated form of a row.

        An encrypted column that cannot be decrypted is stated as unreadable, so that its right can
        still be withdrawn.
        """
        return {
            name: (
                self._state_encrypted(cipher, row, name)
                if name in _ENCRYPTED and value is not None
                else state_value(value)
            )
            for name, value in row.items()
            if name not in self.key_names
        }

    def _state_encrypted(self, cipher: FieldCipher, row: Mapping[str, object], name: str) -> object:
        key = (_key_part(row[each]) for each in self.key_names)
        value = row[name]
        sealed = value if isinstance(value, bytes) else b""
        try:
            return state_content(
                cipher, cipher.decrypt(sealed, field_associated_data(self.name, name, *key))
            )
        except FieldDecryptionError:
            return ["unreadable", sha256(sealed).hexdigest()]


TABLE_IMAGES: Mapping[str, TableImages] = MappingProxyType(
    {name: TableImages(metadata.tables[name]) for name in (*REGISTER_TABLES, *USED_TABLES)}
)
"""The tables that are verified against the ledger, by name, in the order of verification."""


def state_value(value: object) -> object:
    """Return a column's value as a plain value that shows its type."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, bytes):
        if len(value) <= MAX_BYTES:
            return ["hex", value.hex()]
        return ["sha256", sha256(value).hexdigest()]
    if isinstance(value, str):
        if len(value) <= MAX_CHARACTERS:
            return value
        return ["text", sha256(value.encode()).hexdigest()]
    return ["other", type(value).__name__]


def state_content(cipher: FieldCipher, content: bytes) -> object:
    """Return a keyed digest of an encrypted column's content, which discloses nothing about it."""
    return ["content", cipher.content_index("held_row", content).hex()]


def _key_part(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
