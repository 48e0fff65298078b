"""Signatures in the default forms of two signing libraries.

EU DSS removes the signature by an XPath filter instead of the enveloped transform of XML Signature.
xades4j names the signer's certificate by SigningCertificate, the version before EN 319 132. A
citizen's software may use either library, so the sandbox has a consent of each.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import new as new_hash
from typing import Protocol
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from makul.trust.base.algorithms import EXCLUSIVE, PrivateKey, method_for
from makul.trust.keys.files import KeySigner
from makul.trust.xades.structure import SIGNED_PROPERTIES_TYPE
from makul.trust.xmldsig.parsing import DS, XADES
from makul.trust.xmldsig.transforms import ENVELOPED, FILTER2


class DocumentSignature(Protocol):
    """A function that signs a canonical document. Its chain begins with the key's certificate."""

    def __call__(
        self, document: bytes, key: PrivateKey, chain: Sequence[x509.Certificate], *, at: datetime
    ) -> bytes:
        """Return the document with an enveloped XAdES-B signature as the root's last child."""
        ...


# Each template is in exclusive canonical form as an element of its own.
_SIGNED_INFO = (
    '<ds:SignedInfo xmlns:ds="{ds}">'
    '<ds:CanonicalizationMethod Algorithm="{c14n}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
    '<ds:Reference Id="r-1" URI=""><ds:Transforms>'
    "{removal}"
    '<ds:Transform Algorithm="{c14n}"></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="{digest}"></ds:DigestMethod>'
    "<ds:DigestValue>{document_digest}</ds:DigestValue></ds:Reference>"
    '<ds:Reference Type="{type}" URI="#xades-signature"><ds:Transforms>'
    '<ds:Transform Algorithm="{c14n}"></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="{digest}"></ds:DigestMethod>'
    "<ds:DigestValue>{properties_digest}</ds:DigestValue></ds:Reference>"
    "</ds:SignedInfo>"
)
_PROPERTIES = (
    '<xades:SignedProperties xmlns:xades="{xades}" Id="xades-signature">'
    "<xades:SignedSignatureProperties>"
    "<xades:SigningTime>{signing_time}</xades:SigningTime>"
    "{signing_certificate}"
    "</xades:SignedSignatureProperties>"
    "<xades:SignedDataObjectProperties>"
    '<xades:DataObjectFormat ObjectReference="#r-1"><xades:MimeType>text/xml</xades:MimeType>'
    "</xades:DataObjectFormat></xades:SignedDataObjectProperties>"
    "</xades:SignedProperties>"
)
_SIGNATURE = (
    '<ds:Signature xmlns:ds="{ds}" Id="signature">{signed_info}'
    "<ds:SignatureValue>{value}</ds:SignatureValue>"
    "<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
    '<ds:Object><xades:QualifyingProperties xmlns:xades="{xades}" Target="#signature">'
    "{properties}</xades:QualifyingProperties></ds:Object></ds:Signature>"
)
_CERT_DIGEST = (
    '<xades:CertDigest><ds:DigestMethod xmlns:ds="{ds}" Algorithm="{digest}"></ds:DigestMethod>'
    '<ds:DigestValue xmlns:ds="{ds}">{certificate_digest}</ds:DigestValue></xades:CertDigest>'
)
_VERSION_2 = (
    "<xades:SigningCertificateV2><xades:Cert>"
    f"{_CERT_DIGEST}</xades:Cert></xades:SigningCertificateV2>"
)
_VERSION_1 = (
    f"<xades:SigningCertificate><xades:Cert>{_CERT_DIGEST}<xades:IssuerSerial>"
    '<ds:X509IssuerName xmlns:ds="{ds}">{issuer}</ds:X509IssuerName>'
    '<ds:X509SerialNumber xmlns:ds="{ds}">{serial}</ds:X509SerialNumber>'
    "</xades:IssuerSerial></xades:Cert></xades:SigningCertificate>"
)
_ENVELOPED = f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
_SUBTRACTED = (
    f'<ds:Transform Algorithm="{FILTER2}">'
    f'<dsig-filter2:XPath xmlns:dsig-filter2="{FILTER2}" Filter="subtract">'
    "/descendant::ds:Signature</dsig-filter2:XPath></ds:Transform>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignForm:
    """The form of a library: how it removes the signature, and how it names the certificate."""

    removal: str
    signing_certificate: str

    def __call__(
        self, document: bytes, key: PrivateKey, chain: Sequence[x509.Certificate], *, at: datetime
    ) -> bytes:
        """Return the document signed in this form.

        The document must be in exclusive canonical form, as `makul.documents` writes it.
        """
        method, digest = method_for(key)
        hashed = _digester(digest.name.lower())
        certificates = [each.public_bytes(Encoding.DER) for each in chain]
        fixed = {
            "ds": DS,
            "xades": XADES,
            "c14n": EXCLUSIVE.value,
            "type": SIGNED_PROPERTIES_TYPE,
            "method": method.value,
            "digest": digest.value,
            "removal": self.removal,
            "signing_time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "certificate_digest": hashed(certificates[0]),
            "issuer": escape(chain[0].issuer.rfc4514_string()),
            "serial": str(chain[0].serial_number),
        }
        named = self.signing_certificate.format(**fixed)
        properties = _PROPERTIES.format(**fixed, signing_certificate=named)
        signed_info = _SIGNED_INFO.format(
            **fixed,
            document_digest=hashed(document),
            properties_digest=hashed(properties.encode()),
        )
        signature = _SIGNATURE.format(
            **fixed,
            signed_info=signed_info,
            value=b64encode(KeySigner(key).sign(signed_info.encode())).decode(),
            certificates="".join(
                f"<ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate>"
                for der in certificates
            ),
            properties=properties,
        )
        content, end, name = document.rpartition(b"</")
        return content + signature.encode() + end + name


DSS = ForeignForm(removal=_SUBTRACTED, signing_certificate=_VERSION_2)
XADES4J = ForeignForm(removal=_ENVELOPED, signing_certificate=_VERSION_1)


def _digester(hash_name: str) -> Callable[[bytes], str]:
    return lambda octets: b64encode(new_hash(hash_name, octets).digest()).decode()
