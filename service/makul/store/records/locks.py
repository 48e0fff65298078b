"""Locks on database rows, by which transactions of one kind run one at a time.

SQLite lets only one transaction write at a time. On PostgreSQL a transaction locks a row of the
table `gate`. Each statement after the lock sees what every earlier holder of that lock has
committed.
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
from makul.store.schema.registry_tables import recipient
from makul.store.schema.usage_tables import gate

_LOCK = (
    select(gate.c.kind)
    .where(gate.c.kind == bindparam("kind"), gate.c.key == bindparam("key"))
    .with_for_update()
)
_INSERT = insert(gate)
_LOCK_RECIPIENT = (
    select(recipient.c.code).where(recipient.c.code == bindparam("recipient")).with_for_update()
)


_HALF_KEY_BYTES = 16
"""Half the length of an announcement's key, in bytes.

The key begins with the truncated digest of the recipient's code and ends with random bytes.
"""


class LockKind(StrEnum):
    """Kind of work of which one transaction runs at a time."""

    REGISTRY = "DESK"
    """Changes by the operator to the registry. They are few, and each reads before it writes."""
    FAILED_MATCHES = "FAILED_MATCHES"
    """Failed matches of one person, one recipient or one employee, while they are counted.

    Without this lock several concurrent guesses would each find one attempt left.
    """
    PENDING_REVOCATION = "TAKING_RIGHTS"
    """Announcements that a right of a recipient is about to be revoked."""


_ANNOUNCEMENTS = (
    gate.c.kind == LockKind.PENDING_REVOCATION.value,
    gate.c.key.between(bindparam("first_key"), bindparam("last_key")),
)
NO_ANNOUNCEMENT = ~exists().where(*_ANNOUNCEMENTS)
"""Condition that no revocation for a recipient is announced.

Its parameters come from `announcement_keys`.
"""

_LOCK_ANNOUNCEMENTS = select(gate.c.key).where(*_ANNOUNCEMENTS).with_for_update()
_STALE_ANNOUNCEMENTS = (
    select(gate.c.key)
    .where(gate.c.kind == LockKind.PENDING_REVOCATION.value)
    .with_for_update(skip_locked=True)
)
_DELETE_ANNOUNCEMENT = delete(gate).where(
    gate.c.kind == bindparam("kind"), gate.c.key == bindparam("key")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRevocationLock:
    """An announced revocation of a right of this recipient."""

    code: str
    announcement: bytes | None
    """The key of the announcement. None if the database runs one write transaction at a time."""


def acquire_lock(transaction: Transaction, which: LockKind, key: bytes = b"") -> None:
    """Acquire this lock; it is released when the transaction ends.

    The lock row is created on first use. If two transactions create it at once, one fails with a
    unique violation and is retried.
    """
    values = {"kind": which.value, "key": key}
    if transaction.fetch_one(_LOCK, values) is None:
        transaction.execute(_INSERT, values)


@contextmanager
def announce_revocation(database: Database, code: str) -> Iterator[PendingRevocationLock]:
    """Announce a pending revocation so that new decisions for this recipient wait for it.

    PostgreSQL grants share locks ahead of a waiting exclusive lock, so under constant load the
    revocation would starve. A decision that sees the announcement waits for the transaction that
    made it. The announcement of a killed process makes decisions for this recipient wait for each
    other, until housekeeping deletes it.
    """
    if not database.side_by_side:
        yield PendingRevocationLock(code=code, announcement=None)
        return
    announcement = _digest(code) + secrets.token_bytes(_HALF_KEY_BYTES)
    row = {"kind": LockKind.PENDING_REVOCATION.value, "key": announcement}
    database.run_transaction(lambda transaction: transaction.execute(_INSERT, row))
    try:
        yield PendingRevocationLock(code=code, announcement=announcement)
    finally:
        with suppress(StoreUnavailableError):
            database.run_transaction(
                lambda transaction: transaction.execute(_DELETE_ANNOUNCEMENT, row)
            )


def lock_for_revocation(transaction: Transaction, pending: PendingRevocationLock) -> None:
    """Wait for running decisions for this recipient, and block new ones until the commit.

    Each decision holds the recipient's row in share mode. Call this before any other lock that a
    decision may wait for, to avoid deadlocks. The commit deletes the announcement, and the
    decisions that wait for it continue.
    """
    if pending.announcement is not None:
        row = {"kind": LockKind.PENDING_REVOCATION.value, "key": pending.announcement}
        transaction.execute(_DELETE_ANNOUNCEMENT, row)
    transaction.fetch_one(_LOCK_RECIPIENT, {"recipient": pending.code})


def wait_for_revocations(transaction: Transaction, code: str) -> None:
    """Wait for announced revocations for this recipient.

    Waiting decisions continue one at a time.
    """
    transaction.fetch_all(_LOCK_ANNOUNCEMENTS, announcement_keys(code))


def purge_stale_announcements(transaction: Transaction) -> None:
    """Delete announcements whose process has ended.

    An announcement that is not locked yet may be deleted too. Its revocation then continues without
    it.
    """
    for (key,) in transaction.fetch_all(_STALE_ANNOUNCEMENTS, {}):
        transaction.execute(
            _DELETE_ANNOUNCEMENT, {"kind": LockKind.PENDING_REVOCATION.value, "key": key}
        )


def announcement_keys(code: str) -> Values:
    """Return the range of keys of the announcements for a recipient."""
    first = _digest(code)
    return {
        "first_key": first + bytes(_HALF_KEY_BYTES),
        "last_key": first + b"\xff" * _HALF_KEY_BYTES,
    }


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()[:_HALF_KEY_BYTES]
