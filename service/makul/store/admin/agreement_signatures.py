"""A party's signature under a draft, in the transaction of a command or of an act (cl. 7).

Only `record_signature` brings an agreement into force: in the transaction of the third signature.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import AgreementSignature
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.recipients import RecipientKind
from makul.domain.signature_rules import AgreementStanding, SigningCase, is_concluded
from makul.store.admin import signatories
from makul.store.db.base import Transaction
from makul.store.db.codecs import agreement_from_row, micros
from makul.store.encryption.fields import FieldCipher
from makul.store.reads.agreement_signatures import NEWEST_DRAFT, SIGNATURES
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import (
    AGREEMENT_COLUMNS,
    agreement,
    agreement_signature,
    recipient,
)

SIGNED_KIND = "AGREEMENT"

SET_AGREEMENT_STATE = (
    update(agreement)
    .where(agreement.c.number == bindparam("key_number"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_TERMS = (
    select(*AGREEMENT_COLUMNS, recipient.c.kind)
    .select_from(agreement.join(recipient, recipient.c.code == agreement.c.recipient))
    .where(agreement.c.number == bindparam("number"))
)
_CHANGED_AT = select(agreement.c.changed_at).where(agreement.c.number == bindparam("number"))
_ADD_SIGNATURE = insert(agreement_signature)
_SIGNED_ALREADY = select(agreement_signature.c.recorded_at).where(
    agreement_signature.c.number == bindparam("number"),
    agreement_signature.c.terms_digest == bindparam("terms_digest"),
    agreement_signature.c.role == bindparam("role"),
    agreement_signature.c.signer == bindparam("signer"),
)


def signing_case(
    transaction: Transaction, signature: AgreementSignature, *, at: datetime
) -> SigningCase:
    """Return the rows by which a signature is judged. All may have changed since it was made."""
    known = transaction.fetch_one(_TERMS, {"number": signature.number})
    newest = transaction.fetch_one(NEWEST_DRAFT, {"number": signature.number})
    standing = None
    if known is not None:
        *row, kind = known
        terms = agreement_from_row(tuple(row))
        standing = AgreementStanding(
            recipient=terms.recipient,
            state=terms.state,
            valid_to=terms.valid_to,
            lacks_competence=bool(terms.purposes_without_competence(RecipientKind(kind))),
            newest_draft=newest[0] if newest is not None else None,
        )
    return SigningCase(
        agreement=standing,
        role=signature.role,
        member=signature.member,
        draft=signature.terms_digest,
        is_signatory=signatories.may_sign(
            transaction, signature.member, signature.signer, signature.role
        ),
        signed_before=transaction.fetch_one(_SIGNED_ALREADY, _key(signature)) is not None,
        at=at,
    )


def signature_rows(signature: AgreementSignature) -> tuple[RowKey, RowKey, RowKey]:
    """Return the keys of the rows that a signature adds or changes."""
    return (
        agreement_row(signature.number),
        RowKey("agreement_signature", _key(signature)),
        signatories.document_row(signature.signed.digest),
    )


def record_signature(
    transaction: Transaction, cipher: FieldCipher, signature: AgreementSignature, *, at: datetime
) -> AgreementState:
    """Store a signature that was judged in this transaction; return the agreement's new state."""
    number = signature.number
    signatories.store_document(transaction, cipher, SIGNED_KIND, signature.signed, at=at)
    recorded = {
        **_key(signature),
        "member": signature.member,
        "document": signature.signed.digest,
        "recorded_at": micros(at),
    }
    transaction.execute(_ADD_SIGNATURE, recorded)
    if not _all_have_signed(transaction, number, signature.terms_digest):
        return AgreementState.DRAFT
    state = AgreementState.IN_FORCE
    changed_at = next_change(transaction, number, at)
    changed = {"key_number": number, "state": state.value, "changed_at": changed_at}
    transaction.execute(SET_AGREEMENT_STATE, changed)
    return state


def agreement_row(number: str) -> RowKey:
    """Return the row key of an agreement."""
    return RowKey("agreement", {"number": number})


def next_change(transaction: Transaction, number: str, at: datetime) -> int:
    """Return the time of a change, which no earlier state of the agreement had.

    The clock may have stood still or been set back. A proposed termination is that of the state
    with this very time (`termination_proposal`).
    """
    (changed_at,) = transaction.fetch_one(_CHANGED_AT, {"number": number}) or (0,)
    return max(micros(at), int(changed_at) + 1)


def _all_have_signed(transaction: Transaction, number: str, digest: bytes) -> bool:
    """Return whether all three roles have signed, by signatories who may sign at this moment."""
    rows = transaction.fetch_all(SIGNATURES, {"number": number, "terms_digest": digest})
    return is_concluded(
        {signer: AgreementRole(role) for role, _, signer, _, gone in rows if gone is None}
    )


def _key(signature: AgreementSignature) -> Mapping[str, object]:
    return {
        "number": signature.number,
        "terms_digest": signature.terms_digest,
        "role": signature.role.value,
        "signer": signature.signer,
    }
