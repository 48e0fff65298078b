"""The interface of a database to the store: statements, transactions, and one kind of error.

Statements are written in SQLAlchemy Core and compiled once for each dialect. They run on the
driver's own connection, because on the request path execution by Core would cost more than the
statement. A single statement is its own snapshot, so reads need no transaction.

Two databases implement it. `store.db.sqlite` lets one transaction write at a time.
`store.db.postgres` runs many transactions concurrently under READ COMMITTED. There a decision locks
in share mode what it depends on, and a transaction that withdraws a right locks it exclusively.
Work that lost a race is run again.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol, TypeVar, cast

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import CompilerElement

from makul.app.ports import StoreUnavailableError
from makul.language.translation import translate
from makul.store.db.error_texts import describe_failure

Row = tuple[Any, ...]
Values = Mapping[str, object]
ResultT = TypeVar("ResultT")


class Cursor(Protocol):
    """The part of a driver's cursor that the store uses."""

    @property
    def rowcount(self) -> int:
        """Return how many rows the statement changed."""

    def fetchone(self) -> Row | None:
        """Return the next row."""

    def fetchall(self) -> list[Row]:
        """Return the remaining rows."""


Execute = Callable[[str, tuple[object, ...]], Cursor]
"""A function that runs one statement on a driver's connection."""


class PreparedStatement:
    """A Core statement in the form that one driver takes."""

    __slots__ = ("_constants", "_names", "sql")

    def __init__(self, statement: CompilerElement, dialect: Dialect) -> None:
        compiled = cast("Any", statement.compile(dialect=dialect))
        self.sql: str = compiled.string
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants = {k: v for k, v in compiled.params.items() if v is not None}

    def bind(self, values: Values) -> tuple[object, ...]:
        """Return the values in the statement's order; a missing value raises `KeyError`."""
        constants = self._constants
        if not constants:
            return tuple([values[name] for name in self._names])
        return tuple([values[n] if n in values else constants[n] for n in self._names])


class CompiledStatements:
    """The statements of one dialect, each compiled once: they are constants of `store`."""

    __slots__ = ("_dialect", "_prepared")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[CompilerElement, PreparedStatement] = {}

    def prepare(self, statement: CompilerElement) -> PreparedStatement:
        """Return the statement in the form that the driver takes."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = PreparedStatement(statement, self._dialect)
        return prepared


class Transaction:
    """A transaction in progress. The transaction of a snapshot only reads."""

    __slots__ = ("_execute", "_statements", "marked_for_rollback")

    def __init__(self, execute: Execute, statements: CompiledStatements) -> None:
        self._execute = execute
        self._statements = statements
        self.marked_for_rollback = False

    def fetch_one(self, statement: CompilerElement, values: Values) -> Row | None:
        """Return the first row."""
        prepared = self._statements.prepare(statement)
        return self._execute(prepared.sql, prepared.bind(values)).fetchone()

    def fetch_all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Return every row."""
        prepared = self._statements.prepare(statement)
        return self._execute(prepared.sql, prepared.bind(values)).fetchall()

    def execute(self, statement: CompilerElement, values: Values) -> int:
        """Execute a statement that changes data, and return how many rows it changed."""
        prepared = self._statements.prepare(statement)
        return self._execute(prepared.sql, prepared.bind(values)).rowcount

    def mark_rollback(self) -> None:
        """Mark the transaction so that it is rolled back at its end."""
        self.marked_for_rollback = True


UnknownCommitResolver = Callable[[Transaction], ResultT | None]
"""A function that returns the result of work whose commit was interrupted, or None if it was not
committed."""


class QuerySource(Protocol):
    """A database, or a snapshot of one."""

    def fetch_one(self, statement: CompilerElement, values: Values) -> Row | None:
        """Return the first row of one statement."""

    def fetch_all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Return every row of one statement."""


class Database(Protocol):
    """The database that holds the records. Threads share it; each process opens its own."""

    side_by_side: ClassVar[bool]
    """True if transactions write concurrently; otherwise one waits until the other ends."""

    def fetch_one(self, statement: CompilerElement, values: Values) -> Row | None:
        """Return the first row of one statement, which is a snapshot of its own."""

    def fetch_all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Return every row of one statement."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Write everything, or nothing if the block raises or calls `mark_rollback`.

        Raises `StoreUnavailableError`; then nothing was written, unless it is a
        `CommitUnknownError`.
        """

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Read as of one moment: commits of others during the block are not visible.

        No transaction waits for a snapshot. It must be short, because the database keeps rows that
        are deleted meanwhile. Raises `StoreUnavailableError`.
        """

    def run_transaction(
        self,
        work: Callable[[Transaction], ResultT],
        *,
        resolve_unknown_commit: UnknownCommitResolver[ResultT] | None = None,
    ) -> ResultT:
        """Do the work in a transaction, and repeat it if it lost a race.

        With `resolve_unknown_commit` it is also repeated if the connection broke during the commit.
        That function is called first, so that committed work is not done twice. Raises
        `StoreUnavailableError`.
        """

    def close(self) -> None:
        """Close every connection; the next use opens new ones. Must be called before a fork."""


def unavailable(error: Exception) -> StoreUnavailableError:
    """Return the port's error; the driver's message is dropped because it may contain data."""
    return StoreUnavailableError(
        translate("the record store failed: {problem}", problem=describe_failure(error))
    )
