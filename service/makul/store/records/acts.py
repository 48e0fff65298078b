"""Acts: each change of a right, with its actor, its time and its rows (invariant 13).

An act is recorded in the transaction of the change itself, with its own leaf. It states every row
before and after the change. So an operator cannot later deny it, alter what it did, or give a right
without an act. Acts are written one at a time (`LockKind.REGISTRY`), so their numbers have no gaps.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select

from makul.ledger.leaf import SALT_BYTES, commit
from makul.ledger.leaf_statement import write_act
from makul.store.db.base import Transaction
from makul.store.db.codecs import micros, pack
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.records.audit_log import AuditLog
from makul.store.records.row_images import TABLE_IMAGES, Image, state_value
from makul.store.schema.ledger_tables import act, ledger_leaf, ledger_queue

_ADD_ACT = insert(act)
_ADD_LEAF = insert(ledger_leaf)
_QUEUE_LEAF = insert(ledger_queue)
_LAST_NUMBER = select(func.max(act.c.number))
_HAS_ACT = select(act.c.number).where(act.c.number == bindparam("number"))

FIRST_NUMBER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row that an act changed. None means that the row does not exist."""

    table: str
    key: Mapping[str, object]
    before: Image | None
    after: Image | None

    def state(self) -> list[object]:
        """Return the change as plain values for the statement of the act."""
        key = {name: state_value(value) for name, value in self.key.items()}
        return [self.table, key, self.before, self.after]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act of an operator, in words and in rows."""

    who: str
    kind: str
    target: str
    facts: Mapping[str, object]
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class RowKey:
    """The primary key of a row that an act is about to change."""

    table: str
    key: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedAct:
    """An act that was written in the transaction: its id and the hash of its leaf."""

    act_id: uuid.UUID
    leaf_hash: bytes


class PendingAct:
    """An act that is in progress.

    A row is read when it is tracked, which must be before the change, and again when the act is
    written.
    """

    def __init__(
        self,
        transaction: Transaction,
        cipher: FieldCipher,
        actor: AuditLog | str,
        rows: Sequence[RowKey],
    ) -> None:
        """`actor` is the log of the operator, or the name of another party, which has no log."""
        self._transaction = transaction
        self._cipher = cipher
        self._actor = actor
        self._rows: list[tuple[RowKey, Image | None]] = []
        self.track(*rows)

    def track(self, *rows: RowKey) -> None:
        """Read rows that are about to change."""
        for row in rows:
            self._rows.append((row, _read_image(self._transaction, self._cipher, row)))

    def write(
        self, kind: str, target: str, facts: Mapping[str, object], *, at: datetime
    ) -> AddedAct:
        """Record the act, and its entry in the operator's log if the operator acts."""
        who = self._actor
        if isinstance(who, AuditLog):
            who.write(self._transaction, kind, target, facts, at=at)
            who = who.who
        after = [(row, _read_image(self._transaction, self._cipher, row)) for row, _ in self._rows]
        changes = [
            Change(table=row.table, key=row.key, before=was, after=now)
            for (row, was), (_, now) in zip(self._rows, after, strict=True)
            if was != now
        ]
        new_act = Act(who=who, kind=kind, target=target, facts=facts, changes=changes)
        return add_act(self._transaction, self._cipher, new_act, at=at)


def add_act(
    transaction: Transaction, cipher: FieldCipher, new_act: Act, *, at: datetime
) -> AddedAct:
    """Write the row of an act and its leaf, and add the leaf to the sequencer's queue.

    Call it while the lock `LockKind.REGISTRY` is held. Without it, two concurrent acts would get
    the same number.
    """
    act_id = uuid.uuid4()
    number = _next_number(transaction)
    salt = secrets.token_bytes(SALT_BYTES)
    statement = write_act(
        {
            "actId": str(act_id),
            "number": number,
            "kind": new_act.kind,
            "at": micros(at),
            "who": new_act.who,
            "target": new_act.target,
            "facts": dict(new_act.facts),
            "changes": [change.state() for change in new_act.changes],
        }
    )
    row = {
        "act_id": act_id.bytes,
        "number": number,
        "at": micros(at),
        "who": new_act.who,
        "kind": new_act.kind,
        "target": new_act.target,
        "sealed": cipher.encrypt(
            pack({"v": 1}, [salt, statement]), act_associated_data(act_id.bytes)
        ),
    }
    leaf = {
        "disclosure_id": act_id.bytes,
        "leaf_hash": commit(salt, statement),
        "recorded_at": micros(at),
    }
    transaction.execute(_ADD_ACT, row)
    transaction.execute(_ADD_LEAF, leaf)
    transaction.execute(_QUEUE_LEAF, leaf)
    return AddedAct(act_id=act_id, leaf_hash=commit(salt, statement))


def has_acts(transaction: Transaction) -> bool:
    """Return whether the store has its first act, which is the baseline."""
    return transaction.fetch_one(_HAS_ACT, {"number": FIRST_NUMBER}) is not None


def act_associated_data(act_id: bytes) -> bytes:
    """Return the associated data of an act's encrypted part."""
    return field_associated_data("act", "sealed", act_id)


def _next_number(transaction: Transaction) -> int:
    row = transaction.fetch_one(_LAST_NUMBER, {})
    last = row[0] if row is not None else None
    return FIRST_NUMBER if last is None else int(last) + 1


def _read_image(transaction: Transaction, cipher: FieldCipher, row: RowKey) -> Image | None:
    table_images = TABLE_IMAGES[row.table]
    stored_row = transaction.fetch_one(table_images.select_one, row.key)
    return (
        table_images.image(cipher, table_images.named(stored_row))
        if stored_row is not None
        else None
    )
