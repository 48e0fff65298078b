"""The record is added to, never changed or taken from (ARCHITECTURE, "Data at rest")."""

from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from makul.app.ports import Committed, StoreUnavailableError
from makul.store import Store, StoreKeys, open_store
from makul.store.schema.append_only_triggers import APPEND_ONLY, all_sqlite_triggers
from makul.store.schema.columns import metadata
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import an_evidence
from makul_testing.raw_sql import everything, raw

DRIVER: Any = dbapi2

TABLES = sorted(APPEND_ONLY)
_A_VALUE = {bytes: b"\1" * 32, str: "X", int: 1}


@pytest.fixture
def place(path: Path) -> Path:
    """What is told here is of a file."""
    return path


@pytest.fixture
def filled(store: Store, path: Path) -> Path:
    """One row or more in each append-only table."""
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
    """By plain SQL, over a connection without any of the store's settings."""
    before = everything(filled, but="")
    assert before[table]

    with raw(filled) as connection, pytest.raises(DRIVER.IntegrityError, match="append-only"):
        connection.execute(attack.format(table=table, key=APPEND_ONLY[table][-1]))

    assert everything(filled, but="") == before


@pytest.mark.parametrize("table", TABLES)
def test_a_row_has_no_hidden_number_to_be_replaced_by(filled: Path, table: str) -> None:
    """INSERT OR REPLACE by rowid would delete another row without firing its trigger."""
    with raw(filled) as connection, pytest.raises(DRIVER.OperationalError, match="rowid"):
        connection.execute(f"SELECT rowid FROM {table}")  # noqa: S608


@pytest.mark.parametrize("name", sorted(all_sqlite_triggers()))
def test_a_store_without_one_of_its_triggers_is_not_opened(
    filled: Path, keys: StoreKeys, name: str
) -> None:
    """Alembic's batch mode drops triggers without a word: each is asserted at start-up."""
    with raw(filled) as connection:
        connection.execute(f"DROP TRIGGER {name}")

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(filled, keys, who="operator")


def test_a_store_with_an_altered_trigger_is_not_opened(filled: Path, keys: StoreKeys) -> None:
    """Same name, no teeth."""
    with raw(filled) as connection:
        connection.execute("DROP TRIGGER disclosure_no_delete")
        connection.execute(
            "CREATE TRIGGER disclosure_no_delete BEFORE DELETE ON disclosure BEGIN SELECT 1; END"
        )

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(filled, keys, who="operator")


def test_a_store_with_a_foreign_trigger_is_not_opened(filled: Path, keys: StoreKeys) -> None:
    """A trigger that is not ours could undo in silence what a transaction does."""
    with raw(filled) as connection:
        connection.execute(
            "CREATE TRIGGER quiet AFTER INSERT ON ground_use"
            " BEGIN UPDATE ground_use SET used = 0; END"
        )

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(filled, keys, who="operator")


def test_a_meter_cannot_exceed_what_is_allowed(filled: Path) -> None:
    """Beneath the conditional UPDATE, the table itself refuses."""
    with raw(filled) as connection, pytest.raises(DRIVER.IntegrityError, match="within"):
        connection.execute(
            "INSERT INTO ground_use (recipient, kind, ground_id, digest, allowed, used,"
            " valid_from, valid_to) VALUES ('COM/1', 'CONSENT', x'00', x'00', 1, 2, 0, 1)"
        )
