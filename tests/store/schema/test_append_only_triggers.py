"""Records are only added, never changed or removed (triggers of append-only tables)."""

from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from makul.app.ports import Committed, StoreUnavailableError
from makul.store import Store, StoreKeys, open_store
from makul.store.schema.append_only_triggers import APPEND_ONLY, all_sqlite_triggers
from makul.store.schema.tables import metadata
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import an_evidence
from makul_testing.raw_sql import raw, read_all_rows

DRIVER: Any = dbapi2

TABLES = sorted(APPEND_ONLY)
_A_VALUE = {bytes: b"\1" * 32, str: "X", int: 1}


@pytest.fixture
def place(path: Path) -> Path:
    """Return a location in a file, because these tests are about files."""
    return path


@pytest.fixture
def filled(store: Store, path: Path) -> Path:
    """Write one row or more into each append-only table."""
    assert store.recorder.record(a_release(evidence=(an_evidence(),))) == Committed()
    store.close()
    with raw(path) as connection:
        for name in TABLES:
            if not connection.execute(f"SELECT 1 FROM {name}").fetchone():  # noqa: S608
                columns = metadata.tables[name].columns
                row = tuple(_A_VALUE[column.type.python_type] for column in columns)
                places = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {name} VALUES ({places})", row)  # noqa: S608
        connection.commit()
    return path


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM {table}",
        "UPDATE {table} SET {key} = randomblob(32)",
        "UPDATE OR REPLACE {table} SET {key} = {key}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "REPLACE INTO {table} SELECT * FROM {table}",
        "INSERT OR IGNORE INTO {table} SELECT * FROM {table}",
    ],
)
def test_a_row_cannot_be_changed_replaced_or_deleted(filled: Path, table: str, attack: str) -> None:
    """Plain SQL over a connection without the store's settings is refused."""
    before = read_all_rows(filled, but="")
    assert before[table]

    with raw(filled) as connection, pytest.raises(DRIVER.IntegrityError, match="append-only"):
        connection.execute(attack.format(table=table, key=APPEND_ONLY[table][-1]))

    assert read_all_rows(filled, but="") == before


@pytest.mark.parametrize("table", TABLES)
def test_a_row_has_no_hidden_rowid(filled: Path, table: str) -> None:
    """INSERT OR REPLACE by rowid would delete another row without firing its trigger."""
    with raw(filled) as connection, pytest.raises(DRIVER.OperationalError, match="rowid"):
        connection.execute(f"SELECT rowid FROM {table}")  # noqa: S608


@pytest.mark.parametrize("name", sorted(all_sqlite_triggers()))
def test_a_store_without_one_of_its_triggers_is_not_opened(
    filled: Path, keys: StoreKeys, name: str
) -> None:
    """Alembic's batch mode drops triggers silently, so each is checked at start-up."""
    with raw(filled) as connection:
        connection.execute(f"DROP TRIGGER {name}")

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(filled, keys, who="operator")


def test_a_store_with_an_altered_trigger_is_not_opened(filled: Path, keys: StoreKeys) -> None:
    """The trigger has the same name and no effect."""
    with raw(filled) as connection:
        connection.execute("DROP TRIGGER disclosure_no_delete")
        connection.execute(
            "CREATE TRIGGER disclosure_no_delete BEFORE DELETE ON disclosure BEGIN SELECT 1; END"
        )

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(filled, keys, who="operator")


def test_a_store_with_a_foreign_trigger_is_not_opened(filled: Path, keys: StoreKeys) -> None:
    """A foreign trigger could silently undo what a transaction does."""
    with raw(filled) as connection:
        connection.execute(
            "CREATE TRIGGER quiet AFTER INSERT ON ground_use"
            " BEGIN UPDATE ground_use SET used = 0; END"
        )

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(filled, keys, who="operator")


def test_usage_cannot_exceed_its_limit(filled: Path) -> None:
    """The table itself refuses, below the conditional UPDATE."""
    with raw(filled) as connection, pytest.raises(DRIVER.IntegrityError, match="within"):
        connection.execute(
            "INSERT INTO ground_use (recipient, kind, ground_id, digest, allowed, used,"
            " valid_from, valid_to) VALUES ('COM/1', 'CONSENT', x'00', x'00', 1, 2, 0, 1)"
        )
