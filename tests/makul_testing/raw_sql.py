"""A look at a store past the store, as an auditor or an attacker would have it."""

from collections.abc import Iterator
from contextlib import contextmanager
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
    """A plain connection: none of the store's settings, none of its manners."""
    connection: Any
    if isinstance(place, PostgresLocation):
        connection = psycopg.connect(place.url, autocommit=True)
    else:
        connection = dbapi2.connect(str(place), isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def parameters(place: DatabaseLocation, sql: str) -> str:
    """A statement with `?` for its values, as the driver of this place takes it."""
    return sql.replace("?", "%s") if isinstance(place, PostgresLocation) else sql


def count(place: DatabaseLocation, table: str) -> int:
    """How many rows a table has."""
    with raw(place) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


def everything(place: DatabaseLocation, *, but: str = "dictionary") -> dict[str, list[str]]:
    """Every row of every table but one, to tell whether anything at all changed.

    Dictionaries of compression are texts that say nothing of a request: they are kept beforehand.
    """
    with raw(place) as connection:
        tables = _SERVER_TABLES if isinstance(place, PostgresLocation) else _TABLES
        return {
            name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall()))  # noqa: S608
            for (name,) in connection.execute(tables).fetchall()
            if name != but
        }


def binary(place: DatabaseLocation, value: bytes) -> str:
    """A byte string as a literal."""
    return (
        f"'\\x{value.hex()}'::bytea" if isinstance(place, PostgresLocation) else f"x'{value.hex()}'"
    )


@contextmanager
def without_guards(place: DatabaseLocation, table: str) -> Iterator[Any]:
    """A superuser's connection for which a table's triggers do not hold; they do afterwards."""
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
