"""PostgreSQL: a pool of connections for each process, and many transactions side by side.

Transactions are READ COMMITTED: each statement sees what was committed before it began, so what
is read after a lock was granted is what the lock protects. Whoever loses a race all the same (a
row of that key came first, a deadlock, a conflict between serializable transactions) is told so
by the server, and `perform` runs the whole work again, a few times, a little later each time.

A connection that breaks before COMMIT was asked for has written nothing. One that breaks
meanwhile leaves it open: `perform` asks for what the work would have written before it repeats
it, and a commit that is still under way holds up the repetition by its keys.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.sql.elements import CompilerElement

from makul.app.ports import CommitUnknownError, NotThisDutyError, StoreUnavailableError
from makul.store.db.base import (
    CompiledStatements,
    Cursor,
    Database,
    ResultT,
    Row,
    Settled,
    Transaction,
    Values,
    unavailable,
)
from makul.store.db.error_texts import failure_of
from makul.store.db.location import PostgresLocation

TRIES = 8
"""How often work is done at most that loses races; the last wait is up to half a second."""

FIRST_WAIT = 0.004
"""Seconds; doubled with each try, and any part of it is as likely, so that rivals part."""

PATIENCE_SECONDS = 20.0
"""After so long, nothing is tried again; a request may take 60 s in all."""

POOL_SECONDS = 5.0
"""How long a thread waits for a connection."""

MOST_CONNECTIONS = 16
"""For each process: more than a listener has threads, housekeeping included."""

SESSION = {
    "default_transaction_isolation": "read committed",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
}
"""Asked for at connecting. Behind a pooler that drops them, the role has them (`store grant`)."""

_STATEMENTS = CompiledStatements(psycopg_dialect(paramstyle="format"))  # type: ignore[no-untyped-call]

_LOST_A_RACE = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
)

log = logging.getLogger(__name__)

ReadT = TypeVar("ReadT")
PostgresConnection = psycopg.Connection[Row]


class _AgainError(StoreUnavailableError):
    """Nothing was written, and the same work may do now: another transaction came first, or the
    connection had been lost.
    """


def _nobody_counts() -> None:
    """Nothing."""


class PostgresDatabase(Database):
    """A database of a PostgreSQL server. Nothing is opened before the first use."""

    side_by_side = True

    def __init__(
        self, place: PostgresLocation, retried: Callable[[], None] = _nobody_counts
    ) -> None:
        """`retried` is told whenever work is done again."""
        self._place = place
        self._retried = retried
        self._guard = threading.Lock()
        self._pool: ConnectionPool[PostgresConnection] | None = None
        self._pid: int | None = None

    def __repr__(self) -> str:
        return "PostgresDatabase()"

    def one(self, statement: CompilerElement, values: Values) -> Row | None:
        """The first row of one statement, which is a snapshot of its own."""
        return self._read(statement, values, lambda cursor: cursor.fetchone())

    def all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Every row of one statement."""
        return self._read(statement, values, lambda cursor: cursor.fetchall())

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write: all of it, or none where the block raises or discards it."""
        with self._connection() as connection:
            execute = _executor(connection)
            try:
                execute("BEGIN", ())
                transaction = Transaction(execute, _STATEMENTS)
                yield transaction
            except psycopg.Error as error:
                _roll_back(connection)
                raise _failure(error, connection) from None
            except BaseException:
                _roll_back(connection)
                raise
            if transaction.discarded:
                _roll_back(connection)
            else:
                _commit(connection, execute)

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """Read as of the first statement in the block."""
        with self._connection() as connection:
            execute = _executor(connection)
            try:
                execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
                yield Transaction(execute, _STATEMENTS)
            except psycopg.Error as error:
                raise _failure(error, connection) from None
            finally:
                _roll_back(connection)

    def perform(
        self, work: Callable[[Transaction], ResultT], *, settled: Settled[ResultT] | None = None
    ) -> ResultT:
        """Do the work, again where it lost a race or where its commit was cut off."""
        in_doubt = False
        for _ in _tries():
            try:
                with self.transaction() as transaction:
                    found = settled(transaction) if in_doubt and settled is not None else None
                    return found if found is not None else work(transaction)
            except _AgainError as error:
                log.info("done again: %s", error)
                self._retried()
            except CommitUnknownError:
                if settled is None:
                    raise
                log.warning("a commit was cut off: asking what became of it")
                in_doubt = True
        raise StoreUnavailableError("the record store is too busy, or keeps breaking off")

    def close(self) -> None:
        """Close every connection; the next use opens new ones. Call it before a fork."""
        with self._guard:
            pool, self._pool = self._pool, None
            if pool is not None and self._pid == os.getpid():
                pool.close()

    def _read(
        self, statement: CompilerElement, values: Values, fetch: Callable[[Cursor], ReadT]
    ) -> ReadT:
        """Once more where the connection had been lost before: a read changes nothing."""
        prepared = _STATEMENTS.prepared(statement)
        bound = prepared.bind(values)
        try:
            return self._read_once(prepared.sql, bound, fetch)
        except _AgainError:
            return self._read_once(prepared.sql, bound, fetch)

    def _read_once(
        self, sql: str, bound: tuple[object, ...], fetch: Callable[[Cursor], ReadT]
    ) -> ReadT:
        with self._connection() as connection:
            try:
                return fetch(_executor(connection)(sql, bound))
            except psycopg.Error as error:
                raise _failure(error, connection) from None

    @contextmanager
    def _connection(self) -> Iterator[PostgresConnection]:
        pool = self._open_pool()
        try:
            connection = pool.getconn(timeout=POOL_SECONDS)
        except (PoolTimeout, PoolClosed, psycopg.Error) as error:
            raise unavailable(error) from None
        try:
            yield connection
        finally:
            lost = connection.closed
            pool.putconn(connection)
            if lost:  # the others were most likely lost with it
                pool.check()

    def _open_pool(self) -> "ConnectionPool[PostgresConnection]":
        pool = self._pool
        if pool is not None and self._pid == os.getpid():
            return pool
        with self._guard:
            if self._pool is not None and self._pid != os.getpid():
                raise StoreUnavailableError("the store was in use before this process was forked")
            if self._pool is None:
                self._pool, self._pid = _new_pool(self._place), os.getpid()
            return self._pool


def _tries() -> Iterator[int]:
    """Each is waited for a little longer, and rivals wait for different times."""
    until = time.monotonic() + PATIENCE_SECONDS
    for number in range(TRIES):
        if number:
            time.sleep(random.uniform(0, FIRST_WAIT * 2**number))  # noqa: S311 -- no secret
        if time.monotonic() < until:
            yield number


def _new_pool(place: PostgresLocation) -> "ConnectionPool[PostgresConnection]":
    options = " ".join(
        f"-c {name}={value}".replace("=read committed", r"=read\ committed")
        for name, value in SESSION.items()
    )
    return ConnectionPool(
        place.url,
        kwargs={
            "autocommit": True,
            "application_name": "makul",
            "connect_timeout": int(POOL_SECONDS),
            "prepare_threshold": 0 if place.prepares else None,
            **({"options": options} if place.prepares else {}),
        },
        min_size=1,
        max_size=MOST_CONNECTIONS,
        max_idle=300.0,
        reconnect_timeout=POOL_SECONDS,
        open=True,
        name="makul",
    )


def _executor(connection: PostgresConnection) -> Callable[[str, tuple[object, ...]], Cursor]:
    execute: Any = connection.execute
    return lambda sql, values: cast("Cursor", execute(sql, values or None, binary=True))


def _failure(error: psycopg.Error, connection: PostgresConnection) -> StoreUnavailableError:
    """What a statement before COMMIT failed of; nothing was written."""
    if isinstance(error, _LOST_A_RACE) or connection.closed:
        return _AgainError(f"the record store failed: {failure_of(error)}")
    if isinstance(error, errors.InsufficientPrivilege):
        return NotThisDutyError("the database's role may not do this: see makul store grant --help")
    return unavailable(error)


def _roll_back(connection: PostgresConnection) -> None:
    """Undo. A connection that cannot even do that is closed, and the pool makes another."""
    if connection.closed:
        return
    try:
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        with suppress(psycopg.Error):
            connection.close()


def _commit(connection: PostgresConnection, execute: Callable[..., Cursor]) -> None:
    """Commit. Done with a warning is not done: whoever cancels a commit that waits for a replica
    makes the server report it as done, and it lies on one copy. Nor is it where a statement failed
    before and somebody passed over it: then COMMIT rolls back, and reports no error.
    """
    if connection.info.transaction_status is TransactionStatus.INERROR:
        _roll_back(connection)
        raise StoreUnavailableError("a transaction had failed before it was to be committed")
    warned: list[errors.Diagnostic] = []
    connection.add_notice_handler(warned.append)
    try:
        execute("COMMIT", ())
    except _LOST_A_RACE as error:
        raise _failure(error, connection) from None
    except psycopg.OperationalError as error:
        # Whatever is said now, the commit may have been written already, or be under way.
        with suppress(psycopg.Error):
            connection.close()
        raise CommitUnknownError(
            f"the record store was lost during a commit: {failure_of(error)}"
        ) from None
    except psycopg.Error as error:
        _roll_back(connection)
        raise unavailable(error) from None
    finally:
        connection.remove_notice_handler(warned.append)
    if warned:
        raise CommitUnknownError("the record store was warned of during a commit")
