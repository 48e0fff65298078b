"""Verify a document of the operator by certificates that are already known.

The signer of a receipt or statement is pinned: the reader has the operator's certificate, or the
settings name it. So no certificate path is built. All other checks are those of any signed
document.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.net.xml_parser import own_parser
from makul.trust.base.algorithms import signature_method
from makul.trust.base.errors import SignatureFailure
from makul.trust.xades.structure import (
    names_certificate,
    prove_shape,
    signing_certificate,
    signing_time,
)
from makul.trust.xmldsig.parsing import parse_document, parse_signed
from makul.trust.xmldsig.verification import verify_proven

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def verify_operator_signature(document: bytes, fingerprints: Collection[bytes]) -> "Element":
    """Return the signed root of a document; raise `SignatureFailure` if it does not verify.

    `fingerprints` are the SHA-256 digests of the certificates that may have signed. The claimed
    signing time must lie within the certificate's validity. It is not proven: a compromised key can
    claim any time, so the caller must leave out the certificates of such keys.
    """
    shape = prove_shape(parse_document(document, own_parser()))
    if shape.properties is None or shape.properties_uri is None:
        raise SignatureFailure(Code.SIG_02, mark("the signature has no signed properties"))
    certificate = signing_certificate(shape.properties, shape.key_info)
    if certificate.fingerprint not in fingerprints:
        raise SignatureFailure(
            Code.SIG_08, mark("another certificate than the operator's signed it")
        )
    signature_method(shape.signed_info.method, certificate.key)
    octets = verify_proven(shape.signature, shape.signed_info, shape.proven, certificate.key)
    properties = parse_signed(octets[shape.properties_uri])
    if not names_certificate(properties, certificate):
        raise SignatureFailure(Code.SIG_02, mark("signed for another certificate"))
    at, x509 = signing_time(properties), certificate.x509
    if not x509.not_valid_before_utc <= at <= x509.not_valid_after_utc:
        raise SignatureFailure(Code.SIG_05, mark("signed outside the certificate's validity"))
    return parse_signed(octets[shape.document_uri])
