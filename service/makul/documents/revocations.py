"""Read consent revocations from verified XML, and write them (consent.xsd; Procedure, cl. 4)."""

from typing import TYPE_CHECKING
from uuid import UUID

from makul.documents.canonical_writer import element, instant, optional
from makul.documents.schemas import revocation_schema
from makul.documents.xml_reader import Reader, uuid
from makul.documents.xml_reader import instant as read_instant
from makul.domain.consent_revocations import Revocation
from makul.domain.identifiers import Pin, parse_member_code

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:consent:1"


def read_revocation(signed: "Element") -> Revocation:
    """Read a consent revocation from its verified root element. Raises `DocumentError` (REQ-01)."""
    revocation_schema().check(signed)
    reader = Reader(signed)
    return Revocation(
        consent_id=reader.read("consentId", uuid),
        subject=reader.read("subject", Pin),
        recipient=reader.read("recipient", parse_member_code),
        revoked_at=reader.read("revokedAt", read_instant),
    )


def render_revocation(
    revocation: Revocation, *, revocation_id: UUID | None = None, reason: str | None = None
) -> bytes:
    """Return an unsigned consent revocation in exclusive canonical form.

    Its root has `Id="revocation-<consentId>"`.
    """
    parts = (
        optional("revocationId", str(revocation_id) if revocation_id is not None else None),
        element("consentId", str(revocation.consent_id)),
        element("subject", revocation.subject.digits),
        element("recipient", revocation.recipient),
        element("revokedAt", instant(revocation.revoked_at)),
        optional("reason", reason),
    )
    root = f'<Revocation xmlns="{NAMESPACE}" Id="revocation-{revocation.consent_id}">'
    return f"{root}{''.join(parts)}</Revocation>".encode()
