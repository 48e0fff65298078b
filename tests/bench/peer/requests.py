"""The requests to CommandLine in the form that the peer understands."""

import base64
import re
from typing import Any

from bench.peer import NAMESPACE

_TOKEN = re.compile(rb"<wsse:BinarySecurityToken[^>]*>([^<]+)</wsse:BinarySecurityToken>")
_REFERENCE = re.compile(rb"<wsse:SecurityTokenReference>.*</wsse:SecurityTokenReference>")


def peer_request(fields: dict[str, Any]) -> bytes:
    """Build the Body's child, from the fields of `makul_testing.in_process_service.about`."""
    _, document = fields["ground"]
    attributes_xml = "".join(f"<p:string>{name}</p:string>" for name in fields["attributes"])
    return (
        f'<p:GetPersonData xmlns:p="{NAMESPACE}"><p:requestId>{fields["request_id"]}</p:requestId>'
        f"<p:agreementNumber>{fields['agreement']}</p:agreementNumber>"
        f"<p:purpose>{fields['purpose']}</p:purpose><p:pin>{fields['pin']}</p:pin>"
        f"<p:documentNumber>{fields['document_number']}</p:documentNumber>"
        f"<p:consentDocument>{base64.b64encode(document).decode()}</p:consentDocument>"
        f"<p:attributes>{attributes_xml}</p:attributes></p:GetPersonData>"
    ).encode()


def with_certificate(message: bytes) -> bytes:
    """Return the signed message with its certificate in KeyInfo, where signxml looks for it.

    KeyInfo is not signed, so the signature stays the same.
    """
    token = _TOKEN.search(message)
    assert token is not None
    held = b"<ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data>" % token[1]
    changed, count = _REFERENCE.subn(held, message)
    assert count == 1
    return changed
