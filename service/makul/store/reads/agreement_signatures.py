"""The signatures of the parties under an agreement (cl. 7), and the statements that read them."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from makul.app.ports import RecordedSignature
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.store.db.base import Database
from makul.store.db.codecs import instant
from makul.store.schema.registry_tables import (
    agreement,
    agreement_draft,
    agreement_signature,
    signatory,
)

STANDING = select(agreement.c.recipient, agreement.c.state, agreement.c.valid_to).where(
    agreement.c.number == bindparam("number")
)

NEWEST_DRAFT = (
    select(agreement_draft.c.terms_digest, agreement_draft.c.drafted_at)
    .where(agreement_draft.c.number == bindparam("number"))
    .order_by(agreement_draft.c.drafted_at.desc())
    .limit(1)
)

SIGNATURES = (
    select(
        agreement_signature.c.role,
        agreement_signature.c.member,
        agreement_signature.c.signer,
        agreement_signature.c.recorded_at,
        signatory.c.withdrawn_at,
    )
    .select_from(
        agreement_signature.join(
            signatory,
            (signatory.c.member == agreement_signature.c.member)
            & (signatory.c.fingerprint == agreement_signature.c.signer),
        )
    )
    .where(
        agreement_signature.c.number == bindparam("number"),
        agreement_signature.c.terms_digest == bindparam("terms_digest"),
    )
    .order_by(agreement_signature.c.recorded_at)
)


def list_signatures(database: Database, number: AgreementNumber) -> Sequence[RecordedSignature]:
    """Return the signatures under the newest draft, earliest first.

    For a draft, only signatures of signatories who are not withdrawn count. For an agreement in
    force, all its signatures are returned.
    """
    newest = database.fetch_one(NEWEST_DRAFT, {"number": number})
    agreement = database.fetch_one(STANDING, {"number": number})
    if newest is None or agreement is None:
        return []
    rows = database.fetch_all(SIGNATURES, {"number": number, "terms_digest": newest[0]})
    is_draft = agreement[1] == AgreementState.DRAFT.value
    return [
        RecordedSignature(
            role=AgreementRole(role),
            member=MemberCode(member),
            signer=signer,
            recorded_at=instant(recorded_at),
        )
        for role, member, signer, recorded_at, withdrawn_at in rows
        if withdrawn_at is None or not is_draft
    ]
