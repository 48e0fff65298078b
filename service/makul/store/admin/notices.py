"""Notices: what subjects read before they consent, and the approval of these texts (cl. 4)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, insert, select

from makul.app.ports import (
    NOTICE_LANGUAGES,
    Notice,
    NoticeApproval,
    OperatorRegistryError,
    SignedBytes,
)
from makul.domain.agreements import AgreementRole
from makul.domain.signature_rules import ApprovalCase, ApprovalFault, judge_approval
from makul.language.translation import mark, translate
from makul.store.admin import signatories
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import notice_approval, notice_text

APPROVAL_KIND = "NOTICE_APPROVAL"

_KNOWN = select(notice_text.c.language, notice_text.c.digest).where(
    notice_text.c.ref == bindparam("ref")
)
_ADD = insert(notice_text)
_APPROVED = select(notice_approval.c.approved_at).where(notice_approval.c.ref == bindparam("ref"))
_APPROVE = insert(notice_approval)

_APPROVAL_FAULTS: Mapping[ApprovalFault, str] = {
    ApprovalFault.UNKNOWN: mark("no notice of this number is registered"),
    ApprovalFault.OTHER_TEXTS: mark("the approval is of other texts than those registered"),
    ApprovalFault.APPROVED_BEFORE: mark("this notice is approved already"),
    ApprovalFault.NOT_SIGNATORY: mark("the signer is not a signatory of the authorised body"),
}


def add(
    unit_of_work: RegistryUnitOfWork, ref: str, texts: Mapping[str, bytes], *, at: datetime
) -> None:
    """Register a notice. Its texts never change: another text needs another number."""
    if set(texts) != set(NOTICE_LANGUAGES):
        raise OperatorRegistryError(translate("a notice is one text in each of ky, ru and en"))
    digests = Notice.of(ref, texts, added_at=at).digests
    with unit_of_work.begin() as transaction:
        if transaction.fetch_one(_KNOWN, {"ref": ref}) is not None:
            raise OperatorRegistryError(translate("this notice is already registered"))
        rows = (RowKey("notice_text", {"ref": ref, "language": each}) for each in texts)
        act = unit_of_work.act(transaction, *rows)
        for language, text in texts.items():
            values = {
                "ref": ref,
                "language": language,
                "digest": digests[language],
                "text": text.decode(),
                "added_at": micros(at),
            }
            transaction.execute(_ADD, values)
        facts = {language: digest.hex() for language, digest in digests.items()}
        act.write("notice.add", ref, facts, at=at)


def approve(
    unit_of_work: RegistryUnitOfWork,
    approval: NoticeApproval,
    signer: bytes,
    signed: SignedBytes,
    *,
    at: datetime,
) -> None:
    """Record the authorised body's approval of exactly the registered texts."""
    with unit_of_work.begin() as transaction:
        fault = judge_approval(approval_case(transaction, approval, signer))
        if fault is not None:
            raise OperatorRegistryError(translate(_APPROVAL_FAULTS[fault]))
        act = unit_of_work.act(transaction, *approval_rows(approval, signed))
        record_approval(transaction, unit_of_work.cipher, approval, signer, signed, at=at)
        facts = {"signer": signer.hex(), "document": signed.digest.hex()}
        act.write("notice.approve", approval.ref, facts, at=at)


def approval_case(
    transaction: Transaction, approval: NoticeApproval, signer: bytes
) -> ApprovalCase:
    """Return the rows by which an approval is judged."""
    ref, body = approval.ref, approval.authorised_body.code
    return ApprovalCase(
        registered=dict(transaction.fetch_all(_KNOWN, {"ref": ref})),
        approved=approval.digests,
        approved_before=transaction.fetch_one(_APPROVED, {"ref": ref}) is not None,
        is_signatory=signatories.may_sign(transaction, body, signer, AgreementRole.AUTHORISED_BODY),
    )


def approval_rows(approval: NoticeApproval, signed: SignedBytes) -> tuple[RowKey, RowKey]:
    """Return the keys of the rows that an approval adds."""
    return (
        RowKey("notice_approval", {"ref": approval.ref}),
        signatories.document_row(signed.digest),
    )


def record_approval(
    transaction: Transaction,
    cipher: FieldCipher,
    approval: NoticeApproval,
    signer: bytes,
    signed: SignedBytes,
    *,
    at: datetime,
) -> None:
    """Store an approval that was judged in this transaction."""
    signatories.store_document(transaction, cipher, APPROVAL_KIND, signed, at=at)
    values = {
        "ref": approval.ref,
        "texts_digest": _digest_of_texts(approval.digests),
        "document": signed.digest,
        "signer": signer,
        "approved_at": micros(at),
    }
    transaction.execute(_APPROVE, values)


def _digest_of_texts(digests: Mapping[str, bytes]) -> bytes:
    """Return the SHA-256 over the digests of ky, ru and en, in that order."""
    return sha256(b"".join(digests[language] for language in NOTICE_LANGUAGES)).digest()
