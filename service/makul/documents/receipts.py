"""Write the operator's receipt before it is signed (receipt.xsd; Procedure, cl. 10 and 11)."""

from makul.app.ports import Receipt
from makul.documents.canonical_writer import binary, element, group, instant, optional
from makul.documents.reasons import receipt_reason
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef

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
