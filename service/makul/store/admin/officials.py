"""The officials of recipients, who sign basis statements (cl. 5), as operators register them."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select

from makul.app.ports import Official, OperatorRegistryError
from makul.domain.identifiers import MemberCode
from makul.language.translation import translate
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import micros
from makul.store.reads.registry import encrypt_official
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import official, official_withdrawal

_KNOWN = select(official.c.fingerprint).where(
    official.c.recipient == bindparam("recipient"),
    official.c.fingerprint == bindparam("fingerprint"),
)
_ADD = insert(official)
_WITHDRAWN = select(official_withdrawal.c.withdrawn_at).where(
    official_withdrawal.c.recipient == bindparam("recipient"),
    official_withdrawal.c.fingerprint == bindparam("fingerprint"),
)
_WITHDRAW = insert(official_withdrawal)


def add(unit_of_work: RegistryUnitOfWork, new: Official, *, at: datetime) -> None:
    """Register a person of a recipient who signs basis statements."""
    code, fingerprint = new.recipient, new.fingerprint
    sealed = encrypt_official(unit_of_work.cipher, new)
    key = {"recipient": code, "fingerprint": fingerprint}
    facts = {"fingerprint": fingerprint.hex(), "identifier": new.identifier, "name": new.name}
    with unit_of_work.begin() as transaction:
        require_recipient(transaction, code)
        if transaction.fetch_one(_KNOWN, key) is not None:
            raise OperatorRegistryError(
                translate("this official's certificate is already registered")
            )
        act = unit_of_work.act(transaction, RowKey("official", key))
        transaction.execute(_ADD, {**key, "sealed": sealed, "added_at": micros(at)})
        act.write("official.add", code, facts, at=at)


def withdraw(
    unit_of_work: RegistryUnitOfWork,
    recipient: MemberCode,
    fingerprint: bytes,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Withdraw an official, whose signatures do not count from this commit on.

    The official cannot be registered again.
    """
    key = {"recipient": recipient, "fingerprint": fingerprint}
    facts = {"fingerprint": fingerprint.hex(), "reason": reason}
    with unit_of_work.begin(locking_recipient=recipient) as transaction:
        if transaction.fetch_one(_KNOWN, key) is None:
            raise OperatorRegistryError(translate("this recipient has no such official"))
        if transaction.fetch_one(_WITHDRAWN, key) is not None:
            raise OperatorRegistryError(translate("this official was withdrawn before"))
        act = unit_of_work.act(transaction, RowKey("official_withdrawal", key))
        transaction.execute(_WITHDRAW, {**key, "withdrawn_at": micros(at)})
        act.write("official.withdraw", recipient, facts, at=at)
