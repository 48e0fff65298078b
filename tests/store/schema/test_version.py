"""The migrations make exactly the schema of the tables, on both databases."""

import re
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import BigInteger, Integer, LargeBinary, String, Text

import makul.store.schema.migrations
from makul.app.ports import StoreUnavailableError
from makul.store import Store, StoreKeys, create_store, open_store, upgrade_store
from makul.store.db.sqlite import connect, driver
from makul.store.schema.tables import metadata
from makul.store.schema.version import VERSION, migrate
from makul_testing.builders.records import NOON
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import raw


@pytest.fixture
def place(path: Path) -> Path:
    """Return a location in a file, because these tests are about files."""
    return path


def test_the_migrations_make_the_defined_tables(path: Path) -> None:
    """No table, column, type, key or index differs."""
    engine = create_engine(
        "sqlite://", module=driver, creator=lambda: connect(path), poolclass=NullPool
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            stated = [column.name for column in table.primary_key.columns]
            assert inspector.get_pk_constraint(table.name)["constrained_columns"] == stated
    engine.dispose()


def test_each_migrated_table_has_the_defined_ddl(path: Path) -> None:
    """The DDL is equal to the letter, with checks and clustering, which Alembic does
    not compare.
    """
    with raw(path) as connection:
        tables = dict(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        )

    for table in metadata.sorted_tables:
        stated = str(CreateTable(table).compile(dialect=sqlite.dialect()))
        assert _columns_and_constraints(tables[table.name]) == _columns_and_constraints(stated)


def _columns_and_constraints(ddl: str) -> list[str]:
    """Return the parts of a CREATE TABLE, in no particular order.

    SQLite writes an added column on the line of the one before.
    """
    lines = (line.strip().rstrip(",").strip() for line in ddl.splitlines() if line.strip())
    return sorted(part for line in lines for part in re.split(r", (?=[a-z_]+ [A-Z])", line))


def test_the_tables_can_be_made_on_postgresql() -> None:
    """There are no serial keys, and no type of only one database."""
    portable = (BigInteger, Integer, LargeBinary, String, Text)
    for table in metadata.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "SERIAL" not in ddl
        assert all(isinstance(column.type, portable) for column in table.columns)
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=postgresql.dialect()))


def test_the_program_needs_the_last_migration() -> None:
    """`VERSION` is the head of one unbroken line of migrations."""
    config = Config()
    config.set_main_option(
        "script_location", str(Path(makul.store.schema.migrations.__file__).parent)
    )

    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE alembic_version SET version_num = '0000'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
    ],
)
def test_a_store_of_another_version_is_not_opened(path: Path, keys: StoreKeys, sql: str) -> None:
    """The version is older, newer or unknown."""
    with raw(path) as connection:
        connection.execute(sql)

    with pytest.raises(StoreUnavailableError, match="migrate"):
        open_store(path, keys, who="operator")


def test_a_current_store_is_not_changed(store: Store, path: Path, keys: StoreKeys) -> None:
    """A second upgrade changes nothing."""
    upgrade_store(path, keys, who="operator", at=NOON)

    assert len(store.registry.recipients()) == 1


def test_a_store_never_replaces_a_file(path: Path, keys: StoreKeys) -> None:
    """An existing file holds somebody's records."""
    size = path.stat().st_size

    with pytest.raises(StoreUnavailableError, match="exists"):
        create_store(path, keys, who="operator", at=NOON)
    assert path.stat().st_size == size


def test_an_incomplete_store_is_deleted(
    tmp_path: Path, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An incomplete store must not be left behind like a whole one."""

    def fail(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    monkeypatch.setattr("makul.store.open._identify", fail)
    with pytest.raises(StoreUnavailableError, match="disk full"):
        create_store(tmp_path / "new.db", keys, who="operator", at=NOON)

    assert not (tmp_path / "new.db").exists()


def test_a_new_store_is_private(tmp_path: Path, keys: StoreKeys) -> None:
    """The mode is 0600, and the register is empty."""
    store = create_store(tmp_path / "new.db", keys, who="operator", at=NOON)

    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    assert store.registry.recipients() == []
    store.close()


def test_creating_a_store_does_not_upgrade_a_database(
    server: Cluster, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creating a store never upgrades an existing database.

    An upgrade is a separate command, after a copy, and programs that still serve on the database
    would stop. Only an incomplete store is completed.
    """
    place, newest = server.place(server.create()), command.upgrade
    with monkeypatch.context() as before:
        before.setattr(command, "upgrade", lambda config, _: newest(config, "0004"))
        migrate(place)

    with pytest.raises(StoreUnavailableError, match="there is a store already"):
        create_store(place, keys, who="operator", at=NOON)

    with raw(place) as connection:
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert versions == [("0004",)]
    migrate(place)
    create_store(place, keys, who="operator", at=NOON).close()
