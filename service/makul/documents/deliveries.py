"""What is signed and then sealed: the data, to whom and in answer to what (delivery.xsd)."""

from makul.app.ports import PersonDelivery
from makul.documents.canonical_writer import binary, element, instant

NAMESPACE = "urn:makul:delivery:1"


def render_delivery(delivery: PersonDelivery) -> bytes:
    """Root `Delivery` with `Id="delivery-<disclosureId>"`, in exclusive canonical form.

    `person` stands in it byte for byte, as the receipt digests it; it brings its own namespace.
    """
    said = (
        element("requestId", str(delivery.request_id)),
        element("disclosureId", str(delivery.disclosure_id)),
        element("recipient", delivery.recipient),
        element("operator", delivery.operator),
        element("decidedAt", instant(delivery.decided_at)),
    )
    root = f'<Delivery xmlns="{NAMESPACE}" Id="delivery-{delivery.disclosure_id}">'
    salt = element("payloadSalt", binary(delivery.payload_salt))
    return f"{root}{''.join(said)}".encode() + delivery.person + f"{salt}</Delivery>".encode()
