"""Verify messages signed with a WS-Security X.509 token: the channel `wsse` (docs/recipients.md).

The specifications are OASIS WSS SOAP Message Security 1.1 and X.509 Token Profile 1.1. One form is
accepted: one Security header with one BinarySecurityToken, one Timestamp and one Signature. The
signature must be over exactly the actual Body and that Timestamp, by exclusive canonicalisation.
SOAP may be 1.1 or 1.2.
"""

import logging
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
from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.net.xml_names import speakable_name
from makul.trust.base.algorithms import EXCLUSIVE, require_in_force, signature_method
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import (
    SigningCertificate,
    Use,
    require_in_term,
)
from makul.trust.pki.trust_store import TrustStore
from makul.trust.wsse.security_tokens import (
    ID,
    TOKEN,
    WSSE,
    WSU,
    read_token_certificate,
    require_reference,
    require_reference_to,
)
from makul.trust.xmldsig.parsing import (
    DS,
    hidden_part,
    is_zone_apart,
    only_child,
    only_one,
    parse_signed,
    read_binary,
    read_instant,
    require_modest_tree,
)
from makul.trust.xmldsig.signed_info import ProvenReference, Reference, SignedInfo, read_signed_info
from makul.trust.xmldsig.verification import verify_proven

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MAX_AGE = timedelta(minutes=5)
"""The maximum age of a message (docs/recipients.md, channel `wsse`)."""
CLOCK_SKEW = CLOCK_TOLERANCE
"""The maximum difference between the recipient's clock and ours, in either direction."""

SOAP_NAMESPACES = frozenset(
    {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}
)

_US = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)
"""The actors and roles that address the node that reads the Body (SOAP 1.1, 4.2.2; SOAP 1.2 part 1,
2.2)."""

_SECURITY = f"{{{WSSE}}}Security"
_TIMESTAMP = f"{{{WSU}}}Timestamp"
_CREATED = f"{{{WSU}}}Created"
_EXPIRES = f"{{{WSU}}}Expires"
_SIGNATURE = f"{{{DS}}}Signature"
_PARTS = sorted((TOKEN, _TIMESTAMP, _SIGNATURE))
_SIGNED_PARTS = 2
_SIGNATURE_VALUE = f"{{{DS}}}SignatureValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShape:
    """A signed envelope whose parts are all at their required positions, not yet verified."""

    body: "Element"
    timestamp: "Element"
    token: "Element"
    signature: "Element"
    signed_info: SignedInfo
    proven: tuple[ProvenReference, ...]


class WsseVerifier:
    """The adapter for `ports.MessageVerifier`, for certificates that lead to a store's anchors.

    A certificate that leads to an anchor makes nobody a recipient. The caller is the recipient for
    whom the certificate with that fingerprint is registered.
    """

    def __init__(self, store: TrustStore) -> None:
        self._store = store

    def verify(self, envelope: "Element", *, at: datetime) -> VerifiedMessage:
        """Verify an envelope and return its verified content; the envelope itself does not change.

        Raises `RejectedError` (SIG-*, REQ-*).
        """
        try:
            return self._verify(envelope, at)
        except SignatureFailure as failure:
            raise RejectedError(failure.reason) from failure
        except RejectedError:
            raise
        except Exception as error:  # noqa: BLE001 - untrusted bytes: an unexpected error is SIG-02
            # Only the type is logged, because the message may quote what was received.
            log.warning("a signed message caused %s", type(error).__name__)
            cause = SignatureFailure(Code.SIG_02, "could not be processed", field="Signature")
            raise RejectedError(cause.reason) from cause

    def _verify(self, envelope: "Element", at: datetime) -> VerifiedMessage:
        refuse_markup(envelope)
        shape = prove_shape(envelope)
        certificate = read_token_certificate(shape.token)
        require_in_term(certificate, at)
        method = signature_method(shape.signed_info.method, certificate.key)
        digests = (part.reference.digest for part in shape.proven)
        require_in_force(certificate.key, method, digests, at=at)
        verified = verify_proven(shape.signature, shape.signed_info, shape.proven, certificate.key)
        body = parse_signed(verified[read_uri(shape.body)])
        forget_after = _judge_timestamp(parse_signed(verified[read_uri(shape.timestamp)]), at)
        self._store.require(certificate, Use.MESSAGE, at=at)
        return VerifiedMessage(
            child=only_content(body),
            fingerprint=certificate.fingerprint,
            mark=MessageMark(digest=_mark(shape.signature, certificate), forget_after=forget_after),
        )


def refuse_markup(envelope: "Element") -> None:
    """Refuse comments and processing instructions anywhere in the envelope.

    With one of them a value could be read in two pieces. Raises `SignatureFailure`.
    """
    if next(envelope.iter(etree.Comment, etree.ProcessingInstruction), None) is not None:
        raise hidden_part(envelope, Code.REQ_07)
    require_modest_tree(envelope)


def prove_shape(envelope: "Element") -> MessageShape:
    """Return the parts of a signed envelope, each in its required position.

    Raises `SignatureFailure` (SIG-*). Nothing is verified yet.
    """
    name = etree.QName(envelope)
    if name.namespace not in SOAP_NAMESPACES or name.localname != "Envelope":
        raise SignatureFailure(Code.SIG_03, "not a SOAP envelope", field="Envelope")
    soap = name.namespace
    if [child.tag for child in envelope] != [f"{{{soap}}}Header", f"{{{soap}}}Body"]:
        if envelope.find(f"{{{soap}}}Header") is None:
            raise SignatureFailure(
                Code.SIG_01, "no Header", field="Security", cause=Cause.NO_SECURITY
            )
        raise SignatureFailure(
            Code.SIG_03,
            "not exactly one Header and one Body",
            field="Envelope",
            cause=Cause.BODY_CONTENT,
        )
    header, body = envelope[0], envelope[1]
    security = _find_security(envelope, header)
    signature = _find_signature(envelope, security)
    _require_parts(security, signature)
    token, timestamp = only_child(security, TOKEN), only_child(security, _TIMESTAMP)
    require_reference_to(token, signature)
    signed_info = read_signed_info(signature)
    return MessageShape(
        body=body,
        timestamp=timestamp,
        token=token,
        signature=signature,
        signed_info=signed_info,
        proven=_prove_references(
            signed_info, {read_uri(body): body, read_uri(timestamp): timestamp}
        ),
    )


def _require_parts(security: "Element", signature: "Element") -> None:
    """Require exactly one token, one Timestamp and one Signature.

    Raises `SignatureFailure` (SIG-03) for anything else.
    """
    tags = [str(part.tag) for part in security]
    if sorted(tags) == _PARTS:
        return
    if TOKEN not in tags:
        # A stack that names its certificate in another way omits the token. The more exact failure
        # names that element.
        require_reference(signature)
    missing = [tag for tag in _PARTS if tag not in tags]
    beside = [part for part in security if part.tag not in _PARTS]
    twice = [tag for tag in _PARTS if tags.count(tag) > 1]
    field = (
        speakable_name(beside[0])
        if beside and not missing
        else (missing or twice or [_SECURITY])[0].rpartition("}")[2]
    )
    raise SignatureFailure(
        Code.SIG_03,
        "not exactly one token, Timestamp and Signature",
        field=field,
        cause=Cause.SECURITY_PARTS,
    )


def _find_security(envelope: "Element", header: "Element") -> "Element":
    elements = list(envelope.iter(_SECURITY))
    if not elements:
        raise SignatureFailure(
            Code.SIG_01,
            "the message has no Security header",
            field="Security",
            cause=Cause.NO_SECURITY,
        )
    if len(elements) != 1 or elements[0].getparent() is not header:
        raise SignatureFailure(
            Code.SIG_03,
            "not exactly one Security, as a header block",
            field="Security",
            cause=Cause.SECURITY_COUNT,
        )
    soap = etree.QName(envelope).namespace
    if not {elements[0].get(f"{{{soap}}}{name}", "").strip() for name in ("actor", "role")} <= _US:
        raise SignatureFailure(
            Code.SIG_01,
            "the Security header is for another node",
            field="Security",
            cause=Cause.SECURITY_FOR_ANOTHER,
        )
    return elements[0]


def _find_signature(envelope: "Element", security: "Element") -> "Element":
    elements = list(envelope.iter(_SIGNATURE))
    if not elements:
        raise SignatureFailure(
            Code.SIG_01, "the message is not signed", field="Signature", cause=Cause.NO_SIGNATURE
        )
    if len(elements) != 1 or elements[0].getparent() is not security:
        raise SignatureFailure(
            Code.SIG_03,
            "not exactly one signature, in the Security header",
            field="Signature",
            cause=Cause.SIGNATURE_COUNT,
        )
    return elements[0]


def read_uri(element: "Element") -> str:
    """Return the URI by which a signature refers to the element. Raises `SignatureFailure`."""
    identifier = element.get(ID)
    if not identifier:
        raise _unsigned_failure(element)
    return f"#{identifier}"


def _unsigned_failure(element: "Element") -> SignatureFailure:
    name = str(element.tag).rpartition("}")[2]
    return SignatureFailure(
        Code.SIG_03, f"the {name} is not signed", field=name, cause=Cause.PART_UNSIGNED
    )


def _prove_references(
    signed_info: SignedInfo, targets: Mapping[str, "Element"]
) -> tuple[ProvenReference, ...]:
    """Prove that the references sign exactly the actual Body and the actual Timestamp.

    Both must use exclusive canonicalisation. Raises `SignatureFailure` (SIG-03 or SIG-04).
    """
    references = signed_info.references
    uris = [reference.uri for reference in references]
    for uri, element in targets.items():
        if uri not in uris:
            raise _unsigned_failure(element)
    if len(uris) != len(targets) or len(targets) != _SIGNED_PARTS:
        raise SignatureFailure(
            Code.SIG_03,
            "more than the Body and the Timestamp are signed",
            field="Reference",
            cause=Cause.SIGNED_BESIDE,
        )
    exclusive = signed_info.canonicalisation is EXCLUSIVE
    if not exclusive or not all(map(_is_plain_exclusive, references)):
        raise SignatureFailure(
            Code.SIG_04,
            "another transform than exclusive canonicalisation",
            field="Transform" if exclusive else "CanonicalizationMethod",
            cause=Cause.TRANSFORM if exclusive else Cause.CANONICALISATION,
        )
    return tuple(ProvenReference(reference, targets[reference.uri]) for reference in references)


def _is_plain_exclusive(reference: Reference) -> bool:
    return reference.method is EXCLUSIVE and not reference.enveloped


def _judge_timestamp(timestamp: "Element", at: datetime) -> datetime:
    """Return the instant from which the message is stale.

    Raises `SignatureFailure` (REQ-03) if the message is already stale or comes from the future. It
    also raises it if the Timestamp does not consist of one Created and one later Expires.
    """
    parts = list(timestamp)
    if {part.tag for part in parts} != {_CREATED, _EXPIRES} or len(parts) != 2:
        raise SignatureFailure(
            Code.REQ_03,
            "the Timestamp needs Created and Expires alone",
            field="Timestamp",
            cause=Cause.TIMESTAMP_PARTS,
        )
    created, expires = (_instant(only_one(parts, tag)) for tag in (_CREATED, _EXPIRES))
    stale_after = min(expires, created + MAX_AGE) + CLOCK_SKEW
    if expires <= created:
        raise SignatureFailure(
            Code.REQ_03,
            "it expires before it is created",
            field="Expires",
            cause=Cause.TIMESTAMP_ORDER,
        )
    if not created - CLOCK_SKEW <= at < stale_after:
        field = "Created" if not created - CLOCK_SKEW <= at < created + MAX_AGE else "Expires"
        raise SignatureFailure(
            Code.REQ_03,
            "stale, or from the future",
            field=field,
            cause=Cause.TIME_ZONE if is_zone_apart(created, at) else None,
        )
    return stale_after


def _instant(element: "Element") -> datetime:
    try:
        return read_instant(element)
    except SignatureFailure as failure:
        raise SignatureFailure(
            Code.REQ_03,
            failure.why,
            field=str(element.tag).rpartition("}")[2],
            cause=Cause.TIMESTAMP_PARTS,
        ) from None


def only_content(body: "Element") -> "Element":
    """Return the one child of the Body.

    Raises `SignatureFailure` (REQ-01) if the Body contains anything else, text included.
    """
    if len(body) != 1 or (body.text or "").strip() or (body[0].tail or "").strip():
        raise SignatureFailure(
            Code.REQ_01,
            "the Body does not hold exactly one element",
            field="Body",
            cause=Cause.BODY_CONTENT,
        )
    return body[0]


def _mark(signature: "Element", certificate: SigningCertificate) -> bytes:
    """Return a digest that is the same when this message comes again, even if it is re-encoded.

    For an ECDSA signature (r, s), (r, n - s) is a second valid signature that anybody can compute.
    The digest uses the smaller s for both. Otherwise a recorded message would pass a second time.

    The token is not signed. An attacker who recorded a message may replace it by another
    certificate of the same key (a renewed one, or another recipient's). So the digest covers the
    key and not its certificate.
    """
    value = read_binary(only_child(signature, _SIGNATURE_VALUE))
    if isinstance(certificate.key, ec.EllipticCurvePublicKey):
        half = len(value) // 2
        s = int.from_bytes(value[half:], "big")
        value = value[:half] + min(s, certificate.key.curve.group_order - s).to_bytes(half, "big")
    key = certificate.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(value + key).digest()
