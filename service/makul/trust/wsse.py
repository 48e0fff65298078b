"""Messages signed by a WS-Security X.509 token: the `wsse` channel (CONTRACT, Channels).

OASIS WSS SOAP Message Security 1.1 and X.509 Token Profile 1.1, in the one shape that we accept:
one Security header with one BinarySecurityToken, one Timestamp and one Signature over exactly the
actual Body and that Timestamp, by exclusive canonicalisation. SOAP 1.1 and 1.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from makul.app.ports import MessageMark, RejectedError, VerifiedMessage
from makul.domain.calendar import CLOCK_TOLERANCE
from makul.domain.reasons import Code, Reason
from makul.trust.algorithms import EXCLUSIVE, require_in_force, signature_method
from makul.trust.certificates import (
    SigningCertificate,
    Use,
    read_certificate,
    require_in_term,
)
from makul.trust.core import verify_proven
from makul.trust.failures import SignatureFailure
from makul.trust.paths import TrustStore
from makul.trust.references import Proven, Reference, SignedInfo, read_signed_info
from makul.trust.xml import (
    DS,
    binary_of,
    instant_of,
    only_child,
    only_one,
    parse_signed,
    require_modest_tree,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MAX_AGE = timedelta(minutes=5)
"""How long a message may be on its way (CONTRACT, Channels)."""
CLOCK_SKEW = CLOCK_TOLERANCE
"""How far the recipient's clock may differ from ours, either way."""

SOAP_NAMESPACES = frozenset(
    {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}
)
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU = f"{_WSS}wssecurity-utility-1.0.xsd"
X509_V3 = f"{_WSS}x509-token-profile-1.0#X509v3"
BASE64 = f"{_WSS}soap-message-security-1.0#Base64Binary"

_US = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)
"""Actors and roles that mean whoever reads the Body (SOAP 1.1, 4.2.2; SOAP 1.2 part 1, 2.2)."""

_SECURITY = f"{{{WSSE}}}Security"
_TOKEN = f"{{{WSSE}}}BinarySecurityToken"
_TOKEN_REFERENCE = f"{{{WSSE}}}SecurityTokenReference"
_REFERENCE = f"{{{WSSE}}}Reference"
_TIMESTAMP = f"{{{WSU}}}Timestamp"
_CREATED = f"{{{WSU}}}Created"
_EXPIRES = f"{{{WSU}}}Expires"
_ID = f"{{{WSU}}}Id"
_SIGNATURE = f"{{{DS}}}Signature"
_PARTS = sorted((_TOKEN, _TIMESTAMP, _SIGNATURE))
_SIGNATURE_VALUE = f"{{{DS}}}SignatureValue"
_KEY_INFO = f"{{{DS}}}KeyInfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A signed envelope of which each part stands where it must. Nothing is verified yet."""

    body: "Element"
    timestamp: "Element"
    token: "Element"
    signature: "Element"
    signed_info: SignedInfo
    proven: tuple[Proven, ...]


class WsseVerifier:
    """`ports.MessageVerifier`, for certificates that lead to this store's anchors.

    That a certificate leads to an anchor makes nobody a recipient: the caller is who registered
    the certificate of that fingerprint.
    """

    def __init__(self, store: TrustStore) -> None:
        self._store = store

    def verify(self, envelope: "Element", *, at: datetime) -> VerifiedMessage:
        """Raises `RejectedError` (SIG-*, REQ-*); the envelope is left as it was received."""
        try:
            return self._verify(envelope, at)
        except SignatureFailure as failure:
            raise RejectedError(Reason(code=failure.code)) from failure
        except RejectedError:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's bytes: what breaks us proves nothing
            # Only its type is kept: its message may quote what was received.
            why = f"could not be processed ({type(error).__name__})"
            cause = SignatureFailure(Code.SIG_02, why)
            raise RejectedError(Reason(code=Code.SIG_02)) from cause

    def _verify(self, envelope: "Element", at: datetime) -> VerifiedMessage:
        _refuse_markup(envelope)
        shape = _prove_shape(envelope)
        certificate = _certificate(shape.token)
        require_in_term(certificate, at)
        method = signature_method(shape.signed_info.method, certificate.key)
        digests = (part.reference.digest for part in shape.proven)
        require_in_force(certificate.key, method, digests, at=at)
        verified = verify_proven(shape.signature, shape.signed_info, shape.proven, certificate.key)
        body = parse_signed(verified[_uri_of(shape.body)])
        forget_after = _judge_timestamp(parse_signed(verified[_uri_of(shape.timestamp)]), at)
        self._store.require(certificate, Use.MESSAGE, at=at)
        return VerifiedMessage(
            child=_only_content(body),
            fingerprint=certificate.fingerprint,
            mark=MessageMark(digest=_mark(shape.signature, certificate), forget_after=forget_after),
        )


def _refuse_markup(envelope: "Element") -> None:
    """No comment and no processing instruction anywhere: no value may be read in two pieces."""
    if next(envelope.iter(etree.Comment, etree.ProcessingInstruction), None) is not None:
        raise SignatureFailure(Code.REQ_07, "a comment or a processing instruction")
    require_modest_tree(envelope)


def _prove_shape(envelope: "Element") -> _Shape:
    name = etree.QName(envelope)
    if name.namespace not in SOAP_NAMESPACES or name.localname != "Envelope":
        raise SignatureFailure(Code.SIG_03, "not a SOAP envelope")
    soap = name.namespace
    if [child.tag for child in envelope] != [f"{{{soap}}}Header", f"{{{soap}}}Body"]:
        code = Code.SIG_03 if envelope.find(f"{{{soap}}}Header") is not None else Code.SIG_01
        raise SignatureFailure(code, "not exactly one Header and one Body")
    header, body = envelope[0], envelope[1]
    security = _the_security(envelope, header)
    signature = _the_signature(envelope, security)
    parts = list(security)
    if sorted(str(part.tag) for part in parts) != _PARTS:
        raise SignatureFailure(Code.SIG_03, "not exactly one token, Timestamp and Signature")
    token, timestamp = only_one(parts, _TOKEN), only_one(parts, _TIMESTAMP)
    _require_reference_to(token, signature)
    signed_info = read_signed_info(signature)
    return _Shape(
        body=body,
        timestamp=timestamp,
        token=token,
        signature=signature,
        signed_info=signed_info,
        proven=_prove_references(signed_info, {_uri_of(body): body, _uri_of(timestamp): timestamp}),
    )


def _the_security(envelope: "Element", header: "Element") -> "Element":
    found = list(envelope.iter(_SECURITY))
    if not found:
        raise SignatureFailure(Code.SIG_01, "the message has no Security header")
    if len(found) != 1 or found[0].getparent() is not header:
        raise SignatureFailure(Code.SIG_03, "not exactly one Security, as a header block")
    soap = etree.QName(envelope).namespace
    if not {found[0].get(f"{{{soap}}}{name}", "").strip() for name in ("actor", "role")} <= _US:
        raise SignatureFailure(Code.SIG_01, "the Security header is for another node")
    return found[0]


def _the_signature(envelope: "Element", security: "Element") -> "Element":
    found = list(envelope.iter(_SIGNATURE))
    if not found:
        raise SignatureFailure(Code.SIG_01, "the message is not signed")
    if len(found) != 1 or found[0].getparent() is not security:
        raise SignatureFailure(Code.SIG_03, "not exactly one signature, in the Security header")
    return found[0]


def _uri_of(element: "Element") -> str:
    identifier = element.get(_ID)
    if not identifier:
        raise SignatureFailure(Code.SIG_03, "Body or Timestamp bears no wsu:Id")
    return f"#{identifier}"


def _prove_references(
    signed_info: SignedInfo, targets: Mapping[str, "Element"]
) -> tuple[Proven, ...]:
    """Exactly the actual Body and the actual Timestamp, by exclusive canonicalisation."""
    references = signed_info.references
    uris = [reference.uri for reference in references]
    if len(uris) != len(targets) or set(uris) != set(targets):
        raise SignatureFailure(Code.SIG_03, "not exactly the Body and the Timestamp are signed")
    if signed_info.canonicalisation is not EXCLUSIVE or not all(
        map(_is_plain_exclusive, references)
    ):
        raise SignatureFailure(Code.SIG_04, "another transform than exclusive canonicalisation")
    return tuple(Proven(reference, targets[reference.uri]) for reference in references)


def _is_plain_exclusive(reference: Reference) -> bool:
    return reference.method is EXCLUSIVE and not reference.enveloped


def _require_reference_to(token: "Element", signature: "Element") -> None:
    """KeyInfo names this token and nothing else (X.509 Token Profile 1.1, 3.2.1)."""
    key_info = only_child(signature, _KEY_INFO)
    if len(key_info) != 1 or key_info[0].tag != _TOKEN_REFERENCE or len(key_info[0]) != 1:
        raise SignatureFailure(Code.SIG_03, "KeyInfo holds something else than a token reference")
    reference = key_info[0][0]
    identifier = token.get(_ID)
    if (
        reference.tag != _REFERENCE
        or not identifier
        or reference.get("URI") != f"#{identifier}"
        or reference.get("ValueType", X509_V3) != X509_V3
    ):
        raise SignatureFailure(Code.SIG_03, "KeyInfo names another token")


def _certificate(token: "Element") -> SigningCertificate:
    if token.get("ValueType") != X509_V3 or token.get("EncodingType", BASE64) != BASE64:
        raise SignatureFailure(Code.SIG_04, "the token is not an X.509 certificate in base64")
    return read_certificate(binary_of(token))


def _judge_timestamp(timestamp: "Element", at: datetime) -> datetime:
    """When the message is stale anyway; REQ-03 if it is already, or comes from the future."""
    parts = list(timestamp)
    if {part.tag for part in parts} != {_CREATED, _EXPIRES} or len(parts) != 2:
        raise SignatureFailure(Code.REQ_03, "the Timestamp needs Created and Expires alone")
    try:
        created = instant_of(only_one(parts, _CREATED))
        expires = instant_of(only_one(parts, _EXPIRES))
    except SignatureFailure as failure:
        raise SignatureFailure(Code.REQ_03, failure.why) from None
    stale_after = min(expires, created + MAX_AGE) + CLOCK_SKEW
    if expires <= created or not created - CLOCK_SKEW <= at < stale_after:
        raise SignatureFailure(Code.REQ_03, "stale, or from the future")
    return stale_after


def _only_content(body: "Element") -> "Element":
    """The Body's one child, with no text beside it; else REQ-01."""
    if len(body) != 1 or (body.text or "").strip() or (body[0].tail or "").strip():
        raise SignatureFailure(Code.REQ_01, "the Body does not hold exactly one element")
    return body[0]


def _mark(signature: "Element", certificate: SigningCertificate) -> bytes:
    """What stays the same when this message comes again, even if it is re-encoded.

    Of an ECDSA signature (r, s), (r, n - s) is a second valid one that anybody can compute: the
    smaller s stands for both, or a recorded message would pass once more as another.

    The token is not signed: whoever recorded a message may put another certificate of the same key
    in its place (a renewal's, or another recipient's), so the key counts and not its certificate.
    """
    value = binary_of(only_child(signature, _SIGNATURE_VALUE))
    if isinstance(certificate.key, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        s = int.from_bytes(value[half:], "big")
        value = value[:half] + min(s, certificate.key.curve.group_order - s).to_bytes(half, "big")
    key = certificate.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(value + key).digest()
