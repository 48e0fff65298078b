"""What the store asks of a database: statements, transactions, and one kind of error.

Statements are written in SQLAlchemy Core, compiled once for each dialect, and run on the driver's
own connection: on the request path Core's execution would cost more than the statement. A single
statement is its own snapshot, so reads need no transaction.

Two databases fulfil it. `sqlite` lets one transaction write at a time. `postgres` runs many side
by side under READ COMMITTED: there, what a decision rests on is locked in share, whoever takes a
right away locks it alone, and work that lost a race is run again.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol, TypeVar, cast

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import CompilerElement

from makul.app.ports import StoreUnavailableError
from makul.store.db.error_texts import failure_of

Row = tuple[Any, ...]
Values = Mapping[str, object]
ResultT = TypeVar("ResultT")


class Cursor(Protocol):
    """What is used of a driver's cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Row | None:
        """The next row."""

    def fetchall(self) -> list[Row]:
        """The rows left."""


Execute = Callable[[str, tuple[object, ...]], Cursor]
"""Runs one statement on a driver's connection."""


class Prepared:
    """A Core statement as one driver takes it."""

    __slots__ = ("_constants", "_names", "sql")

    def __init__(self, statement: CompilerElement, dialect: Dialect) -> None:
        compiled = cast("Any", statement.compile(dialect=dialect))
        self.sql: str = compiled.string
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants = {k: v for k, v in compiled.params.items() if v is not None}

    def bind(self, values: Values) -> tuple[object, ...]:
        """The values in the statement's order; a missing one is a KeyError."""
        constants = self._constants
        if not constants:
            return tuple([values[name] for name in self._names])
        return tuple([values[n] if n in values else constants[n] for n in self._names])


class CompiledStatements:
    """The statements of one dialect, each compiled once: they are this room's constants."""

    __slots__ = ("_dialect", "_prepared")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[CompilerElement, Prepared] = {}

    def prepared(self, statement: CompilerElement) -> Prepared:
        """The statement as the driver takes it."""
        found = self._prepared.get(statement)
        if found is None:
            found = self._prepared[statement] = Prepared(statement, self._dialect)
        return found


class Transaction:
    """A transaction that is under way. That of a snapshot only reads."""

    __slots__ = ("_execute", "_statements", "discarded")

    def __init__(self, execute: Execute, statements: CompiledStatements) -> None:
        self._execute = execute
        self._statements = statements
        self.discarded = False

    def one(self, statement: CompilerElement, values: Values) -> Row | None:
        """The first row."""
        prepared = self._statements.prepared(statement)
        return self._execute(prepared.sql, prepared.bind(values)).fetchone()

    def all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Every row."""
        prepared = self._statements.prepared(statement)
        return self._execute(prepared.sql, prepared.bind(values)).fetchall()

    def run(self, statement: CompilerElement, values: Values) -> int:
        """Change something; how many rows were changed."""
        prepared = self._statements.prepared(statement)
        return self._execute(prepared.sql, prepared.bind(values)).rowcount

    def discard(self) -> None:
        """Let the transaction end without a trace."""
        self.discarded = True


Settled = Callable[[Transaction], ResultT | None]
"""What work came to whose commit was cut off, if it was committed; None where it was not."""


class Database(Protocol):
    """Where the record lies. Threads share it; processes each open their own."""

    side_by_side: ClassVar[bool]
    """Do transactions write side by side? Else one waits for the other to end."""

    def one(self, statement: CompilerElement, values: Values) -> Row | None:
        """The first row of one statement, which is a snapshot of its own."""

    def all(self, statement: CompilerElement, values: Values) -> list[Row]:
        """Every row of one statement."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Write: all of it, or none where the block raises or discards it.

        Raises `StoreUnavailableError`; then nothing was written, except where it is a
        `CommitUnknownError`.
        """

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Read as of one moment: what others commit in the block is not seen. Nobody waits for it.

        To be left soon, because the database keeps what is deleted meanwhile. Raises
        `StoreUnavailableError`.
        """

    def perform(
        self, work: Callable[[Transaction], ResultT], *, settled: Settled[ResultT] | None = None
    ) -> ResultT:
        """Do the work in a transaction, again where it lost a race against another's.

        With `settled` also where the connection broke while it was being committed: then that is
        asked first, so that what was committed is not done twice. Raises `StoreUnavailableError`.
        """

    def close(self) -> None:
        """Close every connection; the next use opens new ones. Call it before a fork."""


def unavailable(error: Exception) -> StoreUnavailableError:
    """The port's error; the driver's message, which may hold data, is dropped."""
    return StoreUnavailableError(f"the record store failed: {failure_of(error)}")
