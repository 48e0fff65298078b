"""PostgreSQL: a pool of connections for each process, and many concurrent transactions.

Transactions are READ COMMITTED: each statement sees what was committed before it began. Therefore a
read after a lock was granted sees the rows that the lock protects. A transaction can still lose a
race: a row with that key came first, a deadlock, or a conflict between serializable transactions.
The server reports it, and `run_transaction` repeats the whole work up to `TRIES` times, with longer
waits.

A connection that breaks before COMMIT was sent has written nothing. If it breaks during COMMIT, the
outcome is unknown. `run_transaction` then reads what the work would have written before it repeats
the work. A commit that is still in progress blocks the repetition by its keys.
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
from makul.store.db.error_texts import describe_failure
from makul.store.db.location import PostgresLocation

TRIES = 8
"""Maximum number of attempts for work that loses races; the last wait is at most half a second."""

FIRST_WAIT = 0.004
"""Seconds before the second attempt are at most twice this; the maximum doubles with each attempt.
The wait is a random part of the maximum, so that competing transactions separate."""

PATIENCE_SECONDS = 20.0
"""Seconds after which no attempt is started; a request may take 60 s in all."""

POOL_SECONDS = 5.0
"""Seconds that a thread waits for a connection."""

MOST_CONNECTIONS = 16
"""Connections of one process: more than a listener has threads, housekeeping included."""

SESSION = {
    "default_transaction_isolation": "read committed",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "10s",
    "statement_timeout": "30s",
}
"""Settings that a connection requests when it opens. If a pooler drops them, the role has them
(`makul store grant`)."""

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
    """The error for work that wrote nothing and may succeed now.

    Another transaction came first, or the connection had been lost.
    """


def _count_nothing() -> None:
    """Do nothing: no caller counts repetitions."""


class PostgresDatabase(Database):
    """A database of a PostgreSQL server. Nothing is opened before the first use."""

    side_by_side = True

    def __init__(
        self, location: PostgresLocation, retried: Callable[[], None] = _count_nothing
    ) -> None:
        """Prepare the database; `retried` is called each time that work is repeated."""
        self._location = location
        self._retried = retried
        self._guard = threading.Lock()
        self._pool: ConnectionPool[PostgresConnection] | None = None
        self._pid: int | None = None

    def __repr__(self) -> str:
        return "PostgresDatabase()"

    def fetch_one(self, statement: CompilerElement, values: Values) -> Row | None:
        """Return the first row of one statement, which is a snapshot of its own."""
        return self._read(statement, values, lambda cursor: cursor.fetchone())

    def fetch_all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Return every row of one statement."""
        return self._read(statement, values, lambda cursor: cursor.fetchall())

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write everything, or nothing if the block raises or calls `mark_rollback`."""
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
            if transaction.marked_for_rollback:
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

    def run_transaction(
        self,
        work: Callable[[Transaction], ResultT],
        *,
        resolve_unknown_commit: UnknownCommitResolver[ResultT] | None = None,
    ) -> ResultT:
        """Do the work, and repeat it if it lost a race or its commit was interrupted."""
        in_doubt = False
        for _ in _attempt_numbers():
            try:
                with self.transaction() as transaction:
                    result = (
                        resolve_unknown_commit(transaction)
                        if in_doubt and resolve_unknown_commit is not None
                        else None
                    )
                    return result if result is not None else work(transaction)
            except _AgainError as error:
                log.info("done again: %s", error)
                self._retried()
            except CommitUnknownError:
                if resolve_unknown_commit is None:
                    raise
                log.warning("a commit was cut off: asking what became of it")
                in_doubt = True
        raise StoreUnavailableError(
            translate("the record store is too busy, or keeps breaking off")
        )

    def close(self) -> None:
        """Close every connection; the next use opens new ones. Must be called before a fork."""
        with self._guard:
            pool, self._pool = self._pool, None
            if pool is not None and self._pid == os.getpid():
                pool.close()

    def _read(
        self, statement: CompilerElement, values: Values, fetch: Callable[[Cursor], ReadT]
    ) -> ReadT:
        """Read, and repeat once if the connection had been lost: a read changes nothing."""
        prepared = _STATEMENTS.prepare(statement)
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
            if lost:  # the other connections were most likely lost with this one
                pool.check()

    def _open_pool(self) -> "ConnectionPool[PostgresConnection]":
        pool = self._pool
        if pool is not None and self._pid == os.getpid():
            return pool
        with self._guard:
            if self._pool is not None and self._pid != os.getpid():
                raise StoreUnavailableError(
                    translate("the store was in use before this process was forked")
                )
            if self._pool is None:
                self._pool, self._pid = _new_pool(self._location), os.getpid()
            return self._pool


def _attempt_numbers() -> Iterator[int]:
    """Yield attempt numbers: the maximum wait doubles, and competitors wait for different times."""
    until = time.monotonic() + PATIENCE_SECONDS
    for number in range(TRIES):
        if number:
            time.sleep(random.uniform(0, FIRST_WAIT * 2**number))  # noqa: S311 -- no secret
        if time.monotonic() < until:
            yield number


def _new_pool(location: PostgresLocation) -> "ConnectionPool[PostgresConnection]":
    options = " ".join(
        f"-c {name}={value}".replace("=read committed", r"=read\ committed")
        for name, value in SESSION.items()
    )
    return ConnectionPool(
        location.url,
        kwargs={
            "autocommit": True,
            "application_name": "makul",
            "connect_timeout": int(POOL_SECONDS),
            "prepare_threshold": 0 if location.prepares else None,
            **({"options": options} if location.prepares else {}),
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
    """Return the error for a statement that failed before COMMIT; nothing was written."""
    if isinstance(error, _LOST_A_RACE) or connection.closed:
        return _AgainError(str(unavailable(error)))
    if isinstance(error, errors.InsufficientPrivilege):
        return NotThisDutyError(
            translate("the database's role may not do this: see makul store grant --help")
        )
    return unavailable(error)


def _roll_back(connection: PostgresConnection) -> None:
    """Roll back. If even that fails, close the connection; the pool opens another."""
    if connection.closed:
        return
    try:
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        with suppress(psycopg.Error):
            connection.close()


def _commit(connection: PostgresConnection, execute: Callable[..., Cursor]) -> None:
    """Commit, and accept only a COMMIT without a warning.

    An administrator may cancel a commit that waits for a replica. The server then reports it as
    done with a warning, and only one copy has it. If a statement failed and its error was ignored,
    COMMIT rolls back without an error.
    """
    if connection.info.transaction_status is TransactionStatus.INERROR:
        _roll_back(connection)
        raise StoreUnavailableError(
            translate("a transaction had failed before it was to be committed")
        )
    warned: list[errors.Diagnostic] = []
    connection.add_notice_handler(warned.append)
    try:
        execute("COMMIT", ())
    except _LOST_A_RACE as error:
        raise _failure(error, connection) from None
    except psycopg.OperationalError as error:
        # The commit may have been written already, or be in progress, regardless of the error.
        with suppress(psycopg.Error):
            connection.close()
        raise CommitUnknownError(
            translate(
                "the record store was lost during a commit: {problem}",
                problem=describe_failure(error),
            )
        ) from None
    except psycopg.Error as error:
        _roll_back(connection)
        raise unavailable(error) from None
    finally:
        connection.remove_notice_handler(warned.append)
    if warned:
        raise CommitUnknownError("the record store was warned of during a commit")
