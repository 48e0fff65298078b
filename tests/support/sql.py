"""A look at a store's file past the store, as an auditor or an attacker would have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2


@contextmanager
def raw(path: Path) -> Iterator[Any]:
    """A plain connection: none of the store's pragmas, none of its manners."""
    connection: Any = dbapi2.connect(str(path), isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def count(path: Path, table: str) -> int:
    """How many rows a table has."""
    with raw(path) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to tell whether anything at all changed."""
    with raw(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}")))  # noqa: S608
            for (name,) in tables.fetchall()
        }
