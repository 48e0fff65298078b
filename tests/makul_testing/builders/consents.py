"""Signers of consents of a service, revocations by its citizens, and requests with them."""

import base64
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from makul.documents import render_revocation
from makul.domain.consent_revocations import Revocation
from makul.domain.identifiers import MemberCode
from makul.trust.xades.signing import sign_document
from makul_sandbox.world.signers import NOTICE, SandboxSigners
from makul_testing.in_process_service import RECIPIENT, InProcessService


def signers_of(installation: InProcessService) -> SandboxSigners:
    """Return everybody who signs documents of a service."""
    world = installation.world
    return SandboxSigners(
        people=world.people,
        citizens=world.citizens,
        officials=world.officials,
        stranger=world.stranger,
        notice_digest=sha256(NOTICE.encode()).digest(),
        at=world.made_at,
    )


def revocation(
    installation: InProcessService,
    consent_id: UUID,
    *,
    of: int = 2,
    signer: int = 2,
    recipient: MemberCode | None = None,
) -> bytes:
    revocation = Revocation(
        consent_id=consent_id,
        subject=installation.world.people[of].pin,
        recipient=recipient or installation.bank.code,
        revoked_at=installation.clock() - timedelta(minutes=1),
    )
    by = installation.world.citizens[signer]
    return sign_document(
        render_revocation(revocation),
        by.key,
        [by.certificate],
        at=installation.clock() - timedelta(minutes=1),
    )


def build_revocation_request(document: bytes, request_id: UUID | None = None) -> bytes:
    return (
        f'<r:RevokeConsent xmlns:r="{RECIPIENT}"><r:requestId>{request_id or uuid4()}</r:requestId>'
        f"<r:revocationDocument>{base64.b64encode(document).decode()}</r:revocationDocument>"
        "</r:RevokeConsent>"
    ).encode()
