"""What a store contains, read in one snapshot and without its keys.

The tables are those of the database itself. A copy is also made before an upgrade, when the store
has an older schema than this program.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, TextClause, column, func, select, table, text
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from makul.app.ports import StoreUnavailableError
from makul.language.translation import translate
from makul.store.admin.rewrap import SEALED_COLUMNS, count
from makul.store.db.base import CompiledStatements, Cursor, QuerySource, Transaction
from makul.store.db.codecs import instant
from makul.store.schema.identity_table import store_identity
from makul.store.schema.ledger_tables import checkpoint, ledger_head, ledger_leaf
from makul.store.schema.role_privileges import VERSION_TABLE

_VERSION: Select[Any] = select(column("version_num")).select_from(table(VERSION_TABLE))
_IDENTITY = select(store_identity.c.store_id)
_NEWEST_LEAF = select(func.max(ledger_leaf.c.recorded_at))
_HEAD = select(ledger_head.c.size, ledger_head.c.root)
_NEWEST_CHECKPOINT = (
    select(checkpoint.c.size, checkpoint.c.made_at).order_by(checkpoint.c.size.desc()).limit(1)
)
_SQLITE_COLUMNS = text(
    "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p"
    " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)
_POSTGRES_COLUMNS = text(
    "SELECT c.relname::text, a.attname::text FROM pg_class c"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
    " AND NOT c.relispartition"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInventory:
    """What a store contains at one moment. It names no person."""

    database: str
    """`SQLite` or `PostgreSQL`."""
    database_version: str
    schema_version: str
    store: str
    """The identity of the store, a UUID."""
    newest_record_at: datetime | None
    size: int
    """Number of leaves in the ledger."""
    root: bytes
    checkpoint: int | None
    checkpoint_at: datetime | None
    keys: tuple[str, ...]
    """The ids of the master keys that wrap the keys of its fields."""
    tables: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReader:
    """A snapshot of one database, and what its dialect calls things."""

    database: str
    source: QuerySource
    columns: TextClause
    version: TextClause

    @classmethod
    def of_sqlite(cls, execute: Callable[..., Cursor]) -> "SnapshotReader":
        """Return a reader over a connection of SQLite."""
        statements = CompiledStatements(sqlite_dialect(paramstyle="qmark"))
        return cls(
            database="SQLite",
            source=Transaction(execute, statements),
            columns=_SQLITE_COLUMNS,
            version=text("SELECT sqlite_version()"),
        )

    @classmethod
    def of_postgres(cls, execute: Callable[..., Any]) -> "SnapshotReader":
        """Return a reader over a connection of PostgreSQL."""
        dialect = psycopg_dialect(paramstyle="format")  # type: ignore[no-untyped-call]
        statements = CompiledStatements(dialect)
        return cls(
            database="PostgreSQL",
            source=Transaction(
                lambda sql, values: execute(sql.encode(), values or None), statements
            ),
            columns=_POSTGRES_COLUMNS,
            version=text("SHOW server_version"),
        )

    def read(self) -> StoreInventory:
        """Return the inventory. Raises `StoreUnavailableError` if this is no finished store."""
        present = {(str(name), str(field)) for name, field in self._rows(self.columns)}
        names = sorted({name for name, _ in present})
        if not {VERSION_TABLE, store_identity.name, ledger_head.name} <= set(names):
            raise StoreUnavailableError(translate("the store is not there"))
        stored = [each for each in SEALED_COLUMNS if (each.table.name, each.column.name) in present]
        size, root = self._one(_HEAD)
        newest_size, newest_at = self._one(_NEWEST_CHECKPOINT, (None, None))
        (newest_record,) = self._one(_NEWEST_LEAF)
        return StoreInventory(
            database=self.database,
            database_version=str(self._one(self.version)[0]),
            schema_version=str(self._one(_VERSION)[0]),
            store=str(UUID(bytes=bytes(self._one(_IDENTITY)[0]))),
            newest_record_at=None if newest_record is None else instant(newest_record),
            size=size,
            root=bytes(root),
            checkpoint=newest_size,
            checkpoint_at=None if newest_at is None else instant(newest_at),
            keys=tuple(sorted({each.key_id for each in count(self.source, stored)})),
            tables={name: self._one(_count(name))[0] for name in names},
        )

    def _rows(self, statement: Any) -> list[tuple[Any, ...]]:
        return self.source.fetch_all(statement, {})

    def _one(self, statement: Any, without: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        row = self.source.fetch_one(statement, {})
        found = row if row is not None else without
        if found is None:
            raise StoreUnavailableError(
                translate("the store was not completely created: create it again")
            )
        return found


def _count(name: str) -> Any:
    return select(func.count()).select_from(table(name))
