"""Signatories who may sign agreements and approvals for a party, and the documents they signed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import OperatorRegistryError, Signatory, SignedBytes
from makul.domain.agreements import AgreementRole
from makul.domain.identifiers import MemberCode
from makul.domain.officers import Officer
from makul.language.translation import translate
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Row, Transaction
from makul.store.db.codecs import instant, micros, pack, unpack
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.reads.desk_documents import (
    DESK_DOCUMENT,
    desk_document_associated_data,
    read_desk_document,
)
from makul.store.reads.officers import ALL_OFFICERS, officer_from_row
from makul.store.reads.person_headers import read_person_header, write_person_header
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import desk_document, signatory

_ALL = select(
    signatory.c.member,
    signatory.c.fingerprint,
    signatory.c.role,
    signatory.c.sealed,
    signatory.c.withdrawn_at,
).order_by(signatory.c.role, signatory.c.member, signatory.c.added_at)
_ADD = insert(signatory)
_WITHDRAW = (
    update(signatory)
    .where(
        signatory.c.member == bindparam("key_member"),
        signatory.c.fingerprint == bindparam("key_fingerprint"),
        signatory.c.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=bindparam("withdrawn_at"))
)
_MAY_SIGN = select(signatory.c.member).where(
    signatory.c.member == bindparam("member"),
    signatory.c.fingerprint == bindparam("fingerprint"),
    signatory.c.role == bindparam("role"),
    signatory.c.withdrawn_at.is_(None),
)
_KEEP = insert(desk_document)


def add(unit_of_work: RegistryUnitOfWork, new: Signatory, *, at: datetime) -> None:
    """Register a signatory for a party.

    One certificate, one key and one person may represent only one party in one role. This also
    applies to withdrawn signatories. Otherwise one signatory could sign an agreement for all three
    parties. An officer of a supervising body represents no other party.
    """
    facts = {
        "role": new.role.value,
        "fingerprint": new.fingerprint.hex(),
        "identifier": new.identifier,
        "name": new.name,
    }
    with unit_of_work.begin() as transaction:
        if new.role is AgreementRole.RECIPIENT:
            require_recipient(transaction, new.member)
        for row in transaction.fetch_all(_ALL, {}):
            _refuse_same_signatory(new, _from_row(unit_of_work.cipher, row))
        for row in transaction.fetch_all(ALL_OFFICERS, {}):
            if _is_same_person_elsewhere(new, officer_from_row(unit_of_work.cipher, row)):
                raise OperatorRegistryError(translate("this person is another party's officer"))
        values = {
            "member": new.member,
            "fingerprint": new.fingerprint,
            "role": new.role.value,
            "sealed": _encrypt_private(unit_of_work.cipher, new),
            "added_at": micros(at),
            "withdrawn_at": None,
        }
        act = unit_of_work.act(transaction, _row_key(new.member, new.fingerprint))
        transaction.execute(_ADD, values)
        act.write("signatory.add", new.member, facts, at=at)


def withdraw(
    unit_of_work: RegistryUnitOfWork,
    member: MemberCode,
    fingerprint: bytes,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Withdraw a signatory, who can never be registered again under this certificate."""
    values = {
        "key_member": member,
        "key_fingerprint": fingerprint,
        "withdrawn_at": micros(at),
    }
    facts = {"fingerprint": fingerprint.hex(), "reason": reason}
    with unit_of_work.begin() as transaction:
        act = unit_of_work.act(transaction, _row_key(member, fingerprint))
        if not transaction.execute(_WITHDRAW, values):
            raise OperatorRegistryError(translate("this member has no such signatory"))
        act.write("signatory.withdraw", member, facts, at=at)


def list_signatories(unit_of_work: RegistryUnitOfWork) -> Sequence[Signatory]:
    """Return every signatory, including withdrawn ones."""
    return [
        _from_row(unit_of_work.cipher, row) for row in unit_of_work.database.fetch_all(_ALL, {})
    ]


def refuse_signatory_of_another(
    transaction: Transaction, cipher: FieldCipher, new: Officer
) -> None:
    """Raise `OperatorRegistryError` if this officer is a signatory of another party."""
    for row in transaction.fetch_all(_ALL, {}):
        if _is_same_person_elsewhere(_from_row(cipher, row), new):
            raise OperatorRegistryError(translate("this person is another party's signatory"))


def may_sign(
    transaction: Transaction, member: str, fingerprint: bytes, role: AgreementRole
) -> bool:
    """Return whether this certificate belongs to a signatory of this member in this role now."""
    values = {"member": member, "fingerprint": fingerprint, "role": role.value}
    return transaction.fetch_one(_MAY_SIGN, values) is not None


def store_document(
    transaction: Transaction, cipher: FieldCipher, kind: str, signed: SignedBytes, *, at: datetime
) -> None:
    """Store a document's exact bytes and the report on it; the same bytes are stored once."""
    if transaction.fetch_one(DESK_DOCUMENT, {"digest": signed.digest}) is not None:
        return
    packed = pack({"v": 1}, [signed.document, signed.report])
    values = {
        "digest": signed.digest,
        "kind": kind,
        "sealed": cipher.encrypt(packed, desk_document_associated_data(signed.digest)),
        "kept_at": micros(at),
    }
    transaction.execute(_KEEP, values)


def read_document(unit_of_work: RegistryUnitOfWork, digest: bytes) -> SignedBytes | None:
    """Return a stored document; None if there is none."""
    return read_desk_document(unit_of_work.database, unit_of_work.cipher, digest)


def _refuse_same_signatory(new: Signatory, known: Signatory) -> None:
    if new.fingerprint == known.fingerprint:
        raise OperatorRegistryError(
            translate("this certificate is registered for a signatory already, or was withdrawn")
        )
    if (new.member, new.role) == (known.member, known.role):
        return
    if new.key_digest == known.key_digest:
        raise OperatorRegistryError(translate("this key is another party's signatory's"))
    if new.identifier == known.identifier:
        raise OperatorRegistryError(translate("this person is another party's signatory"))


def _is_same_person_elsewhere(signer: Signatory, officer: Officer) -> bool:
    """Return whether a signatory and an officer may be one person who acts for two parties."""
    return signer.member != officer.member and (
        signer.identifier == officer.identifier
        or signer.key_digest == officer.key_digest
        or signer.fingerprint == officer.fingerprint
    )


def _encrypt_private(cipher: FieldCipher, new: Signatory) -> bytes:
    header = write_person_header(new.identifier, new.name, new.not_after)
    return cipher.encrypt(
        pack(header, [new.key_digest]), _associated_data(new.member, new.fingerprint)
    )


def _from_row(cipher: FieldCipher, row: Row) -> Signatory:
    member, fingerprint, role, sealed, withdrawn_at = row
    header, parts = unpack(cipher.decrypt(sealed, _associated_data(member, fingerprint)))
    person = read_person_header(header)
    return Signatory(
        member=MemberCode(member),
        role=AgreementRole(role),
        identifier=person.identifier,
        name=person.name,
        fingerprint=fingerprint,
        key_digest=parts[0],
        withdrawn_at=instant(withdrawn_at) if withdrawn_at is not None else None,
        not_after=person.not_after,
    )


def document_row(digest: bytes) -> RowKey:
    """Return the row key of a document that is stored for an act."""
    return RowKey("desk_document", {"digest": digest})


def _row_key(member: str, fingerprint: bytes) -> RowKey:
    return RowKey("signatory", {"member": member, "fingerprint": fingerprint})


def _associated_data(member: str, fingerprint: bytes) -> bytes:
    return field_associated_data("signatory", "sealed", member.encode(), fingerprint)
