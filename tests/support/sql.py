"""A look at a store past the store, as an auditor or an attacker would have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from pysqlite3 import dbapi2

from makul.store.places import Place, PostgresPlace

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


def count(place: Place, table: str) -> int:
    """How many rows a table has."""
    with raw(place) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


def everything(place: Place) -> dict[str, list[str]]:
    """Every row of every table, to tell whether anything at all changed."""
    with raw(place) as connection:
        tables = _SERVER_TABLES if isinstance(place, PostgresPlace) else _TABLES
        return {
            name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall()))  # noqa: S608
            for (name,) in connection.execute(tables).fetchall()
        }
