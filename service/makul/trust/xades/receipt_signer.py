"""Sign receipts with the operator's key: enveloped XAdES-B, written from templates.

Every decision is answered with a receipt, so signing must be fast. The templates are already
canonical: the bytes that are hashed are the bytes that are written, and nothing is parsed. The
signature operation itself is most of the cost. `tests/trust/xades/test_receipt_signer.py` verifies
receipts with signxml's XAdES verifier and with ours.
"""

import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import new as new_hash

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from makul.trust.base.algorithms import EXCLUSIVE, method_for, strong_public_key
from makul.trust.keys.files import RawSigner, same_key
from makul.trust.xades.structure import SIGNED_PROPERTIES_TYPE
from makul.trust.xmldsig.parsing import DS, XADES
from makul.trust.xmldsig.transforms import ENVELOPED

_ROOT = re.compile(
    rb"<(?P<name>[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)"
    rb'(?: [\w:.-]+="[^"<]*")*? Id="(?P<id>[A-Za-z_][\w.-]*)"(?: [\w:.-]+="[^"<]*")*>'
)
"""A canonical start tag (Canonical XML 1.1, 1.1) with an `Id` that is an NCName in ASCII."""

# Each template is in exclusive canonical form as an element without ancestors, because so it is
# hashed. In the document the element inherits the declarations of `Signature` and
# `QualifyingProperties`, so `sign` removes its own.
_SIGNED_INFO = (
    '<ds:SignedInfo xmlns:ds="{DS}">'
    '<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="{METHOD}"></ds:SignatureMethod>'
    '<ds:Reference Id="{{id}}-document" URI="#{{id}}"><ds:Transforms>'
    '<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
    '<ds:Transform Algorithm="{C14N}"></ds:Transform>'
    "</ds:Transforms>"
    '<ds:DigestMethod Algorithm="{DIGEST}"></ds:DigestMethod>'
    "<ds:DigestValue>{{document_digest}}</ds:DigestValue></ds:Reference>"
    '<ds:Reference Type="{TYPE}" URI="#{{id}}-properties"><ds:Transforms>'
    '<ds:Transform Algorithm="{C14N}"></ds:Transform>'
    "</ds:Transforms>"
    '<ds:DigestMethod Algorithm="{DIGEST}"></ds:DigestMethod>'
    "<ds:DigestValue>{{properties_digest}}</ds:DigestValue></ds:Reference>"
    "</ds:SignedInfo>"
)
_SIGNED_PROPERTIES = (
    '<xades:SignedProperties xmlns:xades="{XADES}" Id="{{id}}-properties">'
    "<xades:SignedSignatureProperties>"
    "<xades:SigningTime>{{signing_time}}</xades:SigningTime>"
    "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
    '<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{DIGEST}"></ds:DigestMethod>'
    '<ds:DigestValue xmlns:ds="{DS}">{CERTIFICATE_DIGEST}</ds:DigestValue>'
    "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
    "</xades:SignedSignatureProperties>"
    "<xades:SignedDataObjectProperties>"
    '<xades:DataObjectFormat ObjectReference="#{{id}}-document">'
    "<xades:MimeType>text/xml</xades:MimeType>"
    "</xades:DataObjectFormat></xades:SignedDataObjectProperties>"
    "</xades:SignedProperties>"
)
_SIGNATURE = (
    '<ds:Signature xmlns:ds="{DS}" Id="{{id}}-signature">'
    "{{signed_info}}"
    "<ds:SignatureValue>{{value}}</ds:SignatureValue>"
    "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{CERTIFICATE}</ds:X509Certificate>"
    "</ds:X509Data></ds:KeyInfo>"
    '<ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#{{id}}-signature">'
    "{{properties}}"
    "</xades:QualifyingProperties></ds:Object></ds:Signature>"
)
_DECLARES_DS = f' xmlns:ds="{DS}"'
_DECLARES_XADES = f' xmlns:xades="{XADES}"'


class XadesReceiptSigner:
    """The adapter for `ports.ReceiptSigner`: sign with a key in a file or in a PKCS#11 token.

    An instance is safe to share between threads.
    """

    def __init__(self, signer: RawSigner, certificate: x509.Certificate) -> None:
        """Prepare the templates. Raises `ValueError` if the certificate is not that of the key."""
        key = strong_public_key(signer.public_key)
        if not same_key(key, certificate):
            raise ValueError("the certificate is not that of the key")
        method, digest = method_for(key)
        self._hash_name = digest.name.lower()
        self._signer = signer
        der = certificate.public_bytes(Encoding.DER)
        fixed = {
            "DS": DS,
            "XADES": XADES,
            "C14N": EXCLUSIVE.value,
            "ENVELOPED": ENVELOPED,
            "TYPE": SIGNED_PROPERTIES_TYPE,
            "METHOD": method.value,
            "DIGEST": digest.value,
            "CERTIFICATE": b64encode(der).decode(),
            "CERTIFICATE_DIGEST": self._digest(der),
        }
        self._signed_info = _SIGNED_INFO.format(**fixed)
        self._properties = _SIGNED_PROPERTIES.format(**fixed)
        self._signature = _SIGNATURE.format(**fixed)

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        """Return the document with the signature before the end tag of its root.

        The result is still in canonical form. `canonical` must be a whole document in exclusive
        canonical form whose root has an `Id`. Raises `ValueError` for any other document, and
        `SignerUnavailableError` if the key cannot sign now.
        """
        start = _ROOT.match(canonical)
        end = b"</%s>" % start["name"] if start else b""
        if start is None or not canonical.endswith(end):
            raise ValueError("not a canonical document whose root bears an Id")
        identifier = start["id"].decode("ascii")
        properties = self._properties.format(
            id=identifier, signing_time=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        signed_info = self._signed_info.format(
            id=identifier,
            document_digest=self._digest(canonical),
            properties_digest=self._digest(properties.encode()),
        )
        signature = self._signature.format(
            id=identifier,
            signed_info=signed_info.replace(_DECLARES_DS, "", 1),
            value=b64encode(self._signer.sign(signed_info.encode())).decode("ascii"),
            properties=properties.replace(_DECLARES_XADES, "", 1).replace(_DECLARES_DS, ""),
        )
        return canonical[: -len(end)] + signature.encode() + end

    def ready(self) -> bool:
        """Return whether the key can sign now."""
        return self._signer.ready()

    def _digest(self, octets: bytes) -> str:
        return b64encode(new_hash(self._hash_name, octets).digest()).decode("ascii")
