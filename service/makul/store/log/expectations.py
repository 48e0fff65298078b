"""Collect what records state about other rows while the ledger is verified.

A million decisions state more than fits into memory. So the statements are stored in a private
temporary SQLite database, which has no name in the file system and disappears when the check ends.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from makul.store.db.codecs import dumps
from makul.store.db.sqlite import driver

Facts = Mapping[str, object]

_TABLES = (
    "CREATE TABLE change (tbl TEXT, key TEXT, number INTEGER, first INTEGER, was TEXT, now TEXT)",
    "CREATE TABLE effect (tbl TEXT, key TEXT, facts TEXT)",
    "CREATE TABLE met (tbl TEXT, key TEXT, mark TEXT, PRIMARY KEY (tbl, key)) WITHOUT ROWID",
    "CREATE TABLE act (number INTEGER PRIMARY KEY, first INTEGER) WITHOUT ROWID",
    "CREATE INDEX change_of ON change (tbl, key)",
    "CREATE INDEX effect_of ON effect (tbl, key)",
)
_UNMET = """
SELECT key FROM (
    SELECT key FROM change WHERE tbl = :tbl UNION SELECT key FROM effect WHERE tbl = :tbl
) WHERE key NOT IN (SELECT key FROM met WHERE tbl = :tbl) ORDER BY key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedChange:
    """A row that an act changed, as the act states it."""

    number: int
    """The number of the act."""
    is_baseline: bool
    before: Facts | None
    after: Facts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedGrounds:
    """All that records state about one row: acts in their order, effects of decisions in any."""

    changes: tuple[StatedChange, ...]
    effects: tuple[Facts, ...]


class Expectations:
    """The rows that must exist, and why. A context manager; the data is deleted at its end."""

    def __init__(self) -> None:
        self._file: Any = driver.connect("", isolation_level=None)
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *_TABLES):
            self._file.execute(statement)
        # One transaction that is never committed: a transaction for each statement costs more.
        self._file.execute("BEGIN")

    def __enter__(self) -> "Expectations":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add_act(self, number: int, *, is_baseline: bool) -> bool:
        """Store an act; return False if another act has its number."""
        values = (number, is_baseline)
        added = self._file.execute("INSERT OR IGNORE INTO act VALUES (?, ?)", values)
        return bool(added.rowcount)

    def add_change(self, table: str, key: str, change: StatedChange) -> None:
        """Store a row that an act changed."""
        values = (
            table,
            key,
            change.number,
            change.is_baseline,
            _text(change.before),
            _text(change.after),
        )
        self._file.execute("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?)", values)

    def add_effect(self, table: str, key: str, facts: Facts) -> None:
        """Store a row that a decision created or used up."""
        self._file.execute("INSERT INTO effect VALUES (?, ?, ?)", (table, key, dumps(facts)))

    def meet(self, table: str, key: str, mark: object) -> None:
        """Store that a row exists, with a mark that later checks of other rows read."""
        values = (table, key, dumps(mark))
        self._file.execute("INSERT OR REPLACE INTO met VALUES (?, ?, ?)", values)

    def mark(self, table: str, key: str) -> object:
        """Return the mark of a row that exists; None for a row that does not."""
        row = self._file.execute(
            "SELECT mark FROM met WHERE tbl = ? AND key = ?", (table, key)
        ).fetchone()
        return json.loads(row[0]) if row is not None else None

    def unmet(self, table: str) -> Iterator[str]:
        """Yield the keys of rows that some record names and that do not exist."""
        for (key,) in self._file.execute(_UNMET, {"tbl": table}).fetchall():
            yield key

    def grounds(self, table: str, key: str) -> ExpectedGrounds:
        """Return everything that records state about a row."""
        changes = self._file.execute(
            "SELECT number, first, was, now FROM change WHERE tbl = ? AND key = ? ORDER BY number",
            (table, key),
        )
        effects = self._file.execute(
            "SELECT facts FROM effect WHERE tbl = ? AND key = ? ORDER BY facts", (table, key)
        )
        return ExpectedGrounds(
            changes=tuple(
                StatedChange(
                    number=number, is_baseline=bool(first), before=_facts(was), after=_facts(now)
                )
                for number, first, was, now in changes.fetchall()
            ),
            effects=tuple(json.loads(facts) for (facts,) in effects.fetchall()),
        )

    def first_gap(self) -> int | None:
        """Return the lowest missing number below an act's number; 1 if no act has number 1."""
        row = self._file.execute(
            "SELECT count(*), coalesce(min(number), 0), coalesce(max(number), 0) FROM act"
        ).fetchone()
        count, least, most = row
        if count and least == 1 and most == count:
            return None
        if least != 1:
            return 1
        (gap,) = self._file.execute(
            "SELECT min(number) + 1 FROM act WHERE number + 1 NOT IN (SELECT number FROM act)"
        ).fetchone()
        return int(gap)

    def late_baseline(self) -> int | None:
        """Return the number of a baseline act that follows another act; None if there is none."""
        (number,) = self._file.execute(
            "SELECT min(number) FROM act WHERE first AND number > "
            "(SELECT coalesce(min(number), number) FROM act WHERE NOT first)"
        ).fetchone()
        return number if number is None else int(number)


def _text(facts: Facts | None) -> str | None:
    return dumps(facts) if facts is not None else None


def _facts(text: str | None) -> Facts | None:
    return json.loads(text) if text is not None else None
