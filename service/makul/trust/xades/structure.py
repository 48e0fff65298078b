"""Prove the structure of an enveloped XAdES-B signature before anything of it is verified.

The structure follows ETSI EN 319 132-1 (XAdES baseline), clauses 5.2 and 6.3, and XML Signature
1.1. Everything that is not listed here is refused. One rule stopped every signature-wrapping
variant that was tried: the signature must be at one exact position, and each reference must name
the element that the service later reads.

A caller may also accept plain XML Signature, without qualifying properties. The service never does
so for a document on which it decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust.base.algorithms import INCLUSIVE, canonicalisation
from makul.trust.base.errors import SignatureFailure, outside_profile
from makul.trust.base.findings import SubIndication
from makul.trust.pki.certificates import SigningCertificate, read_certificate
from makul.trust.xades.signer_reference import SignerReference, read_signer_references
from makul.trust.xmldsig.canonicalisation import canonical
from makul.trust.xmldsig.parsing import (
    DS,
    XADES,
    find_children,
    only_child,
    read_binary,
    read_instant,
)
from makul.trust.xmldsig.signed_info import (
    ProvenReference,
    Reference,
    SignedInfo,
    read_prefixes,
    read_signed_info,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

SIGNED_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
"""The Type of the reference to the signed properties (ETSI EN 319 132-1, 4.4.2)."""
MAX_CERTIFICATES = 8
"""The maximum length of a signer's chain in KeyInfo. Longer chains do not occur."""
MAX_TIMESTAMPS = 4
"""The maximum number of signature timestamps of one signature. One is usual; a second one, from
another authority, occurs."""
MAX_TOKEN_BYTES = 32 * 1024
"""The maximum size of a timestamp token: several times an RFC 3161 token with its authority's whole
chain."""

SIGNATURE = f"{{{DS}}}Signature"
_PARTS = tuple(f"{{{DS}}}{name}" for name in ("SignedInfo", "SignatureValue", "KeyInfo", "Object"))
_PLAIN_PARTS = _PARTS[:3]
_CANONICALIZATION_METHOD = f"{{{DS}}}CanonicalizationMethod"
_X509_DATA = f"{{{DS}}}X509Data"
_CERTIFICATE = f"{{{DS}}}X509Certificate"
_QUALIFYING = f"{{{XADES}}}QualifyingProperties"
_SIGNED = f"{{{XADES}}}SignedProperties"
_UNSIGNED = f"{{{XADES}}}UnsignedProperties"
_UNSIGNED_SIGNATURE_PROPERTIES = f"{{{XADES}}}UnsignedSignatureProperties"
_SIGNATURE_TIMESTAMP = f"{{{XADES}}}SignatureTimeStamp"
_ENCAPSULATED = f"{{{XADES}}}EncapsulatedTimeStamp"
_SIGNATURE_PROPERTIES = f"{{{XADES}}}SignedSignatureProperties"
_SIGNING_TIME = f"{{{XADES}}}SigningTime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A signature whose parts are all at their required positions. Nothing is verified yet."""

    signature: "Element"
    signed_info: SignedInfo
    key_info: "Element"
    properties: "Element | None"
    """The signed properties, or None for plain XML Signature."""
    proven: tuple[ProvenReference, ...]
    document_uri: str
    properties_uri: str | None
    timestamps: tuple["Timestamp", ...]


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A SignatureTimeStamp (ETSI EN 319 132-1, 5.3) as found: not signed, and not yet verified."""

    token: bytes
    """The EncapsulatedTimeStamp, which should be an RFC 3161 token in DER."""
    stamped: bytes
    """The canonical SignatureValue element, over which the token must be."""


def prove_shape(root: "Element", *, plain: bool = False) -> Shape:
    """Prove and return the structure of the one signature in this document.

    If `plain` is true, a signature without any ds:Object passes as plain XML Signature. Raises
    `SignatureFailure` (SIG-01, SIG-02, SIG-03 or SIG-04).
    """
    signature = _find_signature(root)
    parts = tuple(part.tag for part in signature)
    is_plain = plain and parts == _PLAIN_PARTS
    if parts != _PARTS and not is_plain:
        raise outside_profile(
            Code.SIG_03,
            mark("not exactly SignedInfo, SignatureValue, KeyInfo and one Object in the signature"),
            field=_first_misplaced(parts),
            cause=Cause.DOCUMENT_SIGNATURE,
        )
    key_info = signature[2]
    properties = None if is_plain else _signed_properties(root, signature, signature[3])
    signed_info = read_signed_info(signature)
    targets = _targets(root, key_info, properties)
    proven = tuple(
        _prove(reference, targets, root, properties) for reference in signed_info.references
    )
    signed = [part.element for part in proven]
    whole = [root] if properties is None else [root, properties]
    if any(signed.count(part) != 1 for part in whole) or signed.count(key_info) > 1:
        raise outside_profile(
            Code.SIG_03,
            mark("not exactly the document and its properties signed"),
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    return Shape(
        signature=signature,
        signed_info=signed_info,
        key_info=key_info,
        properties=properties,
        proven=proven,
        document_uri=proven[signed.index(root)].reference.uri,
        properties_uri=(
            None if properties is None else proven[signed.index(properties)].reference.uri
        ),
        timestamps=_timestamps(signature, properties),
    )


def _find_signature(root: "Element") -> "Element":
    signatures = list(root.iter(SIGNATURE))
    if not signatures:
        raise SignatureFailure(
            Code.SIG_01,
            mark("the document is not signed"),
            field="Signature",
            cause=Cause.NO_SIGNATURE,
        )
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        raise outside_profile(
            Code.SIG_03,
            mark("not exactly one signature, as a child of the root"),
            field="Signature",
            cause=Cause.SIGNATURE_COUNT,
        )
    return signatures[0]


def _first_misplaced(parts: Sequence[object]) -> str:
    """Return the name of the first part that is missing or repeated, otherwise `Signature`."""
    for expected in _PARTS:
        if parts.count(expected) != 1:
            return expected.rpartition("}")[2]
    return "Signature"


def _signed_properties(root: "Element", signature: "Element", holder: "Element") -> "Element":
    """Return the signed properties from their one position.

    Their QualifyingProperties must target this very signature. Raises `SignatureFailure` (SIG-02
    or SIG-03).
    """
    if len(holder) != 1 or holder[0].tag != _QUALIFYING:
        raise outside_profile(
            Code.SIG_02,
            mark("no XAdES qualifying properties of version 1.3.2"),
            field="QualifyingProperties",
            cause=Cause.PROPERTIES,
        )
    qualifying = holder[0]
    if sum(1 for _ in root.iter(_QUALIFYING)) != 1 or sum(1 for _ in root.iter(_SIGNED)) != 1:
        raise _properties(mark("more than one set of qualifying properties"))
    if any(child.tag not in (_SIGNED, _UNSIGNED) for child in qualifying):
        raise _properties(mark("an unknown element in the qualifying properties"))
    identifier = signature.get("Id")
    if not identifier or qualifying.get("Target") != f"#{identifier}":
        raise _properties(mark("the qualifying properties target something else"))
    return only_child(qualifying, _SIGNED)


def _properties(why: str) -> SignatureFailure:
    return outside_profile(Code.SIG_03, why, field="QualifyingProperties", cause=Cause.PROPERTIES)


def _timestamps(signature: "Element", properties: "Element | None") -> tuple[Timestamp, ...]:
    """Return the signature timestamps.

    Their octets are read here, before a caller removes anything from the tree.
    """
    qualifying = properties.getparent() if properties is not None else None
    if qualifying is None or len(qualifying) == 1:
        return ()
    stamps = [
        stamp
        for unsigned in qualifying.iterchildren(_UNSIGNED)
        for own in unsigned.iterchildren(_UNSIGNED_SIGNATURE_PROPERTIES)
        for stamp in own.iterchildren(_SIGNATURE_TIMESTAMP)
    ]
    if len(stamps) > MAX_TIMESTAMPS:
        raise _timestamp_failure(mark("too many signature timestamps"))
    return tuple(_timestamp(stamp, signature[1]) for stamp in stamps)


def _timestamp(stamp: "Element", value: "Element") -> Timestamp:
    token = read_binary(only_child(stamp, _ENCAPSULATED, code=Code.SIG_02))
    if len(token) > MAX_TOKEN_BYTES:
        raise _timestamp_failure(mark("a timestamp token is too large"))
    steps = find_children(stamp, _CANONICALIZATION_METHOD)
    if len(steps) > 1:
        raise _timestamp_failure(mark("a timestamp's canonicalisation is not understood"))
    if not steps:
        return Timestamp(token, canonical(value, INCLUSIVE))
    method = canonicalisation(steps[0].get("Algorithm"))
    return Timestamp(token, canonical(value, method, read_prefixes(steps[0])))


def _timestamp_failure(why: str) -> SignatureFailure:
    return outside_profile(
        Code.SIG_02, why, field="SignatureTimeStamp", cause=Cause.TIMESTAMP_TOKEN
    )


def _targets(
    root: "Element", key_info: "Element", properties: "Element | None"
) -> Mapping[str, "Element"]:
    """Return the URIs that a reference may have, and the element that each must sign."""
    targets = {"": root}
    for element in (root, key_info, properties):
        identifier = element.get("Id") if element is not None else None
        if element is not None and identifier:
            targets[f"#{identifier}"] = element
    return targets


def _prove(
    reference: Reference,
    targets: Mapping[str, "Element"],
    root: "Element",
    properties: "Element | None",
) -> ProvenReference:
    element = targets.get(reference.uri)
    if element is None:
        raise SignatureFailure(
            Code.SIG_03,
            mark("a reference to something else than the document"),
            SubIndication.SIGNED_DATA_NOT_FOUND,
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    if reference.enveloped is not (element is root):
        raise outside_profile(
            Code.SIG_03,
            mark("the enveloped transform belongs to the document, and to it alone"),
            field="Transform",
            cause=Cause.TRANSFORM,
        )
    if (reference.kind == SIGNED_PROPERTIES_TYPE) is not (element is properties):
        raise outside_profile(
            Code.SIG_03,
            mark("a reference whose type is not its target's"),
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    return ProvenReference(reference, element)


def signing_time(properties: "Element") -> datetime:
    """Return the signing time that the signer claims.

    The property is required (ETSI EN 319 132-1, 6.3, table 2). Raises `SignatureFailure` (SIG-02).
    """
    own = only_child(properties, _SIGNATURE_PROPERTIES, code=Code.SIG_02)
    try:
        return read_instant(only_child(own, _SIGNING_TIME, code=Code.SIG_02))
    except SignatureFailure as failure:
        raise SignatureFailure(
            failure.code, failure.why, field="SigningTime", cause=Cause.SIGNING_TIME
        ) from None


def signing_certificate(properties: "Element", key_info: "Element") -> SigningCertificate:
    """Return the certificate in KeyInfo that the signing certificate's property names first.

    The property is required (ETSI EN 319 132-1, 6.3, table 2). Raises `SignatureFailure` (SIG-02)
    if the property or the certificate is missing.
    """
    references = _references(properties)
    for element in _certificates(key_info):
        der = read_binary(element)
        if all(each.is_digest_of(der) for each in references):
            return _certificate(der)
    raise SignatureFailure(
        Code.SIG_02,
        mark("KeyInfo lacks the certificate that the signed properties name first"),
        field="KeyInfo",
        cause=Cause.SIGNER_REFERENCE,
    )


def names_certificate(properties: "Element", certificate: SigningCertificate) -> bool:
    """Return whether this is the certificate that the property names.

    The certificate must be the result of `signing_certificate`; no other in KeyInfo is read again.
    Raises `SignatureFailure` (SIG-02) without the property, or if its issuer or serial number is
    another.
    """
    references = _references(properties)
    for each in references:
        each.require_issuer(certificate)
    return all(each.is_digest_of(certificate.der) for each in references)


def first_certificate(key_info: "Element") -> SigningCertificate:
    """Return the first certificate in KeyInfo, for a plain XML Signature.

    Nothing that is signed names this certificate.
    """
    return _certificate(read_binary(_certificates(key_info)[0]))


def _certificate(der: bytes) -> SigningCertificate:
    try:
        return read_certificate(der)
    except SignatureFailure as failure:
        raise failure.within("X509Certificate") from None


def _references(properties: "Element") -> Sequence[SignerReference]:
    own = only_child(properties, _SIGNATURE_PROPERTIES, code=Code.SIG_02)
    return read_signer_references(own)


def _certificates(key_info: "Element") -> "Sequence[Element]":
    certificates = [
        certificate
        for data in key_info.iterchildren(_X509_DATA)
        for certificate in data.iterchildren(_CERTIFICATE)
    ]
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise SignatureFailure(
            Code.SIG_02,
            mark("too few or too many certificates in KeyInfo"),
            field="X509Data",
            cause=Cause.KEY_INFO,
        )
    return certificates
