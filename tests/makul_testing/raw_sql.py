"""Access to a store without the store's code, like an auditor or an attacker."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pysqlite3 import dbapi2

from makul.store.db.location import DatabaseLocation, PostgresLocation

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_SERVER_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relkind IN ('r', 'p') AND NOT relispartition"
)


@contextmanager
def raw(place: DatabaseLocation) -> Iterator[Any]:
    """Return a plain connection, without the store's settings."""
    connection: Any
    if isinstance(place, PostgresLocation):
        connection = psycopg.connect(place.url, autocommit=True)
    else:
        assert isinstance(place, Path), "anything else would become the name of a new file"
        connection = dbapi2.connect(str(place), isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def parameters(place: DatabaseLocation, sql: str) -> str:
    """Return a statement with `?` for its values in the form of this database's driver."""
    return sql.replace("?", "%s") if isinstance(place, PostgresLocation) else sql


def count(place: DatabaseLocation, table: str) -> int:
    """Return the number of rows of a table."""
    with raw(place) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


def read_all_rows(place: DatabaseLocation, *, but: str = "dictionary") -> dict[str, list[str]]:
    """Return every row of every table but one, to find any change.

    Dictionaries of compression hold texts without data of a request, and are stored beforehand.
    """
    with raw(place) as connection:
        tables = _SERVER_TABLES if isinstance(place, PostgresLocation) else _TABLES
        return {
            name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall()))  # noqa: S608
            for (name,) in connection.execute(tables).fetchall()
            if name != but
        }


def binary(place: DatabaseLocation, value: bytes) -> str:
    """Return a byte string as a literal."""
    return (
        f"'\\x{value.hex()}'::bytea" if isinstance(place, PostgresLocation) else f"x'{value.hex()}'"
    )


@contextmanager
def without_guards(place: DatabaseLocation, table: str) -> Iterator[Any]:
    """Return a superuser's connection that disables a table's triggers, and enables them
    afterwards.
    """
    with raw(place) as connection:
        if isinstance(place, PostgresLocation):
            connection.execute("SET session_replication_role = replica")
            yield connection
            return
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
        guards = connection.execute(triggers, (table,)).fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in guards:
            connection.execute(sql)
