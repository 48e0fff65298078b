"""Read orders to unlock matching from verified XML, and write them (consent.xsd; cl. 4)."""

from typing import TYPE_CHECKING

from makul.documents.canonical_writer import element, instant
from makul.documents.schemas import unlock_schema
from makul.documents.xml_reader import Reader, uuid
from makul.documents.xml_reader import instant as read_instant
from makul.domain.identifiers import Pin
from makul.domain.person_locks import UnlockOrder

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:consent:1"


def read_unlock(signed: "Element") -> UnlockOrder:
    """Read an order from its verified root element. Raises `DocumentError` (REQ-01)."""
    unlock_schema().check(signed)
    reader = Reader(signed)
    return UnlockOrder(
        unlock_id=reader.read("unlockId", uuid),
        subject=reader.read("subject", Pin),
        signed_at=reader.read("signedAt", read_instant),
    )


def render_unlock(order: UnlockOrder) -> bytes:
    """Return an unsigned order in exclusive canonical form. Its root has `Id="unlock-<unlockId>"`.

    The citizen signs it before it is sent.
    """
    parts = (
        element("unlockId", str(order.unlock_id)),
        element("subject", order.subject.digits),
        element("signedAt", instant(order.signed_at)),
    )
    root = f'<MatchingUnlock xmlns="{NAMESPACE}" Id="unlock-{order.unlock_id}">'
    return f"{root}{''.join(parts)}</MatchingUnlock>".encode()
