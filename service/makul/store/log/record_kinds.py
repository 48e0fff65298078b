"""The kinds of records that have a leaf in the log, and how the check reads each.

`ledger_leaf`, `ledger_queue` and `ledger_position` name a leaf by its record's id, in whichever
table the record is. A further kind is one more entry of `KINDS`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Select, Table, bindparam, or_, select
from sqlalchemy.sql.elements import ColumnElement

from makul.store.db.base import Database, Row, Transaction
from makul.store.encryption.fields import FieldCipher
from makul.store.log import act_check, repetition_check
from makul.store.log import record_facts as ledger_facts
from makul.store.log.expectations import Expectations
from makul.store.schema.ledger_tables import act, ledger_leaf, ledger_position
from makul.store.schema.record_tables import disclosure, repetition
from makul.store.schema.usage_tables import request_key

Columns = tuple[Column[Any] | ColumnElement[Any], ...]
Hold = Callable[[Row], tuple[str, str] | None]
"""A function that returns the mismatch of a record's row as a table and a text, or None."""

_ITS_PLACE = ledger_position.c.disclosure_id == ledger_leaf.c.disclosure_id


@dataclass(frozen=True, eq=False)
class RecordKind:
    """A table of records, each with a leaf."""

    table: Table
    columns: Columns
    """The columns from which a record is read; its id is the first."""
    of_the_leaf: ColumnElement[bool]
    """The condition that joins the record to its leaf."""
    build_check: Callable[[Database, FieldCipher, Expectations], Hold]
    """Builds the function that verifies a row of `columns` against its leaf."""
    beside: tuple[Table, ColumnElement[bool]] | None = None
    """A table that may contain more of the record, and the condition that joins it."""

    @property
    def name(self) -> str:
        """Return the table's name."""
        return self.table.name

    @cached_property
    def placed(self) -> Select[*tuple[Any, ...]]:
        """Select the records whose leaf indexes are from `start` to before `until`."""
        joined = ledger_position.join(ledger_leaf, _ITS_PLACE).join(self.table, self.of_the_leaf)
        if self.beside is not None:
            joined = joined.outerjoin(*self.beside)
        return (
            select(*self.columns)
            .select_from(joined)
            .where(
                ledger_position.c.position >= bindparam("start"),
                ledger_position.c.position < bindparam("until"),
            )
        )

    @cached_property
    def rest(self) -> Select[*tuple[Any, ...]]:
        """Select the records whose leaves have no index below `size`, for a range of leaf ids."""
        joined = ledger_leaf.join(self.table, self.of_the_leaf)
        if self.beside is not None:
            joined = joined.outerjoin(*self.beside)
        joined = joined.outerjoin(ledger_position, _ITS_PLACE)
        return (
            select(*self.columns)
            .select_from(joined)
            .where(
                or_(
                    ledger_position.c.position.is_(None),
                    ledger_position.c.position >= bindparam("size"),
                ),
                ledger_leaf.c.disclosure_id > bindparam("after"),
                ledger_leaf.c.disclosure_id <= bindparam("last"),
            )
        )

    @cached_property
    def without_leaf(self) -> Select[*tuple[Any, ...]]:
        """Select a record without its leaf, if there is one."""
        return (
            select(self.columns[0])
            .select_from(self.table.outerjoin(ledger_leaf, self.of_the_leaf))
            .where(ledger_leaf.c.disclosure_id.is_(None))
            .limit(1)
        )


DECISION = RecordKind(
    table=disclosure,
    columns=ledger_facts.COLUMNS,
    of_the_leaf=(disclosure.c.disclosure_id == ledger_leaf.c.disclosure_id)
    # PostgreSQL finds the monthly partition by `decided_at`.
    & (disclosure.c.decided_at == ledger_leaf.c.recorded_at),
    build_check=lambda *of: ledger_facts.RecordChecker(*of).find_row_mismatch,
    beside=(
        request_key,
        (request_key.c.recipient == disclosure.c.recipient)
        & (request_key.c.space == disclosure.c.space)
        & (request_key.c.request_id == disclosure.c.request_id),
    ),
)
ACT = RecordKind(
    table=act,
    columns=act_check.COLUMNS,
    of_the_leaf=act.c.act_id == ledger_leaf.c.disclosure_id,
    build_check=lambda _, *of: act_check.ActChecker(*of).find_mismatch,
)
REPETITION = RecordKind(
    table=repetition,
    columns=repetition_check.COLUMNS,
    of_the_leaf=repetition.c.repetition_id == ledger_leaf.c.disclosure_id,
    build_check=lambda _, cipher, __: repetition_check.RepetitionChecker(cipher).find_mismatch,
    beside=(
        disclosure,
        (disclosure.c.disclosure_id == repetition.c.disclosure_id)
        & (disclosure.c.decided_at == repetition.c.decided_at),
    ),
)
KINDS = (DECISION, REPETITION, ACT)
"""The kinds of records that the check reads."""


class Records:
    """Reads records of every kind, each with the function that verifies it."""

    def __init__(self, database: Database, cipher: FieldCipher, expectations: Expectations) -> None:
        self._holds = [(kind, kind.build_check(database, cipher, expectations)) for kind in KINDS]

    def placed(self, source: Database | Transaction, start: int, until: int) -> "FoundRecords":
        """Read the records of these leaf indexes."""
        values = {"start": start, "until": until}
        return FoundRecords(
            (kind, hold, source.fetch_all(kind.placed, values)) for kind, hold in self._holds
        )

    def rest(
        self, source: Database | Transaction, *, size: int, after: bytes, last: bytes
    ) -> "FoundRecords":
        """Read the records between two leaf ids that have no index below `size`."""
        values = {"size": size, "after": after, "last": last}
        return FoundRecords(
            (kind, hold, source.fetch_all(kind.rest, values)) for kind, hold in self._holds
        )


class FoundRecords:
    """Records by the ids of their leaves."""

    def __init__(self, read: Iterable[tuple[RecordKind, Hold, Sequence[Row]]]) -> None:
        self._found: dict[bytes, list[tuple[RecordKind, Hold, Row]]] = {}
        for kind, hold, rows in read:
            for row in rows:
                self._found.setdefault(row[0], []).append((kind, hold, row))

    def of(self, record_id: bytes) -> Sequence[tuple[RecordKind, Hold, Row]]:
        """Return the record of a leaf: exactly one, unless the store was tampered with."""
        return self._found.get(record_id, ())
