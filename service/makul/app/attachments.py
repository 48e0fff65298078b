"""Attachments of a consent: its scan, and the proof of a representative's authority (cl. 4).

They come with RegisterConsent. An attachment counts if the consent binds it by digest and its
content has the stated media type. Afterwards the registration itself shows that the attachments are
held. A consent that was not registered has none, even if another request carried the same bytes.
"""

import hashlib
from dataclasses import dataclass

from makul.app.ports import Documents, Evidence
from makul.app.requests import PresentedConsent
from makul.domain.consents import Consent

SCAN, AUTHORITY = "SCAN", "AUTHORITY"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentFindings:
    """The result of judging a consent's attachments, and the evidence that is kept of them."""

    scan_held: bool = False
    authority_held: bool = False
    evidence: tuple[Evidence, ...] = ()


def judge_attachments(
    consent: Consent, presented: PresentedConsent | None, documents: Documents, *, registered: bool
) -> AttachmentFindings:
    """Judge the attachments of a consent.

    One that is not bound to it is neither believed nor kept.
    """
    scan = authority = None
    if presented is not None and consent.paper is not None:
        paper = consent.paper
        scan = _judge_attachment(
            SCAN, presented.scan, paper.scan_digest, paper.media_type, documents
        )
    if presented is not None and consent.representative is not None:
        by = consent.representative
        authority = _judge_attachment(
            AUTHORITY, presented.authority, by.document_digest, by.media_type, documents
        )
    return AttachmentFindings(
        scan_held=registered or scan is not None,
        authority_held=registered or authority is not None,
        evidence=tuple(piece for piece in (scan, authority) if piece is not None),
    )


def _judge_attachment(
    kind: str, content: bytes | None, digest: bytes, media_type: str, documents: Documents
) -> Evidence | None:
    if content is None or hashlib.sha256(content).digest() != digest:
        return None
    if documents.media_type(content) != media_type:
        return None
    report = b'{"mediaType":"%s"}' % media_type.encode()
    return Evidence(digest=digest, kind=kind, document=content, report=report)
