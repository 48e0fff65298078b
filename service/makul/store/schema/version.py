"""The schema of a store: its creation, its migration, and its verification at start-up."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as CoreConnection
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from makul.app.ports import StoreUnavailableError
from makul.language.translation import translate
from makul.store.db.error_texts import describe_failure
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.db.sqlite import connect, driver
from makul.store.schema import meter_triggers as meter_guard
from makul.store.schema import rewrap_triggers as rewrap_guard
from makul.store.schema.append_only_triggers import (
    POSTGRES_FUNCTIONS,
    all_postgres_triggers,
    all_sqlite_triggers,
)

VERSION = "0020"
"""The migration that this program needs."""

Rows = list[tuple[Any, ...]]

_POSTGRES_TRIGGERS = """
SELECT t.tgname, pg_get_triggerdef(t.oid, true), t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
"""
_SWITCHED_OFF = """
SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled <> 'O'
"""
"""Reads the disabled triggers, also those on partitions.

A partition has the triggers of the whole table, and each can be disabled separately.
"""
_POSTGRES_FUNCTIONS = """
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
AND prorettype = 'trigger'::regtype
"""


def known_versions() -> frozenset[str]:
    """Return the schema versions that this program can open, or upgrade to its own."""
    return frozenset(
        each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def migrate(location: DatabaseLocation, *, new: bool = False) -> None:
    """Run every migration that the store lacks, all in one transaction.

    With `new`, the store must not exist already in another version. Raises `StoreUnavailableError`.
    """
    config = _config()
    engine = _engine(location)
    try:
        with engine.begin() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
            if new and revision not in (None, VERSION):
                raise StoreUnavailableError(translate("there is a store already: nothing was made"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, psycopg.Error, driver.Error, OSError) as error:
        raise StoreUnavailableError(
            translate("cannot migrate the store: {problem}", problem=describe_failure(error))
        ) from None
    finally:
        engine.dispose()


def assert_schema(location: DatabaseLocation) -> None:
    """Verify that the store has this program's version and every trigger as written.

    Raises `StoreUnavailableError` otherwise.
    """
    try:
        with _open_query(location) as rows:
            version = rows("SELECT version_num FROM alembic_version")
            if version != [(VERSION,)]:
                raise StoreUnavailableError(
                    translate("the store is not of version {version}: migrate it", version=VERSION)
                )
            if isinstance(location, PostgresLocation):
                _assert_postgres(rows)
            else:
                triggers = rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                expected = {
                    **all_sqlite_triggers(),
                    **rewrap_guard.sqlite_triggers(),
                    **meter_guard.sqlite_triggers(),
                }
                _assert_same(dict(triggers), expected)
    except psycopg.OperationalError:
        raise StoreUnavailableError(
            translate("the store's server cannot be reached, or refuses the connection")
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise StoreUnavailableError(
            translate("the role may not open the store: makul store grant, as the tables' owner")
        ) from None
    except (psycopg.Error, driver.Error, OSError):
        raise StoreUnavailableError(
            translate("the store cannot be opened: create or migrate it")
        ) from None


def _assert_postgres(rows: Callable[[str], Rows]) -> None:
    triggers = rows(_POSTGRES_TRIGGERS)
    _assert_same(
        {name: sql if enabled == "O" else enabled for name, sql, enabled in triggers},
        {
            **all_postgres_triggers(),
            **rewrap_guard.postgres_triggers(),
            **meter_guard.postgres_triggers(),
        },
    )
    _assert_same(dict.fromkeys(rows(_SWITCHED_OFF)), {})
    functions = {
        **POSTGRES_FUNCTIONS,
        **rewrap_guard.POSTGRES_FUNCTIONS,
        **meter_guard.POSTGRES_FUNCTIONS,
    }
    _assert_same(dict(rows(_POSTGRES_FUNCTIONS)), functions)
    if rows("SHOW synchronous_commit") in ([("off",)], [("local",)]):
        raise StoreUnavailableError(
            translate(
                "the store's server acknowledges what it may lose: set synchronous_commit to on"
            )
        )


def _assert_same(actual: Mapping[object, object], expected: Mapping[str, str]) -> None:
    if actual != expected:
        raise StoreUnavailableError(
            translate("the store's append-only triggers are missing or altered")
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("makul.store.schema.migrations")))
    return config


@contextmanager
def _open_query(location: DatabaseLocation) -> Iterator[Callable[[str], Rows]]:
    """Open one plain connection and yield a function that runs a query on it."""
    if isinstance(location, PostgresLocation):
        with psycopg.connect(location.url, autocommit=True) as server:
            yield lambda sql: server.execute(sql.encode()).fetchall()
        return
    file = connect(location)
    try:
        yield lambda sql: file.execute(sql).fetchall()
    finally:
        file.close()


def _engine(location: DatabaseLocation) -> Engine:
    """Build the engine that only Alembic uses."""
    if isinstance(location, PostgresLocation):
        url = location.url
        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(url),
            poolclass=NullPool,
            hide_parameters=True,
        )
    path: Path = location
    engine = create_engine(
        "sqlite://",
        module=driver,
        creator=lambda: connect(path),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: CoreConnection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
