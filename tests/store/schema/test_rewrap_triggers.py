"""Append-only rows permit only that a data key is wrapped again."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from pysqlite3 import dbapi2
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

import makul.store.schema.migrations
from makul.app.ports import StoreUnavailableError
from makul.store import Store, StoreKeys, open_store
from makul.store.db.field_format import HEAD_BYTES
from makul.store.db.location import DatabaseLocation
from makul.store.db.sqlite import connect, driver
from makul.store.encryption.fields import FieldCipher
from makul.store.schema.append_only_triggers import APPEND_ONLY
from makul.store.schema.rewrap_triggers import REWRAPPED, sqlite_triggers
from makul.store.schema.tables import metadata
from makul.store.schema.version import assert_schema, migrate
from makul_testing.builders.entries import a_release
from makul_testing.builders.oversight import record_acts
from makul_testing.builders.records import AGREEMENT_NUMBER, BANK, NOON, a_caller, an_evidence
from makul_testing.builders.secrecy import record_secrecy
from makul_testing.raw_sql import parameters, raw, read_all_rows

DRIVER: Any = dbapi2
REFUSED = (DRIVER.IntegrityError, psycopg.IntegrityError)
NOT_DONE = (*REFUSED, psycopg.DatabaseError)
"""PostgreSQL accepts no text and no number for bytes."""

TABLES = sorted(REWRAPPED)
OTHERS = {bytes: b"\2" * 32, str: "Y", int: 2_000}
"""A value of each type that no row has."""

HEAD = {
    "format": (0, 1),
    "key id": (1, 9),
    "wrapped key": (9, HEAD_BYTES),
    "ciphertext": (HEAD_BYTES, -16),
    "tag": (-16, None),
}


@pytest.fixture
def filled(store: Store, place: DatabaseLocation) -> DatabaseLocation:
    """Write one row or more into each of the tables."""
    entry = a_release(evidence=(an_evidence(),), message=b"<Envelope/>")
    store.recorder.record(entry)
    store.recorder.replay(entry.key, a_caller(), at=NOON)
    record_acts(store, recipient=BANK, agreement=AGREEMENT_NUMBER)
    record_secrecy(store, BANK, entry.disclosure_id)
    store.close()
    return place


@pytest.fixture
def rotated(keys: StoreKeys) -> FieldCipher:
    return FieldCipher(keys.prepared().activated())


def encrypted_field_of(place: DatabaseLocation, table: str) -> bytes:
    """Return the first row's encrypted columns by its key."""
    key = ", ".join(column.name for column in metadata.tables[table].primary_key.columns)
    with raw(place) as connection:
        query = f"SELECT sealed FROM {table} ORDER BY {key} LIMIT 1"  # noqa: S608
        (sealed,) = connection.execute(query).fetchone()
        return bytes(sealed)


def update(place: DatabaseLocation, table: str, was: bytes, **values: Any) -> None:
    """Run plain SQL over a connection without the store's settings."""
    sets = ", ".join(f"{name} = ?" for name in values)
    with raw(place) as connection:
        connection.execute(
            parameters(place, f"UPDATE {table} SET {sets} WHERE sealed = ?"),  # noqa: S608
            (*values.values(), was),
        )


def rewrapped(cipher: FieldCipher, sealed: bytes) -> bytes:
    return cipher.rewrap(sealed[:HEAD_BYTES]) + sealed[HEAD_BYTES:]


def test_every_column_of_encrypted_append_only_tables_is_compared() -> None:
    """A new column that is missing here could be changed together with a rewrap."""
    stated = {
        name: {column.name for column in metadata.tables[name].columns} - {"sealed"}
        for name in APPEND_ONLY
        if "sealed" in metadata.tables[name].columns
    }

    assert {name: set(columns) for name, columns in REWRAPPED.items()} == stated


@pytest.mark.parametrize("table", TABLES)
def test_a_data_key_is_wrapped_again(
    filled: DatabaseLocation, rotated: FieldCipher, table: str
) -> None:
    """Only the head differs, and the new key decrypts the field."""
    was = encrypted_field_of(filled, table)
    anew = rewrapped(rotated, was)

    update(filled, table, was, sealed=anew)

    assert encrypted_field_of(filled, table) == anew
    assert anew[1:9] != was[1:9]
    assert anew[HEAD_BYTES:] == was[HEAD_BYTES:]


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in TABLES for column in REWRAPPED[table]]
)
def test_no_other_column_is_changed_with_it(
    filled: DatabaseLocation, rotated: FieldCipher, table: str, column: str
) -> None:
    """A column is not set to NULL, nor to the same value of another type."""
    before, was = read_all_rows(filled), encrypted_field_of(filled, table)
    kind = metadata.tables[table].columns[column]
    values = [OTHERS[kind.type.python_type]]
    if kind.nullable:
        with raw(filled) as connection:
            query = f"SELECT {column} IS NULL FROM {table} WHERE sealed = ?"  # noqa: S608
            (is_null,) = connection.execute(parameters(filled, query), (was,)).fetchone()
        values += [] if is_null else [None]

    for value in values:
        with pytest.raises(REFUSED, match="append-only"):
            update(filled, table, was, sealed=rewrapped(rotated, was), **{column: value})
        with pytest.raises(REFUSED, match="append-only"):
            update(filled, table, was, **{column: value})
    assert read_all_rows(filled) == before


@pytest.mark.parametrize("part", [part for part in HEAD if part not in {"key id", "wrapped key"}])
@pytest.mark.parametrize("table", TABLES)
def test_ciphertext_is_not_changed(
    filled: DatabaseLocation, rotated: FieldCipher, table: str, part: str
) -> None:
    """One bit at each end of each part is changed, alone and under a new head."""
    before, was = read_all_rows(filled), encrypted_field_of(filled, table)
    start, end = HEAD[part]
    for whole in (was, rewrapped(rotated, was)):
        places = range(len(whole))[start:end]
        for place in (places[0], places[-1]):
            spoilt = bytearray(whole)
            spoilt[place] ^= 1
            with pytest.raises(REFUSED, match="append-only"):
                update(filled, table, was, sealed=bytes(spoilt))
    assert read_all_rows(filled) == before


@pytest.mark.parametrize("table", TABLES)
def test_other_changes_are_no_rewrap(
    filled: DatabaseLocation, rotated: FieldCipher, table: str
) -> None:
    """Longer, shorter, only the head, text, another key under the same id, and no change."""
    before, was = read_all_rows(filled), encrypted_field_of(filled, table)
    anew = rewrapped(rotated, was)
    other_wrap = was[:9] + bytes(40) + was[HEAD_BYTES:]
    shapes = (
        *(anew + b"\0", anew[:-1], anew[:HEAD_BYTES], anew[:HEAD_BYTES] + anew, b""),
        *(anew.decode("latin-1"), other_wrap, was, 7),
    )
    for shape in shapes:
        with pytest.raises(NOT_DONE):
            update(filled, table, was, sealed=shape)
    with pytest.raises(REFUSED):
        update(filled, table, was, sealed=None)
    assert read_all_rows(filled) == before


@pytest.mark.parametrize("table", sorted(set(APPEND_ONLY) - set(REWRAPPED)))
def test_tables_without_encrypted_fields_permit_no_change(table: str) -> None:
    """Their triggers are unchanged."""
    assert "sealed" not in metadata.tables[table].columns
    assert f"{table}_no_update" not in sqlite_triggers()


def test_a_store_with_a_weaker_trigger_is_not_opened(path: Path, keys: StoreKeys) -> None:
    """The exact text is checked at start-up."""
    lax = sqlite_triggers()["disclosure_no_update"].replace("NEW.outcome IS OLD.outcome AND ", "")
    with raw(path) as connection:
        connection.execute("DROP TRIGGER disclosure_no_update")
        connection.execute(lax)

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(path, keys, who="operator")


def test_an_older_store_is_upgraded(tmp_path: Path) -> None:
    """Its triggers become the present ones, to the letter."""
    path = tmp_path / "makul.db"
    path.touch(0o600)
    config = Config()
    config.set_main_option(
        "script_location", str(Path(makul.store.schema.migrations.__file__).parent)
    )
    engine = create_engine(
        "sqlite://", module=driver, creator=lambda: connect(path), poolclass=NullPool
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    engine.dispose()
    with pytest.raises(StoreUnavailableError, match="migrate"):
        assert_schema(path)

    migrate(path)

    assert_schema(path)
