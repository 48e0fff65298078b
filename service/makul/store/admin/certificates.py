"""The certificates of recipients, as operators register them, one kind for each use."""

from datetime import datetime

from sqlalchemy import Table, bindparam, insert, select, update

from makul.app.ports import OperatorRegistryError
from makul.domain.identifiers import MemberCode
from makul.language.translation import mark, translate
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import micros
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import certificate, officer, sealing_certificate

_MESSAGES = select(certificate.c.fingerprint).where(
    certificate.c.fingerprint == bindparam("fingerprint")
)
_OFFICER = select(officer.c.fingerprint).where(officer.c.fingerprint == bindparam("fingerprint"))


class CertificateKind:
    """The certificates of one use: their table, the prefix of their acts and their messages.

    A withdrawn certificate cannot be registered again.
    """

    def __init__(
        self, table: Table, *, act_prefix: str, registered_before: str, not_in_use: str
    ) -> None:
        self._table = table
        self._act_prefix = act_prefix
        self._registered_before = registered_before
        self._not_in_use = not_in_use
        self._key_names = tuple(column.name for column in table.primary_key.columns)
        self._known = select(table.c.fingerprint).where(
            *(column == bindparam(column.name) for column in table.primary_key.columns)
        )
        self._in_use = (
            select(table.c.recipient, table.c.der)
            .where(table.c.withdrawn_at.is_(None))
            .order_by(table.c.recipient, table.c.added_at)
        )
        self._add = insert(table)
        self._withdraw = (
            update(table)
            .where(
                table.c.recipient == bindparam("key_recipient"),
                table.c.fingerprint == bindparam("key_fingerprint"),
                table.c.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=bindparam("withdrawn_at"))
        )

    def add(
        self,
        unit_of_work: RegistryUnitOfWork,
        recipient: MemberCode,
        fingerprint: bytes,
        der: bytes,
        *,
        at: datetime,
    ) -> None:
        """Register a certificate for a recipient. Raises `OperatorRegistryError` if it is known."""
        values = {
            "recipient": recipient,
            "fingerprint": fingerprint,
            "der": der,
            "added_at": micros(at),
            "withdrawn_at": None,
            "to_lock_by": None,
        }
        key = self._row_key(recipient, fingerprint)
        with unit_of_work.begin() as transaction:
            require_recipient(transaction, recipient)
            if transaction.fetch_one(self._known, key.key) is not None:
                raise OperatorRegistryError(translate(self._registered_before))
            if transaction.fetch_one(_OFFICER, {"fingerprint": fingerprint}) is not None:
                raise OperatorRegistryError(translate("this certificate is an officer's"))
            act = unit_of_work.act(transaction, key)
            transaction.execute(self._add, values)
            facts = {"fingerprint": fingerprint.hex()}
            act.write(f"{self._act_prefix}.add", recipient, facts, at=at)

    def withdraw(
        self,
        unit_of_work: RegistryUnitOfWork,
        recipient: MemberCode,
        fingerprint: bytes,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """Withdraw a certificate from this commit on; this cannot be undone.

        Stored answers that are encrypted to it are not given again.
        """
        values = {
            "key_recipient": recipient,
            "key_fingerprint": fingerprint,
            "withdrawn_at": micros(at),
        }
        facts = {"fingerprint": fingerprint.hex(), "reason": reason}
        with unit_of_work.begin(locking_recipient=recipient) as transaction:
            act = unit_of_work.act(transaction, self._row_key(recipient, fingerprint))
            if not transaction.execute(self._withdraw, values):
                raise OperatorRegistryError(translate(self._not_in_use))
            act.write(f"{self._act_prefix}.withdraw", recipient, facts, at=at)

    def in_use(self, database: Database) -> list[tuple[MemberCode, bytes]]:
        """Return the recipient and the DER of each certificate that is not withdrawn."""
        return [(MemberCode(row[0]), row[1]) for row in database.fetch_all(self._in_use, {})]

    def _row_key(self, recipient: MemberCode, fingerprint: bytes) -> RowKey:
        values = {"recipient": recipient, "fingerprint": fingerprint}
        return RowKey(self._table.name, {name: values[name] for name in self._key_names})


MESSAGE_CERTIFICATES = CertificateKind(
    certificate,
    act_prefix="certificate",
    registered_before=mark("this certificate is already registered or was withdrawn"),
    not_in_use=mark("this recipient has no such certificate in use"),
)
"""The certificates of a recipient's messages. One certificate belongs to one recipient."""

ENCRYPTION_CERTIFICATES = CertificateKind(
    sealing_certificate,
    act_prefix="sealing",
    registered_before=mark("this encryption certificate is already registered or was withdrawn"),
    not_in_use=mark("this recipient has no such encryption certificate in use"),
)
"""The certificates to which a recipient's data are encrypted. The newest one is used."""


def refuse_message_certificate(transaction: Transaction, fingerprint: bytes) -> None:
    """Raise `OperatorRegistryError` if a recipient's messages are signed with this certificate."""
    if transaction.fetch_one(_MESSAGES, {"fingerprint": fingerprint}) is not None:
        raise OperatorRegistryError(translate("this certificate is a recipient's"))
