"""Agreements in force and approved notices, for tests of other subjects.

The store does not accept the operator's word that an agreement is in force: three signatories sign
here as well, only without XML and keys.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from makul.app.ports import (
    AgreementSignature,
    NamedParty,
    Notice,
    NoticeApproval,
    OperatorRegistry,
    Signatory,
    SignedBytes,
)
from makul.domain.agreements import Agreement, AgreementRole, AgreementState
from makul.domain.identifiers import MemberCode

AUTHORISED_BODY = MemberCode("GOV/70000009")
OPERATOR = MemberCode("GOV/70000001")
NOTICE_TEXTS = {
    "ky": "Макулдук".encode(),
    "ru": "Согласие".encode(),
    "en": b"Consent",
}


def a_signatory(member: MemberCode, role: AgreementRole, hand: str = "1") -> Signatory:
    """Return a signatory of a member; another `hand` is another person with another key."""
    name = f"{role.value} {member} {hand}"
    return Signatory(
        member=member,
        role=role,
        identifier=name,
        name=name,
        fingerprint=sha256(f"certificate of {name}".encode()).digest(),
        key_digest=sha256(f"key of {name}".encode()).digest(),
    )


def three(recipient: MemberCode) -> tuple[Signatory, Signatory, Signatory]:
    """Return the signatories of an agreement with a recipient."""
    return (
        a_signatory(AUTHORISED_BODY, AgreementRole.AUTHORISED_BODY),
        a_signatory(OPERATOR, AgreementRole.OPERATOR),
        a_signatory(recipient, AgreementRole.RECIPIENT),
    )


def register_signatory(
    registry: OperatorRegistry, signatory: Signatory, *, at: datetime
) -> Signatory:
    """Return the signatory, registered now if necessary."""
    if all(known.fingerprint != signatory.fingerprint for known in registry.signatories()):
        registry.add_signatory(signatory, at=at)
    return signatory


def draft(registry: OperatorRegistry, agreement: Agreement, *, at: datetime) -> bytes:
    """Draw up an agreement; return the digest that the parties sign."""
    document = f"<Agreement>{uuid4()}</Agreement>".encode()
    registry.draft_agreement(replace(agreement, state=AgreementState.DRAFT), document, at=at)
    return sha256(document).digest()


def a_signature(agreement: Agreement, digest: bytes, by: Signatory) -> AgreementSignature:
    """Return the record of a verified signature."""
    document = b"<Signed>%s %s</Signed>" % (digest.hex().encode(), by.fingerprint.hex().encode())
    return AgreementSignature(
        number=agreement.number,
        terms_digest=digest,
        role=by.role,
        member=by.member,
        signer=by.fingerprint,
        signed=SignedBytes(digest=sha256(document).digest(), document=document, report=b"{}"),
    )


def agree(registry: OperatorRegistry, agreement: Agreement, *, at: datetime) -> None:
    """Bring an agreement into force by three signatures, or into the named state."""
    digest = draft(registry, agreement, at=at)
    if agreement.state is AgreementState.IN_FORCE:
        for signatory in three(agreement.recipient):
            signer = register_signatory(registry, signatory, at=at)
            in_term = min(at, agreement.valid_to - timedelta(seconds=1))
            registry.sign_agreement(a_signature(agreement, digest, signer), at=in_term)
    if agreement.state is AgreementState.TERMINATED:
        registry.terminate_agreement(agreement.number, reason="for a test", at=at)


def approved_notice(
    registry: OperatorRegistry, ref: str, texts: Mapping[str, bytes], *, at: datetime
) -> Notice:
    """Register a notice and approve it as the authorised body."""
    registry.add_notice(ref, texts, at=at)
    notice = next(known for known in registry.notices() if known.ref == ref)
    signer = a_signatory(AUTHORISED_BODY, AgreementRole.AUTHORISED_BODY)
    register_signatory(registry, signer, at=at)
    approval = NoticeApproval(
        authorised_body=NamedParty(code=AUTHORISED_BODY, name="Authorised body"),
        ref=ref,
        digests=notice.digests,
    )
    document = f"<NoticeApproval>{ref}</NoticeApproval>".encode()
    signed = SignedBytes(digest=sha256(document).digest(), document=document, report=b"{}")
    registry.approve_notice(approval, signer.fingerprint, signed, at=at)
    return notice
