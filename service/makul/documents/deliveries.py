"""Write deliveries, which are signed and then encrypted to the recipient (delivery.xsd).

A delivery contains the data, the recipient and the request that it answers.
"""

from makul.app.ports import PersonDelivery
from makul.documents.canonical_writer import binary, element, instant

NAMESPACE = "urn:makul:delivery:1"


def render_delivery(delivery: PersonDelivery) -> bytes:
    """Return the element `Delivery` in exclusive canonical form.

    It has `Id="delivery-<disclosureId>"`. It contains the bytes of `person` unchanged, because the
    receipt's digest is over them. `person` declares its own namespace.
    """
    parts = (
        element("requestId", str(delivery.request_id)),
        element("disclosureId", str(delivery.disclosure_id)),
        element("recipient", delivery.recipient),
        element("operator", delivery.operator),
        element("decidedAt", instant(delivery.decided_at)),
    )
    root = f'<Delivery xmlns="{NAMESPACE}" Id="delivery-{delivery.disclosure_id}">'
    salt = element("payloadSalt", binary(delivery.payload_salt))
    return f"{root}{''.join(parts)}".encode() + delivery.person + f"{salt}</Delivery>".encode()
