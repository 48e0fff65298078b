"""The recipients, as operators register them, and their state."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import OperatorRegistryError
from makul.domain.identifiers import MemberCode
from makul.domain.recipients import Recipient, RecipientState
from makul.language.translation import translate
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Transaction
from makul.store.db.codecs import agreement_from_row, micros
from makul.store.reads.registry import recipient_from_row
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import AGREEMENT_COLUMNS, agreement, recipient

_KNOWN = select(recipient.c.code).where(recipient.c.code == bindparam("code"))
_STATE = select(recipient.c.state).where(recipient.c.code == bindparam("code"))
_ALL = select(recipient.c.code, recipient.c.kind, recipient.c.name, recipient.c.state).order_by(
    recipient.c.code
)
_ADD = insert(recipient)
_SET_STATE = (
    update(recipient)
    .where(recipient.c.code == bindparam("key_code"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)


_RENAME = (
    update(recipient)
    .where(recipient.c.code == bindparam("key_code"))
    .values(name=bindparam("name"), changed_at=bindparam("changed_at"))
)
_AGREEMENTS = select(*AGREEMENT_COLUMNS).where(agreement.c.recipient == bindparam("recipient"))


def is_registered(transaction: Transaction, code: MemberCode) -> bool:
    """Return whether a recipient is registered, in any state."""
    return transaction.fetch_one(_KNOWN, {"code": code}) is not None


def require_recipient(transaction: Transaction, code: MemberCode) -> None:
    """Raise `OperatorRegistryError` if this recipient is not registered."""
    if not is_registered(transaction, code):
        raise OperatorRegistryError(translate("this recipient is not registered"))


def add(unit_of_work: RegistryUnitOfWork, new: Recipient, *, at: datetime) -> None:
    """Register a recipient; raises `OperatorRegistryError` if it is registered already."""
    facts = {"kind": new.kind.value, "name": new.name, "state": new.state.value}
    with unit_of_work.begin() as transaction:
        if is_registered(transaction, new.code):
            raise OperatorRegistryError(translate("this recipient is already registered"))
        act = unit_of_work.act(transaction, _row_key(new.code))
        values = {**facts, "changed_at": micros(at), "to_lock_by": None}
        transaction.execute(_ADD, {"code": new.code, **values})
        act.write("recipient.add", new.code, facts, at=at)


def set_state(
    unit_of_work: RegistryUnitOfWork, changed: Recipient, *, reason: str, at: datetime
) -> None:
    """Set a recipient's state: active, on hold, cut off or removed.

    The state applies to everything that is ordered after its commit. A cut-off is the authorised
    body's, and the operator cannot end it. A recipient is removed only if no agreement binds it.
    Raises `OperatorRegistryError`.
    """
    state = changed.state.value
    values = {"key_code": changed.code, "state": state, "changed_at": micros(at)}
    with unit_of_work.begin(locking_recipient=changed.code) as transaction:
        known = transaction.fetch_one(_STATE, {"code": changed.code})
        if known is None:
            raise OperatorRegistryError(translate("this recipient is not registered"))
        if known[0] == RecipientState.CUT_OFF.value:
            raise OperatorRegistryError(
                translate(
                    "{code} was cut off by the authorised body (cl. 12); the operator cannot"
                    " change that",
                    code=changed.code,
                )
            )
        if changed.state is RecipientState.REMOVED:
            _require_unbound(transaction, changed.code, at)
        act = unit_of_work.act(transaction, _row_key(changed.code))
        transaction.execute(_SET_STATE, values)
        act.write("recipient.state", changed.code, {"state": state, "reason": reason}, at=at)


def rename(
    unit_of_work: RegistryUnitOfWork, code: MemberCode, name: str, *, reason: str, at: datetime
) -> None:
    """Give a recipient another name from now on. Raises `OperatorRegistryError`.

    The act states both names. What was signed under the former name keeps it. Grounds name a
    recipient by its code, so they stay valid.
    """
    with unit_of_work.begin() as transaction:
        require_recipient(transaction, code)
        act = unit_of_work.act(transaction, _row_key(code))
        values = {"key_code": code, "name": name, "changed_at": micros(at)}
        transaction.execute(_RENAME, values)
        act.write("recipient.rename", code, {"name": name, "reason": reason}, at=at)


def _require_unbound(transaction: Transaction, code: MemberCode, at: datetime) -> None:
    for row in transaction.fetch_all(_AGREEMENTS, {"recipient": code}):
        found = agreement_from_row(row)
        if found.may_bind(at):
            raise OperatorRegistryError(
                translate(
                    "{code} has the agreement {number}; terminate it first, or wait for its end",
                    code=code,
                    number=found.number,
                )
            )


def everyone(unit_of_work: RegistryUnitOfWork) -> Sequence[Recipient]:
    """Return every recipient, by code."""
    return [
        recipient_from_row(MemberCode(row[0]), row[1:])
        for row in unit_of_work.database.fetch_all(_ALL, {})
    ]


def _row_key(code: MemberCode) -> RowKey:
    return RowKey("recipient", {"code": code})
