"""The schema of a store's file: making it, bringing it up to date, and asserting it at start-up."""

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as CoreConnection
from sqlalchemy import create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from makul.app.ports import StoreUnavailableError
from makul.store.append_only import all_sqlite_triggers
from makul.store.engine import connect, driver

VERSION = "0004"
"""The migration that this program needs."""


def migrate(path: Path) -> None:
    """Run every migration that the file lacks, all in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(files("makul.store.migrations")))
    engine = create_engine(
        "sqlite://",
        module=driver,
        creator=lambda: connect(path),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, driver.Error, OSError) as error:
        raise StoreUnavailableError(f"cannot migrate the store: {type(error).__name__}") from None
    finally:
        engine.dispose()


def _begin(connection: CoreConnection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def assert_schema(path: Path) -> None:
    """Is this file of our version, with every trigger as written? Raises otherwise."""
    try:
        connection = connect(path)
        try:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            found = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
        finally:
            connection.close()
    except (driver.Error, OSError):
        raise StoreUnavailableError("the store cannot be opened: create or migrate it") from None
    if version != [(VERSION,)]:
        raise StoreUnavailableError(f"the store is not of version {VERSION}: migrate it")
    if dict(found) != all_sqlite_triggers():
        raise StoreUnavailableError("the store's append-only triggers are missing or altered")
