"""A logical copy of a PostgreSQL store by `pg_dump`, and its restoration by `pg_restore`.

The connection's password is passed in the environment: other users of a machine can read the
arguments of a process.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from makul.language.translation import translate
from makul.net.orphan_guard import attached_program
from makul.store.backup.errors import BackupError, BackupToolError
from makul.store.backup.inventory import SnapshotReader, StoreInventory
from makul.store.backup.sqlite_copy import Report
from makul.store.db.admin_connection import admin_connection
from makul.store.db.location import PostgresLocation

POLL_SECONDS = 0.2
STOP_SECONDS = 10.0
MAX_MESSAGE_BYTES = 64 * 1024
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_NO_LIMITS = (
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)
"""The role may have the limits of requests (`makul store grant`); a copy takes longer."""

_REACHES_OUT = """
SELECT bool_or(rolsuper OR rolname IN ('pg_execute_server_program', 'pg_write_server_files'))
FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')
"""
_IS_EMPTY = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@dataclass(frozen=True, slots=True)
class PostgresTool:
    """One of PostgreSQL's own programs, found on the PATH."""

    path: str
    major: int

    @classmethod
    def find(cls, name: str, *, at_least: int = 0) -> "PostgresTool":
        """Return the program. Raises `BackupToolError` if there is none of this version or newer.

        `pg_dump` refuses a server that is newer than itself.
        """
        path = shutil.which(name)
        if path is None:
            raise BackupToolError(
                translate(
                    "{program} is not on the PATH: install PostgreSQL's client programs",
                    program=name,
                )
            )
        said = subprocess.run(  # noqa: S603 -- a name of our own, on the operator's PATH
            [path, "--version"], capture_output=True, text=True, check=False
        )
        found = _VERSION.search(said.stdout)
        if found is None:
            raise BackupToolError(translate("{path} is not PostgreSQL's", path=path))
        if int(found[1]) < at_least:
            raise BackupToolError(
                translate(
                    "{path} has version {version}, and the server {server}: put the newer client"
                    " programs first on the PATH",
                    path=path,
                    version=found[1],
                    server=at_least,
                )
            )
        return cls(path, int(found[1]))

    def run(
        self, location: PostgresLocation, arguments: Sequence[str], output: Path, report: Report
    ) -> None:
        """Run it on a database until it ends; `report` receives the bytes of `output`.

        Raises `BackupError` if it fails.
        """
        target, environment = connection_of(location)
        command = attached_program(self.path, "--dbname", target, "--no-password", *arguments)
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603 -- no shell, and no text of others
                command,
                env={**os.environ, **environment, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            try:
                while process.poll() is None:
                    time.sleep(POLL_SECONDS)
                    if output.is_file():
                        report(output.stat().st_size, 0)
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(STOP_SECONDS)
            if process.returncode:
                raise BackupError(
                    translate(
                        "{program} failed with exit code {code}: {problem}",
                        program=Path(self.path).name,
                        code=process.returncode,
                        problem=_first_error(said),
                    )
                )


def dump_postgres(location: PostgresLocation, target: Path, report: Report) -> StoreInventory:
    """Copy a store to a new file, and return what the copy contains.

    Both read the same snapshot. Raises `BackupError`, `BackupToolError`, `StoreUnavailableError`
    and `OSError`.
    """
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with _unlimited(location) as server, server.transaction():
        server.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (snapshot,) = server.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        tool = PostgresTool.find("pg_dump", at_least=server.info.server_version // 10_000)
        arguments = ["--format", "custom", "--snapshot", str(snapshot), "--file", str(target)]
        tool.run(location, arguments, target, report)
        return SnapshotReader.of_postgres(server.execute).read()


def refuse_superuser(location: PostgresLocation) -> None:
    """Raise `BackupToolError` for a role whose statements can reach the server's machine.

    `pg_restore` runs what a dump contains. A dump that an attacker altered together with its
    manifest could run programs as the user of the server.
    """
    with admin_connection(location) as server:
        if server.execute(_REACHES_OUT).fetchone() != (False,):
            raise BackupToolError(
                translate(
                    "a copy is restored by a role that is no superuser, such as the tables' owner:"
                    " somebody may have altered it"
                )
            )


def restore_dump(dump: Path, location: PostgresLocation, report: Report) -> None:
    """Restore a copy into an empty database, completely or not at all.

    Raises `BackupError`, `BackupToolError` and `StoreUnavailableError`.
    """
    with _unlimited(location) as server:
        version = server.info.server_version // 10_000
    tool = PostgresTool.find("pg_restore", at_least=version)
    options = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    tool.run(location, [*options, str(dump)], dump, lambda _, total: report(0, total))


def read_inventory(location: PostgresLocation) -> StoreInventory:
    """Return what a database contains. Raises `StoreUnavailableError`."""
    with _unlimited(location) as server, server.transaction():
        server.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return SnapshotReader.of_postgres(server.execute).read()


@contextmanager
def scratch_database(location: PostgresLocation) -> Iterator[None]:
    """Provide an empty database; it is dropped afterwards if it was created here.

    Raises `BackupError` if the database exists and is not empty.
    """
    created = _create_missing(location)
    try:
        assert_empty(location)
        yield
    finally:
        if created:
            name = _name_of(location)
            with admin_connection(maintenance_database(location)) as server:
                server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def assert_empty(location: PostgresLocation) -> None:
    """Raise `BackupError` if a database contains anything."""
    with admin_connection(location) as server:
        if server.execute(_IS_EMPTY).fetchone() != (0,):
            raise BackupError(
                translate(
                    "the database {name} is not empty: name an empty one", name=_name_of(location)
                )
            )


def _create_missing(location: PostgresLocation) -> bool:
    with admin_connection(maintenance_database(location)) as server:
        name = _name_of(location)
        exists = "SELECT 1 FROM pg_database WHERE datname = %s"
        if server.execute(exists, (name,)).fetchone() is not None:
            return False
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        )
        return True


def maintenance_database(location: PostgresLocation) -> PostgresLocation:
    """Return the database of the same server from which others are created."""
    return PostgresLocation(url=make_conninfo(location.url, dbname="postgres"))


def _name_of(location: PostgresLocation) -> str:
    parts = conninfo_to_dict(location.url)
    name = parts.get("dbname") or parts.get("user")
    if not name:
        raise BackupToolError(translate("the address of the database names no database"))
    return str(name)


@contextmanager
def _unlimited(location: PostgresLocation) -> Iterator["psycopg.Connection[Any]"]:
    with admin_connection(location) as server:
        for statement in _NO_LIMITS:
            server.execute(statement.encode())
        yield server


def connection_of(location: PostgresLocation) -> tuple[str, Mapping[str, str]]:
    """Return the connection as an argument without secrets, and the secrets as variables."""
    parts: dict[str, Any] = conninfo_to_dict(location.url)
    environment = {}
    for option in Conninfo.get_defaults():
        name = option.keyword.decode()
        if option.dispchar == b"*" and name in parts:
            value = str(parts.pop(name))
            if option.envvar is None:
                raise BackupToolError(
                    translate(
                        "{name} in the address of the database cannot be passed on unseen: use a"
                        " file of passwords or keys",
                        name=name,
                    )
                )
            environment[option.envvar.decode()] = value
    return make_conninfo(**parts), environment


def _first_error(said: Any) -> str:
    """Return the first line of what a program printed, without the data that may follow it."""
    said.seek(0)
    lines = said.read(MAX_MESSAGE_BYTES).decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or [""])[0].partition("error:")[2].strip() or translate("unknown")
