"""Notices: what subjects read before they consent, and the approval of these texts (cl. 4)."""

from collections.abc import Mapping, Sequence
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
from makul.language.translation import translate
from makul.store.admin import signatories
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import instant, micros
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import notice_approval, notice_text

APPROVAL_KIND = "NOTICE_APPROVAL"

_KNOWN = select(notice_text.c.language, notice_text.c.digest).where(
    notice_text.c.ref == bindparam("ref")
)
_ALL = (
    select(
        notice_text.c.ref,
        notice_text.c.language,
        notice_text.c.digest,
        notice_text.c.text,
        notice_text.c.added_at,
        notice_approval.c.approved_at,
    )
    .select_from(notice_text.outerjoin(notice_approval, notice_approval.c.ref == notice_text.c.ref))
    .order_by(notice_text.c.ref, notice_text.c.language)
)
_ADD = insert(notice_text)
_APPROVED = select(notice_approval.c.approved_at).where(notice_approval.c.ref == bindparam("ref"))
_APPROVE = insert(notice_approval)


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
    ref, body = approval.ref, approval.authorised_body.code
    with unit_of_work.begin() as transaction:
        known: dict[str, bytes] = dict(transaction.fetch_all(_KNOWN, {"ref": ref}))
        if not known:
            raise OperatorRegistryError(translate("no notice of this number is registered"))
        if known != dict(approval.digests):
            raise OperatorRegistryError(
                translate("the approval is of other texts than those registered")
            )
        if transaction.fetch_one(_APPROVED, {"ref": ref}) is not None:
            raise OperatorRegistryError(translate("this notice is approved already"))
        if not signatories.may_sign(transaction, body, signer, AgreementRole.AUTHORISED_BODY):
            raise OperatorRegistryError(
                translate("the signer is not a signatory of the authorised body")
            )
        document = signatories.document_row(signed.digest)
        act = unit_of_work.act(transaction, RowKey("notice_approval", {"ref": ref}), document)
        signatories.store_document(transaction, unit_of_work.cipher, APPROVAL_KIND, signed, at=at)
        values = {
            "ref": ref,
            "texts_digest": _digest_of_texts(known),
            "document": signed.digest,
            "signer": signer,
            "approved_at": micros(at),
        }
        transaction.execute(_APPROVE, values)
        facts = {"signer": signer.hex(), "document": signed.digest.hex()}
        act.write("notice.approve", ref, facts, at=at)


def list_notices(unit_of_work: RegistryUnitOfWork) -> Sequence[Notice]:
    """Return every notice, by number."""
    by_ref: dict[str, list[tuple[str, bytes, str, int, int | None]]] = {}
    for ref, *row in unit_of_work.database.fetch_all(_ALL, {}):
        by_ref.setdefault(ref, []).append(tuple(row))
    return [
        Notice(
            ref=ref,
            texts={language: text.encode() for language, _, text, _, _ in rows},
            digests={language: digest for language, digest, _, _, _ in rows},
            added_at=instant(rows[0][3]),
            approved_at=instant(rows[0][4]) if rows[0][4] is not None else None,
        )
        for ref, rows in by_ref.items()
    ]


def _digest_of_texts(digests: Mapping[str, bytes]) -> bytes:
    """Return the SHA-256 over the digests of ky, ru and en, in that order."""
    return sha256(b"".join(digests[language] for language in NOTICE_LANGUAGES)).digest()
