"""A second opinion: what libxmlsec says of a signature, by a certificate that is given to it.

It knows nothing of our profile: it looks for what the URIs name, carries out every transform it
knows, and judges no certificate. So it may accept more than we do, and must never accept less.
"""

from base64 import b64decode

import xmlsec
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
_IDENTIFIERS = ("Id", "ID", "id")


def carried_certificate(document: bytes) -> bytes | None:
    """The first certificate in KeyInfo, as DER."""
    try:
        root = etree.fromstring(document, _parser())
        text = root.findtext(f".//{{{DS}}}X509Certificate")
        return b64decode(text or "") or None
    except (etree.XMLSyntaxError, ValueError):
        return None


def xmlsec_accepts(document: bytes, certificate: bytes) -> bool:
    """Does the first signature verify by this certificate's key, in libxmlsec's eyes?"""
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
