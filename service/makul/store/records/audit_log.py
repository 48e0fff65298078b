"""The operator's log: what an operator changed or viewed, and when (Procedure, cl. 13 and 16)."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert

from makul.store.db.base import Transaction
from makul.store.db.codecs import dumps, micros
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.record_tables import desk_log

_WRITE = insert(desk_log)


class AuditLog:
    """Writer of one operator's log entries. Each entry is in the transaction of its act."""

    def __init__(self, cipher: FieldCipher, who: str) -> None:
        self._cipher = cipher
        self.who = who

    def write(
        self,
        transaction: Transaction,
        action: str,
        target: str,
        facts: Mapping[str, object],
        *,
        at: datetime,
        subject_index: bytes | None = None,
    ) -> None:
        """Write one entry.

        The facts are encrypted, because a typed reason may contain names of persons.
        """
        entry_id = uuid.uuid4().bytes
        where = field_associated_data("desk_log", "sealed", entry_id)
        transaction.execute(
            _WRITE,
            {
                "entry_id": entry_id,
                "at": micros(at),
                "who": self.who,
                "action": action,
                "target": target,
                "subject_index": subject_index,
                "sealed": self._cipher.encrypt(dumps(facts).encode(), where),
            },
        )
