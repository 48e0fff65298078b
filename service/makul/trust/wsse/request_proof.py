"""What a message of the record proves by its signature alone (Procedure, cl. 12)."""

from dataclasses import dataclass
from hashlib import sha256

from lxml import etree

from makul.domain.reasons import Code
from makul.net.xml_parser import own_parser
from makul.trust.base.algorithms import signature_method
from makul.trust.base.errors import SignatureFailure
from makul.trust.wsse.security_tokens import read_token_certificate
from makul.trust.wsse.verification import only_content, prove_shape, read_uri, refuse_markup
from makul.trust.xmldsig.parsing import parse_signed
from makul.trust.xmldsig.verification import verify_proven


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRequest:
    """What the signature of a stored message proves."""

    fingerprint: bytes
    """SHA-256 of the certificate whose key signed the message."""
    request_digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""


def prove_stored_message(message: bytes) -> VerifiedRequest:
    """Return what a stored message proves by its signature alone: which key signed which request.

    Neither the trust in the certificate nor the Timestamp is judged, because both were judged when
    the message was received. Raises `SignatureFailure` for a message that proves nothing.
    """
    try:
        envelope = etree.fromstring(message, own_parser())
    except etree.XMLSyntaxError:
        raise SignatureFailure(Code.SIG_02, "not well-formed", field="Envelope") from None
    if envelope.getroottree().docinfo.internalDTD is not None:
        raise SignatureFailure(Code.SIG_02, "a document type", field="Envelope")
    refuse_markup(envelope)
    shape = prove_shape(envelope)
    certificate = read_token_certificate(shape.token)
    signature_method(shape.signed_info.method, certificate.key)
    verified = verify_proven(shape.signature, shape.signed_info, shape.proven, certificate.key)
    child = only_content(parse_signed(verified[read_uri(shape.body)]))
    canonical = etree.tostring(child, method="c14n", exclusive=True, with_comments=False)
    return VerifiedRequest(
        fingerprint=certificate.fingerprint, request_digest=sha256(canonical).digest()
    )
