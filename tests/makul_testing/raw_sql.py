"""A look at a store past the store, as an auditor or an attacker would have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from pysqlite3 import dbapi2

from makul.store.db.location import Place, PostgresPlace

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_SERVER_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relkind IN ('r', 'p') AND NOT relispartition"
)


@contextmanager
def raw(place: Place) -> Iterator[Any]:
    """A plain connection: none of the store's settings, none of its manners."""
    connection: Any
    if isinstance(place, PostgresPlace):
        connection = psycopg.connect(place.url, autocommit=True)
    else:
        connection = dbapi2.connect(str(place), isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def parameters(place: Place, sql: str) -> str:
    """A statement with `?` for its values, as the driver of this place takes it."""
    return sql.replace("?", "%s") if isinstance(place, PostgresPlace) else sql


def count(place: Place, table: str) -> int:
    """How many rows a table has."""
    with raw(place) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


def everything(place: Place, *, but: str = "dictionary") -> dict[str, list[str]]:
    """Every row of every table but one, to tell whether anything at all changed.

    Dictionaries of compression are texts that say nothing of a request: they are kept beforehand.
    """
    with raw(place) as connection:
        tables = _SERVER_TABLES if isinstance(place, PostgresPlace) else _TABLES
        return {
            name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall()))  # noqa: S608
            for (name,) in connection.execute(tables).fetchall()
            if name != but
        }


def binary(place: Place, value: bytes) -> str:
    """A byte string as a literal."""
    return f"'\\x{value.hex()}'::bytea" if isinstance(place, PostgresPlace) else f"x'{value.hex()}'"


@contextmanager
def without_guards(place: Place, table: str) -> Iterator[Any]:
    """A superuser's connection for which a table's triggers do not hold; they do afterwards."""
    with raw(place) as connection:
        if isinstance(place, PostgresPlace):
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
