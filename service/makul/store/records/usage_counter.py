"""The counter of one thing that decisions use up: a consent, a day's disclosures, bytes.

A row of its table holds one count. The limit is a condition of the UPDATE itself, so concurrent
transactions cannot share the last use. A trigger lets a count only increase
(`store.schema.meter_triggers`).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, insert, select, update

from makul.store.db.base import Transaction, Values


class UsageCounter:
    """A counter in a column of a table, by the table's primary key."""

    def __init__(
        self,
        table: Table,
        column: str,
        *,
        limit: ColumnElement[Any] | None = None,
        conditions: tuple[ColumnElement[bool], ...] = (),
        changes: Mapping[str, ColumnElement[Any]] | None = None,
    ) -> None:
        """Count in `column`, up to `limit`, or up to the parameter `limit` of each use.

        A row that does not meet the `conditions` cannot be used. `changes` are made with each use.
        """
        self._column = column
        here = [each == bindparam(f"key_{each.name}") for each in table.primary_key.columns]
        counted = table.c[column] + bindparam("more")
        within = counted <= (bindparam("limit") if limit is None else limit)
        used = update(table).where(*here, within, *conditions)
        self._use = used.values({column: counted, **(changes or {})})
        self.known = select(table.c[column]).where(*here)
        """The statement that looks for the row. Tests wait for it."""
        self._open = insert(table)

    def use(self, transaction: Transaction, key: Values, *, limit: int, more: int = 1) -> bool:
        """Count `more`, in a new row if there is none; return False if the limit forbids it."""
        counted = self.count(transaction, key, limit=limit, more=more)
        if counted is None and more <= limit:
            self.open(transaction, key, {self._column: more})
            return True
        return counted is True

    def count(self, transaction: Transaction, key: Values, **values: object) -> bool | None:
        """Increase the count in an existing row.

        Returns False if the limit or a condition forbids it, and None if there is no row. Another
        transaction may add the row between the first two statements, so the first one is repeated.
        """
        values |= {f"key_{name}": value for name, value in key.items()}
        if transaction.execute(self._use, values):
            return True
        if transaction.fetch_one(self.known, values) is None:
            return None
        return transaction.execute(self._use, values) == 1

    def open(self, transaction: Transaction, key: Values, columns: Values) -> None:
        """Add the row with these values in its other columns."""
        transaction.execute(self._open, {**key, **columns})
