"""A second verifier: libxmlsec's verdict on a signature, by a given certificate.

It does not know our profile: it looks for what the URIs name, carries out every transform that it
knows, and judges no certificate. So it may accept more than we do, and must never accept less.
"""

from base64 import b64decode

import xmlsec
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
_IDENTIFIERS = ("Id", "ID", "id")


def carried_certificate(document: bytes) -> bytes | None:
    """Return the first certificate in KeyInfo, as DER."""
    try:
        root = etree.fromstring(document, _parser())
        text = root.findtext(f".//{{{DS}}}X509Certificate")
        return b64decode(text or "") or None
    except (etree.XMLSyntaxError, ValueError):
        return None


def xmlsec_accepts(document: bytes, certificate: bytes) -> bool:
    """Return whether the first signature verifies by this certificate's key in libxmlsec."""
    try:
        root = etree.fromstring(document, _parser())
        signature = next(root.iter(f"{{{DS}}}Signature"))
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_DER)
        for element in root.iter("*"):
            for name in _IDENTIFIERS:
                if element.get(name):
                    context.register_id(element, name)
        context.verify(signature)
    except (xmlsec.Error, etree.XMLSyntaxError, StopIteration, ValueError, TypeError):
        return False
    return True


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
