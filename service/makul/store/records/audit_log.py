"""What the operator changed or looked at: who, when, what (Procedure, cl. 13 and 16)."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert

from makul.store.db.base import Transaction
from makul.store.db.codecs import dumps, micros
from makul.store.encryption.fields import FieldCipher, place
from makul.store.schema.tables import desk_log

_WRITE = insert(desk_log)


class DeskLog:
    """Writes one operator's doings, each in the transaction of what was done."""

    def __init__(self, sealer: FieldCipher, who: str) -> None:
        self._sealer = sealer
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
        """One entry. The facts are sealed, for a reason that someone typed may name people."""
        entry_id = uuid.uuid4().bytes
        where = place("desk_log", "sealed", entry_id)
        transaction.run(
            _WRITE,
            {
                "entry_id": entry_id,
                "at": micros(at),
                "who": self.who,
                "action": action,
                "target": target,
                "subject_index": subject_index,
                "sealed": self._sealer.seal(dumps(facts).encode(), where),
            },
        )
