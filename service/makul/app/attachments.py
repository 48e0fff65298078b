"""The papers behind a consent: its scan, and the document of a representative's authority (cl. 4).

They come with RegisterConsent, and count where they are bound to the consent by digest and are by
content what it says they are. Afterwards the registration itself tells that they are held; a
consent that was not registered has none, whoever else handed in the same bytes.
"""

import hashlib
from dataclasses import dataclass

from makul.app.ports import Documents, Evidence
from makul.app.requests import PresentedConsent
from makul.domain.consents import Consent

SCAN, AUTHORITY = "SCAN", "AUTHORITY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What a consent's papers prove, and the evidence that is kept of them."""

    scan_held: bool = False
    authority_held: bool = False
    evidence: tuple[Evidence, ...] = ()


def attached(
    consent: Consent, presented: PresentedConsent | None, documents: Documents, *, registered: bool
) -> Attached:
    """Judge the papers of a consent; what is not bound to it is neither believed nor kept."""
    scan = authority = None
    if presented is not None and consent.paper is not None:
        said = consent.paper
        scan = _bound(SCAN, presented.scan, said.scan_digest, said.media_type, documents)
    if presented is not None and consent.representative is not None:
        by = consent.representative
        authority = _bound(
            AUTHORITY, presented.authority, by.document_digest, by.media_type, documents
        )
    return Attached(
        scan_held=registered or scan is not None,
        authority_held=registered or authority is not None,
        evidence=tuple(piece for piece in (scan, authority) if piece is not None),
    )


def _bound(
    kind: str, content: bytes | None, digest: bytes, media_type: str, documents: Documents
) -> Evidence | None:
    if content is None or hashlib.sha256(content).digest() != digest:
        return None
    if documents.media_type(content) != media_type:
        return None
    report = b'{"mediaType":"%s"}' % media_type.encode()
    return Evidence(digest=digest, kind=kind, document=content, report=report)
