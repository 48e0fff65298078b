"""Messages describe a database's failure in words, without the driver's text."""

from pathlib import Path

import psycopg
import pytest
from pysqlite3 import dbapi2

from makul.store.db.error_texts import describe_failure

SECRET = "1234567890123"
WRONG = "SELECT '1234567890123' FROM nothing"


def error_of(path: Path, statement: str, *, uri: str = "") -> dbapi2.Error:
    with pytest.raises(dbapi2.Error) as caught:
        dbapi2.connect(f"file:{path}{uri}", uri=True).execute(statement)
    return caught.value


def test_failures_of_sqlite_are_described(tmp_path: Path) -> None:
    """The result code is used, because a driver's message may quote values."""
    other = tmp_path / "other"
    other.write_bytes(b"no database at all " * 100)
    store = tmp_path / "store"
    dbapi2.connect(store).execute("CREATE TABLE person (pin TEXT)").close()

    assert describe_failure(error_of(other, "SELECT 1 FROM x")) == "the file is no database"
    read_only = error_of(store, "INSERT INTO person VALUES (1)", uri="?mode=ro")
    assert describe_failure(read_only) == "it is read-only"
    assert (
        describe_failure(error_of(tmp_path / "no" / "x", "SELECT 1")) == "the file cannot be opened"
    )
    assert SECRET not in describe_failure(error_of(store, WRONG))


def test_failures_of_postgresql_are_their_sqlstate() -> None:
    """A server that is unreachable has no SQLSTATE."""
    assert describe_failure(psycopg.errors.UniqueViolation(SECRET)) == "SQLSTATE 23505"
    assert describe_failure(psycopg.OperationalError(SECRET)) == "no connection"
