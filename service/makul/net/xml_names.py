"""Element names that messages may repeat: those of published schemas and of the standards.

A sender may have invented any other name, and an unpublished name might be a value.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

import makul_schemas
from lxml import etree

from makul.net.xml_parser import build_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"

_MESSAGES: Final = """
Envelope Header Body Fault Security BinarySecurityToken UsernameToken Timestamp Created Expires
SecurityTokenReference Reference KeyIdentifier Embedded SignatureConfirmation EncryptedHeader
EncryptedData EncryptedKey ReferenceList DerivedKeyToken SecurityContextToken Assertion
Action To From ReplyTo FaultTo MessageID RelatesTo client service userId id issue protocolVersion
"""
"""The names of SOAP, WS-Security, WS-Addressing and X-Road."""
_SIGNATURES: Final = """
Signature SignedInfo SignatureValue CanonicalizationMethod SignatureMethod Transforms Transform
XPath DigestMethod DigestValue InclusiveNamespaces KeyInfo KeyName KeyValue RSAKeyValue ECKeyValue
DEREncodedKeyValue RetrievalMethod X509Data X509Certificate X509IssuerSerial X509SKI X509CRL
X509SubjectName X509IssuerName X509SerialNumber Object Manifest QualifyingProperties
SignedProperties UnsignedProperties SignedSignatureProperties SignedDataObjectProperties
UnsignedSignatureProperties SigningTime SigningCertificate SigningCertificateV2 Cert CertDigest
IssuerSerial IssuerSerialV2 SignaturePolicyIdentifier SignatureTimeStamp EncapsulatedTimeStamp
CounterSignature DataObjectFormat
"""
"""The names of XML Signature and XAdES."""
STANDARD_NAMES: Final = frozenset((_MESSAGES + _SIGNATURES).split())
"""Local names that the standards give to parts of messages and signatures."""


@cache
def published_names() -> frozenset[str]:
    """Return every name that an element or attribute has in any published schema."""
    parser = build_parser()
    documents = [
        etree.fromstring(makul_schemas.read(name), parser) for name in makul_schemas.names()
    ]
    declarations = (
        declared
        for document in documents
        for declared in document.iter(f"{_XS}element", f"{_XS}attribute")
    )
    return frozenset(name for declared in declarations if (name := declared.get("name")))


def speakable_name(element: "Element | None") -> str | None:
    """Return the local name of an element or of its nearest ancestor with a known name, or None."""
    while element is not None:
        if isinstance(element.tag, str):
            name = element.tag.rpartition("}")[2]
            if name in STANDARD_NAMES or name in published_names():
                return name
        element = element.getparent()
    return None
