"""Revocations signed by a sandbox's citizens, and the requests that hand them in."""

import base64
from datetime import timedelta
from uuid import UUID, uuid4

from makul.documents import render_revocation
from makul.domain.identifiers import MemberCode
from makul.domain.revocations import Revocation
from makul.trust.signing import sign_document
from support.house import RECIPIENT, InProcess


def revocation(
    house: InProcess,
    consent_id: UUID,
    *,
    of: int = 2,
    signer: int = 2,
    recipient: MemberCode | None = None,
) -> bytes:
    said = Revocation(
        consent_id=consent_id,
        subject=house.world.people[of].pin,
        recipient=recipient or house.bank.code,
        revoked_at=house.clock() - timedelta(minutes=1),
    )
    by = house.world.citizens[signer]
    return sign_document(
        render_revocation(said), by.key, [by.certificate], at=house.clock() - timedelta(minutes=1)
    )


def handing_in(document: bytes, request_id: UUID | None = None) -> bytes:
    return (
        f'<r:RevokeConsent xmlns:r="{RECIPIENT}"><r:requestId>{request_id or uuid4()}</r:requestId>'
        f"<r:revocationDocument>{base64.b64encode(document).decode()}</r:revocationDocument>"
        "</r:RevokeConsent>"
    ).encode()
