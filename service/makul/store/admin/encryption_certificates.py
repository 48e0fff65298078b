"""The certificates to which a recipient's data are encrypted, as operators register them."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import OperatorRegistryError
from makul.domain.identifiers import MemberCode
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import micros
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import sealing_certificate

_KNOWN = select(sealing_certificate.c.fingerprint).where(
    sealing_certificate.c.recipient == bindparam("recipient"),
    sealing_certificate.c.fingerprint == bindparam("fingerprint"),
)
IN_USE = (
    select(sealing_certificate.c.recipient, sealing_certificate.c.der)
    .where(sealing_certificate.c.withdrawn_at.is_(None))
    .order_by(sealing_certificate.c.recipient, sealing_certificate.c.added_at)
)
"""The recipient and the DER of each certificate that is not withdrawn."""
_ADD = insert(sealing_certificate)
_WITHDRAW = (
    update(sealing_certificate)
    .where(
        sealing_certificate.c.recipient == bindparam("key_recipient"),
        sealing_certificate.c.fingerprint == bindparam("key_fingerprint"),
        sealing_certificate.c.withdrawn_at.is_(None),
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
    """Register a certificate; the newest one is used from this commit on.

    A withdrawn certificate cannot be registered again.
    """
    key = {"recipient": recipient, "fingerprint": fingerprint}
    values = {"der": der, "added_at": micros(at), "withdrawn_at": None, "to_lock_by": None}
    with office.changing() as transaction:
        require_recipient(transaction, recipient)
        if transaction.one(_KNOWN, key) is not None:
            raise OperatorRegistryError(
                "this sealing certificate is already registered or was withdrawn"
            )
        act = office.act(transaction, RowKey("sealing_certificate", key))
        transaction.run(_ADD, {**key, **values})
        act.write("sealing.add", recipient, {"fingerprint": fingerprint.hex()}, at=at)


def withdraw(
    office: RegistryUnitOfWork,
    recipient: MemberCode,
    fingerprint: bytes,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Withdraw a certificate; this cannot be undone.

    Stored answers that are encrypted to it are not given again.
    """
    values = {
        "key_recipient": recipient,
        "key_fingerprint": fingerprint,
        "withdrawn_at": micros(at),
    }
    key = {"recipient": recipient, "fingerprint": fingerprint}
    facts = {"fingerprint": fingerprint.hex(), "reason": reason}
    with office.changing(taking_from=recipient) as transaction:
        act = office.act(transaction, RowKey("sealing_certificate", key))
        if not transaction.run(_WITHDRAW, values):
            raise OperatorRegistryError("this recipient has no such sealing certificate in use")
        act.write("sealing.withdraw", recipient, facts, at=at)
