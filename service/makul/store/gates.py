"""Gates: rows to lock, so that those who go through one go one at a time.

SQLite lets one transaction write at a time anyway. On PostgreSQL, whoever has locked a gate's row
sees in each statement that follows what everybody who went through before has committed.
"""

from enum import StrEnum

from sqlalchemy import bindparam, insert, select

from makul.store.engine import Transaction
from makul.store.tables import gate, recipient

_LOCK = (
    select(gate.c.kind)
    .where(gate.c.kind == bindparam("kind"), gate.c.key == bindparam("key"))
    .with_for_update()
)
_MAKE = insert(gate)
_LOCK_RECIPIENT = (
    select(recipient.c.code).where(recipient.c.code == bindparam("recipient")).with_for_update()
)


class Gate(StrEnum):
    """What goes one at a time."""

    DESK = "DESK"
    """Changes at the operator's desk: few, and each reads before it writes."""
    FAILED_MATCHES = "FAILED_MATCHES"
    """Failed matches of one person, one recipient or one employee, while they are counted: else
    several guesses at once would each find that there is one left."""


def go_through(transaction: Transaction, which: Gate, key: bytes = b"") -> None:
    """Wait until nobody else is in this gate; it is left with the transaction.

    The first two ever at once: one of them loses the race to make the row, and is run again.
    """
    values = {"kind": which.value, "key": key}
    if transaction.one(_LOCK, values) is None:
        transaction.run(_MAKE, values)


def before_taking_rights(transaction: Transaction, code: str) -> None:
    """Wait for every decision under way for this recipient, and let none begin before the commit.

    Each of them holds the recipient's row in share. For rights that are taken away by a new row:
    where an old one changes, its own lock does the same.
    """
    transaction.one(_LOCK_RECIPIENT, {"recipient": code})
