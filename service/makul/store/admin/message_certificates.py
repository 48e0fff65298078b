"""The certificates under which a recipient signs its messages, as operators register them."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import OperatorRegistryError
from makul.domain.identifiers import MemberCode
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import micros
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import certificate

_KNOWN = select(certificate.c.fingerprint).where(
    certificate.c.fingerprint == bindparam("fingerprint")
)
IN_USE = (
    select(certificate.c.recipient, certificate.c.der)
    .where(certificate.c.withdrawn_at.is_(None))
    .order_by(certificate.c.recipient, certificate.c.added_at)
)
"""The recipient and the DER of each certificate that is not withdrawn."""
_ADD = insert(certificate)
_WITHDRAW = (
    update(certificate)
    .where(
        certificate.c.fingerprint == bindparam("key_fingerprint"),
        certificate.c.recipient == bindparam("key_recipient"),
        certificate.c.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=bindparam("withdrawn_at"))
)


def add(
    office: RegistryUnitOfWork,
    recipient: MemberCode,
    fingerprint: bytes,
    der: bytes,
    *,
    at: datetime,
) -> None:
    """Register a certificate for a recipient's messages.

    One certificate belongs to one recipient. A withdrawn certificate cannot be registered again.
    """
    values = {
        "fingerprint": fingerprint,
        "recipient": recipient,
        "der": der,
        "added_at": micros(at),
        "withdrawn_at": None,
        "to_lock_by": None,
    }
    with office.changing() as transaction:
        require_recipient(transaction, recipient)
        if transaction.one(_KNOWN, {"fingerprint": fingerprint}) is not None:
            raise OperatorRegistryError("this certificate is already registered or was withdrawn")
        act = office.act(transaction, _row_key(fingerprint))
        transaction.run(_ADD, values)
        act.write("certificate.add", recipient, {"fingerprint": fingerprint.hex()}, at=at)


def withdraw(
    office: RegistryUnitOfWork,
    recipient: MemberCode,
    fingerprint: bytes,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Withdraw a message certificate from this commit on; it cannot be registered again."""
    values = {
        "key_fingerprint": fingerprint,
        "key_recipient": recipient,
        "withdrawn_at": micros(at),
    }
    facts = {"fingerprint": fingerprint.hex(), "reason": reason}
    with office.changing(taking_from=recipient) as transaction:
        act = office.act(transaction, _row_key(fingerprint))
        if not transaction.run(_WITHDRAW, values):
            raise OperatorRegistryError("this recipient has no such certificate in use")
        act.write("certificate.withdraw", recipient, facts, at=at)


def _row_key(fingerprint: bytes) -> RowKey:
    return RowKey("certificate", {"fingerprint": fingerprint})
