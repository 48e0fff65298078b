"""The context of every change in the operator's registry."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from makul.store.db.base import Database, Transaction
from makul.store.encryption.fields import FieldCipher
from makul.store.records.acts import PendingAct, RowKey
from makul.store.records.audit_log import AuditLog
from makul.store.records.locks import (
    LockKind,
    acquire_lock,
    announce_revocation,
    lock_for_revocation,
)


@dataclass(frozen=True, slots=True)
class RegistryUnitOfWork:
    """The store, the cipher of its fields, and the log of operators' acts."""

    database: Database
    cipher: FieldCipher
    log: AuditLog

    def act(self, transaction: Transaction, *rows: RowKey) -> PendingAct:
        """Begin an act that is about to change these rows; it must be written after the change."""
        return PendingAct(transaction, self.cipher, self.log, rows)

    @contextmanager
    def begin(self, *, locking_recipient: str | None = None) -> Iterator[Transaction]:
        """Open a transaction that excludes every other change of the registry.

        `locking_recipient` is the code of a recipient. Then it also excludes decisions for that
        recipient, from which a right may be withdrawn.
        """
        with ExitStack() as stack:
            pending = None
            if locking_recipient is not None:
                pending = stack.enter_context(announce_revocation(self.database, locking_recipient))
            transaction = stack.enter_context(self.database.transaction())
            acquire_lock(transaction, LockKind.REGISTRY)
            if pending is not None:
                lock_for_revocation(transaction, pending)
            yield transaction
