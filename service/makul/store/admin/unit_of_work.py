"""What every change at the operator's desk needs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from makul.store.db.base import Database, Transaction
from makul.store.encryption.fields import Sealer
from makul.store.records.acts import PendingAct, RowKey
from makul.store.records.audit_log import DeskLog
from makul.store.records.locks import Gate, before_taking_rights, go_through, taking_rights


@dataclass(frozen=True, slots=True)
class Office:
    """The store, what seals its fields, and the log of who did what."""

    database: Database
    sealer: Sealer
    log: DeskLog

    def act(self, transaction: Transaction, *rows: RowKey) -> PendingAct:
        """Begin an act that is about to change these rows; write it after the change."""
        return PendingAct(transaction, self.sealer, self.log, rows)

    @contextmanager
    def changing(self, *, taking_from: str | None = None) -> Iterator[Transaction]:
        """A transaction that no other change at the desk runs beside.

        Nor any decision for the recipient that a right may be taken from, told by its code.
        """
        with ExitStack() as stack:
            taking = None
            if taking_from is not None:
                taking = stack.enter_context(taking_rights(self.database, taking_from))
            transaction = stack.enter_context(self.database.transaction())
            go_through(transaction, Gate.DESK)
            if taking is not None:
                before_taking_rights(transaction, taking)
            yield transaction
