"""The shape of an enveloped XAdES-B signature, proved before anything of it is verified.

ETSI EN 319 132-1 (XAdES baseline), clauses 5.2 and 6.3; XML Signature 1.1. What is not listed here
is refused: one rule stopped every wrapping variant tried, namely that the signature stands at one
exact place, and each reference names the element that we shall read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash
from typing import TYPE_CHECKING

from signxml.algorithms import DigestAlgorithm

from makul.domain.reasons import Code
from makul.trust.algorithms import digest_algorithm
from makul.trust.certificates import SigningCertificate, read_certificate
from makul.trust.failures import SignatureFailure
from makul.trust.references import Proven, Reference, SignedInfo, read_signed_info
from makul.trust.xml import DS, XADES, binary_of, children_of, instant_of, only_child

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

SIGNED_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
"""ETSI EN 319 132-1, 4.4.2: the Type of the reference to the signed properties."""
MAX_CERTIFICATES = 8
"""A signer's chain in KeyInfo; longer ones do not occur."""

SIGNATURE = f"{{{DS}}}Signature"
_PARTS = tuple(f"{{{DS}}}{name}" for name in ("SignedInfo", "SignatureValue", "KeyInfo", "Object"))
_X509_DATA = f"{{{DS}}}X509Data"
_CERTIFICATE = f"{{{DS}}}X509Certificate"
_QUALIFYING = f"{{{XADES}}}QualifyingProperties"
_SIGNED = f"{{{XADES}}}SignedProperties"
_UNSIGNED = f"{{{XADES}}}UnsignedProperties"
_SIGNATURE_PROPERTIES = f"{{{XADES}}}SignedSignatureProperties"
_SIGNING_TIME = f"{{{XADES}}}SigningTime"
_SIGNING_CERTIFICATE = f"{{{XADES}}}SigningCertificateV2"
_CERT = f"{{{XADES}}}Cert"
_CERT_DIGEST = f"{{{XADES}}}CertDigest"
_DIGEST_METHOD = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE = f"{{{DS}}}DigestValue"

_HASH_NAMES = {
    DigestAlgorithm.SHA256: "sha256",
    DigestAlgorithm.SHA384: "sha384",
    DigestAlgorithm.SHA512: "sha512",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A signature of which each part stands where it must. Nothing of it is verified yet."""

    signature: "Element"
    signed_info: SignedInfo
    key_info: "Element"
    properties: "Element"
    proven: tuple[Proven, ...]
    document_uri: str
    properties_uri: str


def prove_shape(root: "Element") -> Shape:
    """The shape of the one signature in this document; SIG-01, SIG-02, SIG-03 or SIG-04."""
    signature = _the_signature(root)
    if tuple(part.tag for part in signature) != _PARTS:
        raise SignatureFailure(Code.SIG_03, "parts of the signature are missing or repeated")
    key_info, holder = signature[2], signature[3]
    properties = _signed_properties(root, signature, holder)
    signed_info = read_signed_info(signature)
    targets = _targets(root, key_info, properties)
    proven = tuple(
        _prove(reference, targets, root, properties) for reference in signed_info.references
    )
    signed = [part.element for part in proven]
    if signed.count(root) != 1 or signed.count(properties) != 1 or signed.count(key_info) > 1:
        raise SignatureFailure(Code.SIG_03, "not exactly the document and its properties signed")
    return Shape(
        signature=signature,
        signed_info=signed_info,
        key_info=key_info,
        properties=properties,
        proven=proven,
        document_uri=proven[signed.index(root)].reference.uri,
        properties_uri=proven[signed.index(properties)].reference.uri,
    )


def _the_signature(root: "Element") -> "Element":
    found = list(root.iter(SIGNATURE))
    if not found:
        raise SignatureFailure(Code.SIG_01, "the document is not signed")
    if len(found) != 1 or found[0].getparent() is not root:
        raise SignatureFailure(Code.SIG_03, "not exactly one signature, as a child of the root")
    return found[0]


def _signed_properties(root: "Element", signature: "Element", holder: "Element") -> "Element":
    """The signed properties at their one place, targeting this very signature."""
    if len(holder) != 1 or holder[0].tag != _QUALIFYING:
        raise SignatureFailure(Code.SIG_02, "no XAdES qualifying properties")
    qualifying = holder[0]
    if sum(1 for _ in root.iter(_QUALIFYING)) != 1 or sum(1 for _ in root.iter(_SIGNED)) != 1:
        raise SignatureFailure(Code.SIG_03, "more than one set of qualifying properties")
    if any(child.tag not in (_SIGNED, _UNSIGNED) for child in qualifying):
        raise SignatureFailure(Code.SIG_03, "an unknown element in the qualifying properties")
    identifier = signature.get("Id")
    if not identifier or qualifying.get("Target") != f"#{identifier}":
        raise SignatureFailure(Code.SIG_03, "the qualifying properties target something else")
    return only_child(qualifying, _SIGNED)


def _targets(
    root: "Element", key_info: "Element", properties: "Element"
) -> Mapping[str, "Element"]:
    """The URIs that a reference may bear, and the element that each must be about."""
    targets = {"": root}
    for element in (root, key_info, properties):
        identifier = element.get("Id")
        if identifier:
            targets[f"#{identifier}"] = element
    return targets


def _prove(
    reference: Reference,
    targets: Mapping[str, "Element"],
    root: "Element",
    properties: "Element",
) -> Proven:
    element = targets.get(reference.uri)
    if element is None:
        raise SignatureFailure(Code.SIG_03, "a reference to something else than the document")
    if reference.enveloped is not (element is root):
        raise SignatureFailure(Code.SIG_03, "the enveloped transform belongs to the document alone")
    if (reference.kind == SIGNED_PROPERTIES_TYPE) is not (element is properties):
        raise SignatureFailure(Code.SIG_03, "a reference whose type is not its target's")
    return Proven(reference, element)


@dataclass(frozen=True, slots=True)
class SignedProperties:
    """What the signer said about the signature itself."""

    signing_time: datetime
    certificate: SigningCertificate


def read_properties(properties: "Element", key_info: "Element") -> SignedProperties:
    """SigningTime, and the certificate in KeyInfo that SigningCertificateV2 names first.

    Both properties are required (ETSI EN 319 132-1, 6.3, table 2); SIG-02 without them.
    """
    own = only_child(properties, _SIGNATURE_PROPERTIES, code=Code.SIG_02)
    time = only_child(own, _SIGNING_TIME, code=Code.SIG_02)
    named = children_of(only_child(own, _SIGNING_CERTIFICATE, code=Code.SIG_02), _CERT)
    if not named:
        raise SignatureFailure(Code.SIG_02, "SigningCertificateV2 names no certificate")
    return SignedProperties(instant_of(time), _named_certificate(named[0], key_info))


def _named_certificate(named: "Element", key_info: "Element") -> SigningCertificate:
    certificates = [
        certificate
        for data in key_info.iterchildren(_X509_DATA)
        for certificate in data.iterchildren(_CERTIFICATE)
    ]
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise SignatureFailure(Code.SIG_02, "too few or too many certificates in KeyInfo")
    claim = only_child(named, _CERT_DIGEST, code=Code.SIG_02)
    method = only_child(claim, _DIGEST_METHOD, code=Code.SIG_02)
    hash_name = _HASH_NAMES[digest_algorithm(method.get("Algorithm"))]
    digest = binary_of(only_child(claim, _DIGEST_VALUE, code=Code.SIG_02))
    for element in certificates:
        der = binary_of(element)
        if new_hash(hash_name, der).digest() == digest:
            return read_certificate(der)
    raise SignatureFailure(Code.SIG_02, "KeyInfo lacks the certificate that was signed")
