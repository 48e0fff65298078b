"""The schema: what the migrations make is what the tables say, here and on PostgreSQL."""

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
from makul.store.schema.columns import metadata
from makul.store.schema.version import VERSION, migrate
from makul_testing.builders.records import NOON
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import raw


@pytest.fixture
def place(path: Path) -> Path:
    """What is told here is of a file."""
    return path


def test_the_migrations_make_what_the_tables_say(path: Path) -> None:
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


def test_each_table_is_made_by_the_migrations_as_by_the_tables(path: Path) -> None:
    """To the letter of the DDL, with checks and clustering, which Alembic does not compare."""
    with raw(path) as connection:
        made = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))

    for table in metadata.sorted_tables:
        stated = str(CreateTable(table).compile(dialect=sqlite.dialect()))
        assert _columns_and_constraints(made[table.name]) == _columns_and_constraints(stated)


def _columns_and_constraints(ddl: str) -> list[str]:
    """Parts of a CREATE TABLE, in no particular order: constraints may stand in any.

    SQLite writes an added column on the line of the one before.
    """
    lines = (line.strip().rstrip(",").strip() for line in ddl.splitlines() if line.strip())
    return sorted(part for line in lines for part in re.split(r", (?=[a-z_]+ [A-Z])", line))


def test_the_tables_can_be_made_on_postgresql() -> None:
    """No serial keys, no type that only one of them has."""
    portable = (BigInteger, Integer, LargeBinary, String, Text)
    for table in metadata.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "SERIAL" not in ddl
        assert all(isinstance(column.type, portable) for column in table.columns)
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=postgresql.dialect()))


def test_the_program_needs_the_last_migration() -> None:
    """`VERSION` is the head of one unbroken line."""
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
    """Neither older nor newer nor unknown."""
    with raw(path) as connection:
        connection.execute(sql)

    with pytest.raises(StoreUnavailableError, match="migrate"):
        open_store(path, keys, who="operator")


def test_a_store_that_is_up_to_date_stays_as_it_is(
    store: Store, path: Path, keys: StoreKeys
) -> None:
    """Upgrading twice is upgrading once."""
    upgrade_store(path, keys, who="operator", at=NOON)

    assert len(store.desk.recipients()) == 1


def test_a_store_is_never_made_over_something(path: Path, keys: StoreKeys) -> None:
    """An existing file is somebody's record."""
    size = path.stat().st_size

    with pytest.raises(StoreUnavailableError, match="exists"):
        create_store(path, keys, who="operator", at=NOON)
    assert path.stat().st_size == size


def test_a_store_not_made_to_its_end_is_taken_away(
    tmp_path: Path, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be finished must not lie about as if it were a store."""

    def fail(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    monkeypatch.setattr("makul.store.open._identify", fail)
    with pytest.raises(StoreUnavailableError, match="disk full"):
        create_store(tmp_path / "new.db", keys, who="operator", at=NOON)

    assert not (tmp_path / "new.db").exists()


def test_a_new_store_is_its_owners_alone(tmp_path: Path, keys: StoreKeys) -> None:
    """0600, and an empty register."""
    store = create_store(tmp_path / "new.db", keys, who="operator", at=NOON)

    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    assert store.desk.recipients() == []
    store.close()


def test_a_database_that_is_there_is_not_brought_up_to_date_by_making_one(
    server: Cluster, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade is asked for, with a copy beforehand; programs that still serve on it would stop.
    Only what was not made to its end is.
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
