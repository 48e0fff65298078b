"""The ledger shows any changed value and any removed row.

A superuser makes the change, past every trigger and privilege. If the same person has the ledger
key and rewrites the ledger, witnesses find it (`tests/e2e/test_witnessed_log.py`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul.store.schema.tables import metadata
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.faults.record_audit import Count
from makul_testing.raw_sql import parameters, without_guards
from makul_testing.tlog.builder import (
    a_note_signer,
    another,
    build_recording,
    check_ledger,
    sequence,
    some_drafts,
)

UNPROVED = {
    "disclosure": set[str](),
    "act": set[str](),
    "ledger_leaf": set[str](),
    "evidence": set[str](),
    "ledger_position": set[str](),
    "ledger_tile": set[str](),
    "ledger_queue": set[str](),
    "ledger_head": {"holder", "held_until"},
    "checkpoint": {"made_at"},
}
"""Tables that the ledger proves, and columns that it does not: the lease, and the time of a tree's
signature, which is not in the note.
"""


@pytest.fixture
def signer(tmp_path: Path) -> NoteSigner:
    return a_note_signer(tmp_path)


@pytest.fixture
def store(place: DatabaseLocation, keys: StoreKeys, signer: NoteSigner) -> Iterator[Store]:
    """Build a store with a decision of each kind in the ledger, and as many that wait."""
    opened = open_store(place, keys, who="operator")
    for waiting in (False, True):
        for draft in some_drafts():
            build_recording(opened).record_and_render(draft)
        if not waiting:
            sequence(opened, signer)
    assert check_ledger(opened, signer).finding is None
    yield opened
    opened.close()


class Superuser:
    """Changes one row of a table, and restores it."""

    def __init__(self, connection: Any, place: DatabaseLocation, table: Table) -> None:
        self._connection, self._place, self._table = connection, place, table
        self.columns = list(table.columns)
        listed = ", ".join(f'"{column.name}"' for column in self.columns)
        key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
        self._of_key = f"({key}) = ({', '.join('?' for _ in table.primary_key.columns)})"
        self._listed = listed
        order = f"SELECT {listed} FROM {table.name} ORDER BY {key}"  # noqa: S608
        rows = connection.execute(order).fetchall()
        self.rows = [rows[0], rows[-1]] if len(rows) > 1 else rows

    def write(self, before: tuple[Any, ...], after: tuple[Any, ...] | None) -> None:
        """Write one row in the place of another, or none."""
        keys = [self.columns.index(column) for column in self._table.primary_key.columns]
        out = f"DELETE FROM {self._table.name} WHERE {self._of_key}"  # noqa: S608
        assert self._run(out, [before[index] for index in keys]) == 1
        self.put(after)

    def put(self, row: tuple[Any, ...] | None) -> None:
        """Add a row."""
        if row is not None:
            marks = ", ".join("?" for _ in self.columns)
            self._run(f"INSERT INTO {self._table.name} ({self._listed}) VALUES ({marks})", row)  # noqa: S608

    def _run(self, sql: str, values: Any) -> int:
        result = self._connection.execute(parameters(self._place, sql), tuple(values))
        return int(result.rowcount)


def test_one_changed_value_or_missing_row_is_found(
    store: Store, place: DatabaseLocation, signer: NoteSigner, database: str, count: Count
) -> None:
    """Every column of every proved table is changed, in its first and its last row."""
    changed, deletions, unfound = 0, 0, []
    for name, unproved in UNPROVED.items():
        with without_guards(place, name) as connection:
            superuser = Superuser(connection, place, metadata.tables[name])
            for row in superuser.rows:
                for index, column in enumerate(superuser.columns):
                    if column.name in unproved:
                        continue
                    spoilt = (
                        *row[:index],
                        another(row[index], column.type.python_type),
                        *row[index + 1 :],
                    )
                    superuser.write(row, spoilt)
                    changed += 1
                    if check_ledger(store, signer).finding is None:
                        unfound.append(f"{name}.{column.name}")
                    superuser.write(spoilt, row)
                superuser.write(row, None)
                deletions += 1
                if check_ledger(store, signer).finding is None:
                    unfound.append(name)
                superuser.put(row)

    assert unfound == []
    assert check_ledger(store, signer).finding is None, "something was not put back"
    count(
        f"one value or row changed by a superuser [{database}]: {changed} values and {deletions}"
        f" rows of {len(UNPROVED)} tables, all found by ledger verify"
    )
