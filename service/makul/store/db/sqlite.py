"""One SQLite file: a connection for each thread, and one writer at a time.

Writers queue by `flock` on a file beside the database, because SQLite's own busy-waiting starves
some of them. `BEGIN IMMEDIATE` keeps the records correct, with or without the lock file.

A connection must not cross a fork. None is opened before the first use, and a process that finds
its parent's connection refuses to work. A server that used a store must call `close()` before it
forks.
"""

import fcntl
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, cast

from pysqlite3 import dbapi2
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql.elements import CompilerElement

from makul.app.ports import StoreUnavailableError
from makul.language.translation import translate
from makul.store.db.base import (
    CompiledStatements,
    Cursor,
    Database,
    ResultT,
    Row,
    Transaction,
    UnknownCommitResolver,
    Values,
    unavailable,
)

BUSY_SECONDS = 5.0
"""Seconds that SQLite waits for a writer that does not use the lock file (a backup, a shell)."""

TURN_SECONDS = 10.0
"""Seconds that a thread waits for its process's turn to write; a request may take 60 s in all."""

STATEMENTS_KEPT = 256
"""Prepared statements that a connection keeps: more than the `store` package has."""

WAL_BYTES = 64 * 1024 * 1024
"""The size to which the write-ahead log is truncated after a checkpoint."""

PAGE_BYTES = 8192
"""The page size of a new file; an existing file keeps its own. In a clustered table, a row larger
than a quarter of a page spills into a page of its own. A decision's row has up to 2 KB
(`store.encryption.compression`)."""

_PRAGMAS = (
    f"PRAGMA page_size = {PAGE_BYTES}",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA trusted_schema = OFF",
    f"PRAGMA journal_size_limit = {WAL_BYTES}",
)

_MAP = f"PRAGMA mmap_size = {64 * 1024**3}"
"""The part of a file that is mapped, as far as SQLite was built to allow."""

driver: Any = dbapi2
"""The driver: pysqlite3 of PyPI, whose SQLite lacks the WAL-reset bug of 3.7.0 to 3.51.2."""


class Connection(Protocol):
    """The part of a driver's connection that the store uses."""

    def execute(self, sql: str, values: tuple[object, ...] = ...) -> Cursor:
        """Run one statement."""

    def close(self) -> None:
        """Close the file."""


_STATEMENTS = CompiledStatements(sqlite_dialect(paramstyle="qmark"))


class _ThreadConnection:
    """A thread's connection, closed when the thread ends or the database is closed."""

    __slots__ = ("__weakref__", "_finalizer", "connection", "generation")

    def __init__(self, connection: Connection, generation: int) -> None:
        self.connection = connection
        self.generation = generation
        self._finalizer = weakref.finalize(self, _close_in, os.getpid(), connection)

    def close(self) -> None:
        self._finalizer()


def _close_in(pid: int, connection: Connection) -> None:
    if os.getpid() == pid:
        with suppress(driver.Error):
            connection.close()


class SqliteDatabase(Database):
    """The store's one file. Threads share it; each process opens its own connections."""

    side_by_side = False

    def __init__(self, path: Path, *, mapped: bool = False) -> None:
        """Take the file. `mapped` maps it into memory, for a process that only reads much.

        It halves the time of reading a month (measured 2026-12-01). But an error of the disk then
        ends the process by a signal, so processes that write or serve do not use it.
        """
        self._path = path.absolute()
        self._mapped = mapped
        # os.stat runs before each statement and takes the text as it is
        self._name = str(self._path)
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._local = threading.local()
        self._open: weakref.WeakSet[_ThreadConnection] = weakref.WeakSet()
        self._generation = 0
        self._pid: int | None = None
        self._file: tuple[int, int] | None = None
        self._lock_file: int | None = None

    def __repr__(self) -> str:
        return "SqliteDatabase()"

    def fetch_one(self, statement: CompilerElement, values: Values) -> Row | None:
        """Return the first row of one statement, which is a snapshot of its own."""
        prepared = _STATEMENTS.prepare(statement)
        try:
            connection = self._connection()
            return connection.execute(prepared.sql, prepared.bind(values)).fetchone()
        except (driver.Error, OSError) as error:
            raise unavailable(error) from None

    def fetch_all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Return every row of one statement."""
        prepared = _STATEMENTS.prepare(statement)
        try:
            connection = self._connection()
            return connection.execute(prepared.sql, prepared.bind(values)).fetchall()
        except (driver.Error, OSError) as error:
            raise unavailable(error) from None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write as the only writer: everything, or nothing if the block raises or marks a rollback.

        Raises `StoreUnavailableError`; then nothing was written.
        """
        try:
            connection = self._connection()
            with self._write_lock():
                connection.execute("BEGIN IMMEDIATE")
                try:
                    transaction = Transaction(connection.execute, _STATEMENTS)
                    yield transaction
                    connection.execute("ROLLBACK" if transaction.marked_for_rollback else "COMMIT")
                except BaseException:
                    self._roll_back(connection)
                    raise
        except (driver.Error, OSError) as error:
            raise unavailable(error) from None

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """Read as of the first statement in the block (WAL), on a separate connection."""
        try:
            self._connection()  # raises if this file must not be used here
            connection = connect(self._path)
            try:
                connection.execute("BEGIN")
                yield Transaction(connection.execute, _STATEMENTS)
            finally:
                connection.close()
        except (driver.Error, OSError) as error:
            raise unavailable(error) from None

    def run_transaction(
        self,
        work: Callable[[Transaction], ResultT],
        *,
        resolve_unknown_commit: UnknownCommitResolver[ResultT] | None = None,
    ) -> ResultT:
        """Do the work once.

        A single writer loses no race, and a COMMIT that fails here did not happen.
        """
        del resolve_unknown_commit
        with self.transaction() as transaction:
            return work(transaction)

    def close(self) -> None:
        """Close every connection; the next use opens new ones. Must be called before a fork."""
        with self._guard:
            self._generation += 1
            for connection in list(self._open):
                connection.close()
            self._open.clear()
            if self._lock_file is not None:
                os.close(self._lock_file)
            self._lock_file = self._pid = self._file = None

    def _connection(self) -> Connection:
        current: _ThreadConnection | None = getattr(self._local, "held", None)
        if current is None or current.generation != self._generation:
            current = self._local.held = self._connect()
        if os.getpid() != self._pid:
            raise StoreUnavailableError(
                translate("the store was in use before this process was forked")
            )
        facts = os.stat(self._name)  # noqa: PTH116 -- half the cost of Path.stat
        if (facts.st_dev, facts.st_ino) != self._file:
            raise StoreUnavailableError(
                translate("the store's file was replaced while it was in use")
            )
        return current.connection

    def _connect(self) -> _ThreadConnection:
        with self._guard:
            pid, facts = os.getpid(), self._path.stat()
            if self._pid is None:
                self._pid, self._file = pid, (facts.st_dev, facts.st_ino)
                self._lock_file = _open_lock_file(self._path)
            elif self._pid != pid:
                raise StoreUnavailableError(
                    translate("the store was in use before this process was forked")
                )
            connection = connect(self._path)
            if self._mapped:
                connection.execute(_MAP)
            current = _ThreadConnection(connection, self._generation)
            self._open.add(current)
            return current

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        """Wait for the turn to write: first among this process's threads, then among processes."""
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise StoreUnavailableError(translate("the store's writers are stuck"))
        try:
            lock_file = self._lock_file
            if lock_file is None:
                raise StoreUnavailableError(translate("the store was closed"))
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(lock_file, fcntl.LOCK_UN)
        finally:
            self._turn.release()

    def _roll_back(self, connection: Connection) -> None:
        """Roll back; a connection for which even that fails is closed."""
        try:
            connection.execute("ROLLBACK")
        except driver.Error:
            self._local.held.close()
            del self._local.held


def connect(path: Path) -> Connection:
    """Return a connection to an existing file; it never creates one.

    The caller begins transactions explicitly.
    """
    connection = driver.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except BaseException:
        connection.close()
        raise
    if mode != ("wal",):
        connection.close()
        raise StoreUnavailableError(
            translate("the store's file system does not carry a write-ahead log")
        )
    return cast("Connection", connection)


def _open_lock_file(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path.with_name(path.name + ".lock"), flags, 0o600)
