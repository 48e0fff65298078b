"""Gates: rows to lock, so that those who go through one go one at a time.

SQLite lets one transaction write at a time anyway. On PostgreSQL, whoever has locked a gate's row
sees in each statement that follows what everybody who went through before has committed.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import bindparam, delete, exists, insert, select

from makul.app.ports import StoreUnavailableError
from makul.store.db.base import Database, Transaction, Values
from makul.store.schema.tables import gate, recipient

_LOCK = (
    select(gate.c.kind)
    .where(gate.c.kind == bindparam("kind"), gate.c.key == bindparam("key"))
    .with_for_update()
)
_MAKE = insert(gate)
_LOCK_RECIPIENT = (
    select(recipient.c.code).where(recipient.c.code == bindparam("recipient")).with_for_update()
)


_HALF = 16
"""A notice's key begins with the recipient's digest and ends with chance."""


class Gate(StrEnum):
    """What goes one at a time."""

    DESK = "DESK"
    """Changes at the operator's desk: few, and each reads before it writes."""
    FAILED_MATCHES = "FAILED_MATCHES"
    """Failed matches of one person, one recipient or one employee, while they are counted: else
    several guesses at once would each find that there is one left."""
    TAKING_RIGHTS = "TAKING_RIGHTS"
    """Notices that a right of a recipient is about to be taken away."""


_NOTICES = (
    gate.c.kind == Gate.TAKING_RIGHTS.value,
    gate.c.key.between(bindparam("first_notice"), bindparam("last_notice")),
)
NO_NOTICE = ~exists().where(*_NOTICES)
"""Is nobody about to take a right from a recipient? To be asked with `notices_of`."""

_WAIT = select(gate.c.key).where(*_NOTICES).with_for_update()
_LEFT = (
    select(gate.c.key)
    .where(gate.c.kind == Gate.TAKING_RIGHTS.value)
    .with_for_update(skip_locked=True)
)
_TAKE_DOWN = delete(gate).where(gate.c.kind == bindparam("kind"), gate.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRevocationLock:
    """A right of this recipient is about to be taken away."""

    code: str
    notice: bytes | None
    """The key of the notice; none where one transaction writes at a time."""


def acquire_lock(transaction: Transaction, which: Gate, key: bytes = b"") -> None:
    """Wait until nobody else is in this gate; it is left with the transaction.

    The first two ever at once: one of them loses the race to make the row, and is run again.
    """
    values = {"kind": which.value, "key": key}
    if transaction.one(_LOCK, values) is None:
        transaction.run(_MAKE, values)


@contextmanager
def announce_revocation(database: Database, code: str) -> Iterator[PendingRevocationLock]:
    """Put up a notice, so that decisions for this recipient make way for what is done next.

    PostgreSQL grants a row in share past whoever waits to have it alone: under enough decisions
    there is always one that holds it, and a hold would never come. So a decision that sees the
    notice waits for who put it up. One that a killed process left behind makes decisions for this
    recipient pass it one at a time, until it is swept.
    """
    if not database.side_by_side:
        yield PendingRevocationLock(code=code, notice=None)
        return
    notice = _digest(code) + secrets.token_bytes(_HALF)
    row = {"kind": Gate.TAKING_RIGHTS.value, "key": notice}
    database.perform(lambda transaction: transaction.run(_MAKE, row))
    try:
        yield PendingRevocationLock(code=code, notice=notice)
    finally:
        with suppress(StoreUnavailableError):
            database.perform(lambda transaction: transaction.run(_TAKE_DOWN, row))


def lock_for_revocation(transaction: Transaction, taking: PendingRevocationLock) -> None:
    """Wait for every decision under way for this recipient, and let none begin before the commit.

    Each of them holds the recipient's row in share. To be called before anything else is locked
    that a decision may wait for. The notice is gone with the commit, and who waits at it goes on.
    """
    if taking.notice is not None:
        row = {"kind": Gate.TAKING_RIGHTS.value, "key": taking.notice}
        transaction.run(_TAKE_DOWN, row)
    transaction.one(_LOCK_RECIPIENT, {"recipient": taking.code})


def wait_for_revocations(transaction: Transaction, code: str) -> None:
    """Wait for whoever put up a notice about this recipient, one decision after another."""
    transaction.all(_WAIT, notices_of(code))


def purge_stale_announcements(transaction: Transaction) -> None:
    """Take down notices at which nobody is at work. Whoever has just put one up does without it."""
    for (key,) in transaction.all(_LEFT, {}):
        transaction.run(_TAKE_DOWN, {"kind": Gate.TAKING_RIGHTS.value, "key": key})


def notices_of(code: str) -> Values:
    """Where the notices about a recipient lie."""
    first = _digest(code)
    return {"first_notice": first + bytes(_HALF), "last_notice": first + b"\xff" * _HALF}


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()[:_HALF]
