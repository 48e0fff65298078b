"""Write the operator's receipt before it is signed, and read it (receipt.xsd; cl. 10 and 11)."""

from typing import TYPE_CHECKING

from makul.app.ports import Receipt
from makul.documents.canonical_writer import binary, element, group, instant, optional
from makul.documents.reasons import receipt_reason
from makul.documents.schemas import receipt_schema
from makul.documents.xml_reader import Reader, uuid
from makul.documents.xml_reader import instant as read_instant
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef
from makul.domain.identifiers import MemberCode, parse_member_code
from makul.domain.month_closing import OwnReceipt

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:receipt:1"


def render_receipt(receipt: Receipt) -> bytes:
    """Return the element `Receipt` in exclusive canonical form, with `Id="receipt-<receiptId>"`.

    The signature must be inserted directly before the end tag.
    """
    parts = (
        element("receiptId", str(receipt.receipt_id)),
        element("requestId", str(receipt.request_id)),
        element("requestDigest", binary(receipt.request_digest)),
        element("operation", receipt.operation),
        element("recipient", receipt.recipient),
        optional("agreementNumber", receipt.agreement_number),
        element("outcome", receipt.outcome),
        *map(receipt_reason, receipt.reasons),
        *(element("attribute", name) for name in Attribute if name in receipt.released),
        _digest("payloadDigest", receipt.payload_digest),
        _digest("answerDigest", receipt.answer_digest),
        _ground(receipt.ground),
        element("decidedAt", instant(receipt.decided_at)),
        element("leafHash", binary(receipt.leaf_hash)),
        element("operator", receipt.operator),
    )
    root = f'<Receipt xmlns="{NAMESPACE}" Id="receipt-{receipt.receipt_id}">'
    return f"{root}{''.join(parts)}</Receipt>".encode()


def read_receipt(signed: "Element") -> tuple[MemberCode, OwnReceipt]:
    """Return the operator that a verified receipt names, and what it states about a decision.

    Raises `DocumentError` (REQ-01).
    """
    receipt_schema().check(signed)
    reader = Reader(signed)
    receipt = OwnReceipt(
        receipt_id=reader.read("receiptId", uuid),
        recipient=reader.text("recipient"),
        operation=reader.text("operation"),
        decided_at=reader.read("decidedAt", read_instant),
    )
    return reader.read("operator", parse_member_code), receipt


def _digest(name: str, value: bytes | None) -> str:
    return "" if value is None else element(name, binary(value))


def _ground(ground: GroundRef | None) -> str:
    if ground is None:
        return ""
    return group(
        "ground",
        element("kind", ground.kind),
        element("id", str(ground.id)),
        element("digest", binary(ground.digest)),
    )
