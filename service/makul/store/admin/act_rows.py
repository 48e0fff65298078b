"""The rows of one act, in its transaction: each row is read before it changes."""

from datetime import datetime

from makul.store.db.base import Transaction
from makul.store.encryption.fields import FieldCipher
from makul.store.records.acts import PendingAct, RowKey


class ActRows:
    """Rows that one act reads and changes. Each change of a row is stated by the act.

    `changed` is True after the first change.
    """

    changed: bool

    def __init__(
        self, transaction: Transaction, cipher: FieldCipher, act: PendingAct, *, at: datetime
    ) -> None:
        self._transaction = transaction
        self._cipher = cipher
        self._act = act
        self._at = at
        self.changed = False

    def _track(self, table: str, **key: object) -> None:
        """Read a row that is about to change."""
        self._act.track(RowKey(table, key))
        self.changed = True
