"""Verify a signature whose structure is proved (core validation, XML Signature 1.1, 3.2).

The caller (`xades.structure` or `wsse.verification`) first proves the structure. It passes, for
each reference, the element that the reference must sign. This module canonicalises that element in
the tree, compares its digest and verifies the signature value. It returns the signed bytes. The
caller must parse these bytes and read nothing else.

signxml's own verifier searches for the element that a URI names and skips transforms that it does
not know. It also parses the document again for each reference. With all this overridden, only its
cost remained. This module uses signxml's schema of a signature, the canonicalisation of libxml2 and
the cryptography of OpenSSL. `tests/trust/xmldsig/test_verification.py` compares it with signxml's
stock verifier.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from hashlib import sha256, sha384, sha512
from hmac import compare_digest
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.net.xml_names import speakable_name
from makul.net.xml_parser import build_parser
from makul.trust.base.algorithms import PublicKey, signature_method
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import SubIndication
from makul.trust.xmldsig.canonicalisation import canonical, canonical_without
from makul.trust.xmldsig.parsing import DS, EXC_C14N, only_child, read_binary
from makul.trust.xmldsig.signed_info import ProvenReference, SignedInfo

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_SIGNATURE_VALUE = f"{{{DS}}}SignatureValue"
_KEY_INFO = f"{{{DS}}}KeyInfo"
_DSIG11 = "{http://www.w3.org/2009/xmldsig11#}"
_KEY_VALUE = f"{{{DS}}}KeyValue"
_DER_KEY_VALUE = f"{_DSIG11}DEREncodedKeyValue"

_DIGESTS = {
    DigestAlgorithm.SHA256: sha256,
    DigestAlgorithm.SHA384: sha384,
    DigestAlgorithm.SHA512: sha512,
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


_SCHEMA_SOURCE = f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{EXC_C14N}">
  <xs:import namespace="{DS}" schemaLocation="{{location}}"/>
  <xs:element name="InclusiveNamespaces">
    <xs:complexType><xs:attribute name="PrefixList" type="xs:string"/></xs:complexType>
  </xs:element>
</xs:schema>
"""
"""The schema of XML Signature, with the element of exclusive canonicalisation (exc-c14n, 4).

CanonicalizationMethod accepts only elements that a schema declares. WSS4J and CXF write
InclusiveNamespaces there."""


def _load_schema() -> etree.XMLSchema:
    location = Path(str(files("signxml.schemas"))) / "xmldsig1-schema.xsd"
    source = _SCHEMA_SOURCE.format(location=location.as_uri())
    return etree.XMLSchema(etree.fromstring(source, build_parser()))


class _Schema:
    """The schema of a signature.

    libxml2 keeps the errors of the last validation in the schema, so a lock serialises them.
    """

    def __init__(self) -> None:
        self._schema = _load_schema()
        self._lock = Lock()

    def require(self, signature: "Element") -> None:
        with self._lock:
            valid = self._schema.validate(signature)
        if not valid:
            raise SignatureFailure(
                Code.SIG_02,
                mark("the signature is not what its schema says"),
                SubIndication.FORMAT_FAILURE,
                field="Signature",
                cause=Cause.SIGNATURE_FORM,
            )


_SCHEMA = _Schema()


def verify_proven(
    signature: "Element", signed_info: SignedInfo, proven: Sequence[ProvenReference], key: PublicKey
) -> Mapping[str, bytes]:
    """Verify a signature and return the signed bytes in canonical form, by reference URI.

    `signed_info` must be the result of `read_signed_info` for this very signature, and `proven` its
    references in order. Raises `SignatureFailure`: SIG-02 or SIG-04 if the bytes were not signed,
    SIG-03 if the arguments belong to another signature.
    """
    if signed_info.element.getparent() is not signature:
        raise SignatureFailure(Code.SIG_03, mark("the account of another signature"))
    if tuple(part.reference for part in proven) != signed_info.references:
        raise SignatureFailure(Code.SIG_03, mark("a reference that the pre-check did not see"))
    _SCHEMA.require(signature)
    _require_same_key(signature, key)
    # Inner parts come first: removing the signature changes where its namespaces are written.
    stated = canonical(signed_info.element, signed_info.canonicalisation, signed_info.prefixes)
    value = read_binary(only_child(signature, _SIGNATURE_VALUE))
    octets = _canonicalise(signature, proven)
    for part, content in zip(proven, octets, strict=True):
        digest = _DIGESTS[part.reference.digest](content).digest()
        if not compare_digest(part.reference.value, digest):
            raise SignatureFailure(
                Code.SIG_02,
                mark("a signed part was changed"),
                SubIndication.HASH_FAILURE,
                field=speakable_name(part.element),
            )
    try:
        verify_value(key, signature_method(signed_info.method, key), stated, value)
    except InvalidSignature:
        raise SignatureFailure(
            Code.SIG_02, mark("the signature value does not verify"), field="SignatureValue"
        ) from None
    signed = {part.reference.uri: content for part, content in zip(proven, octets, strict=True)}
    if len(signed) != len(proven):
        raise SignatureFailure(Code.SIG_03, mark("two references to the same element"))
    return signed


def _canonicalise(signature: "Element", proven: Sequence[ProvenReference]) -> Sequence[bytes]:
    octets = {
        index: canonical(part.element, part.reference.method, part.reference.prefixes)
        for index, part in enumerate(proven)
        if not part.reference.enveloped
    }
    for index, part in enumerate(proven):
        if part.reference.enveloped:
            octets[index] = canonical_without(
                part.element, signature, part.reference.method, part.reference.prefixes
            )
    return [octets[index] for index in range(len(proven))]


def verify_value(key: PublicKey, method: SignatureMethod, octets: bytes, value: bytes) -> None:
    """Verify a signature value (RFC 6931, 2.3.2, 2.3.6, 2.3.9 and 2.3.10).

    Raises `InvalidSignature` if the value is wrong.
    """
    kind, _, suffix = method.name.partition("_")
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(_der(value, key), octets, ec.ECDSA(_HASHES[suffix]))
    elif kind == "RSA":
        key.verify(value, octets, padding.PKCS1v15(), _HASHES[suffix])
    else:
        chosen = _HASHES[kind]
        pss = padding.PSS(mgf=padding.MGF1(chosen), salt_length=chosen.digest_size)
        key.verify(value, octets, pss, chosen)


def _der(value: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the DER form of an ECDSA signature, as OpenSSL expects it.

    The value is r and s, each as wide as the curve (RFC 6931, 2.3.6). Raises `InvalidSignature` for
    another length.
    """
    width = (key.curve.key_size + 7) // 8
    if len(value) != 2 * width:
        raise InvalidSignature
    r, s = value[:width], value[width:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def _require_same_key(signature: "Element", key: PublicKey) -> None:
    """Require that a key repeated in KeyInfo is the key of the certificate.

    The repeated key is never used. But other software may use it, and must not see another signer
    than we do. Raises `SignatureFailure` (SIG-02).
    """
    stated = [element for key_info in signature.iterchildren(_KEY_INFO) for element in key_info]
    for element in stated:
        if element.tag == _KEY_VALUE:
            same = _stated_numbers(element) == _numbers(key)
        elif element.tag == _DER_KEY_VALUE:
            same = _stated_key(element) == key
        else:
            continue
        if not same:
            raise SignatureFailure(
                Code.SIG_02,
                mark("KeyInfo states another key than its certificate"),
                SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
                field="KeyInfo",
                cause=Cause.KEY_INFO,
            )


def _numbers(key: PublicKey) -> tuple[bytes, ...]:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return _octets(numbers.n), _octets(numbers.e)
    width = (key.curve.key_size + 7) // 8
    point = key.public_numbers()
    return (b"\4" + point.x.to_bytes(width, "big") + point.y.to_bytes(width, "big"),)


def _stated_numbers(key_value: "Element") -> tuple[bytes, ...]:
    """Return the modulus and exponent, or the uncompressed point, as far as KeyInfo states them."""
    names = f"{{{DS}}}Modulus", f"{{{DS}}}Exponent", f"{_DSIG11}PublicKey"
    values = list(key_value.iter(*names))
    return tuple(
        octets if element.tag == names[2] else octets.lstrip(b"\0")
        for element, octets in ((element, read_binary(element)) for element in values)
    )


def _stated_key(element: "Element") -> object:
    try:
        return load_der_public_key(b64decode(element.text or ""))
    except ValueError:
        return None


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
