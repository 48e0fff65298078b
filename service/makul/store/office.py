"""What every change at the operator's desk needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from makul.store.crypto import Sealer
from makul.store.desk_log import DeskLog
from makul.store.engine import Database, Transaction
from makul.store.gates import Gate, go_through


@dataclass(frozen=True, slots=True)
class Office:
    """The store, what seals its fields, and the log of who did what."""

    database: Database
    sealer: Sealer
    log: DeskLog

    @contextmanager
    def changing(self) -> Iterator[Transaction]:
        """A transaction that no other change at the desk runs beside."""
        with self.database.transaction() as transaction:
            go_through(transaction, Gate.DESK)
            yield transaction
