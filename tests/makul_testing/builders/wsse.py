"""SOAP messages signed by a WS-Security X.509 token, in the shape of zeep's BinarySignature.

They are written by hand, so that attack tests can sign anything. The recorded ones in
`tests/vectors/trust` show that real zeep messages pass.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import new as new_hash

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.reasons import Code
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.pki.authorities import NOW, Holder

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU = f"{_WSS}wssecurity-utility-1.0.xsd"
X509_V3 = f"{_WSS}x509-token-profile-1.0#X509v3"
BASE64 = f"{_WSS}soap-message-security-1.0#Base64Binary"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"

CHILD = (
    '<m:GetStatus xmlns:m="urn:makul:recipient:1">'
    "<m:requestId>6f1c1c1e-0000-4000-8000-000000000001</m:requestId></m:GetStatus>"
)

_HASHES = {SHA256: "sha256", SHA1: "sha1", "http://www.w3.org/2001/04/xmlenc#sha512": "sha512"}


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to be signed; each field departs from the good one for some test."""

    holder: Holder
    soap: str = SOAP11
    child: str = CHILD
    created: datetime = NOW
    expires: datetime | None = NOW + timedelta(minutes=5)
    signature_method: str | None = None
    digest_method: str = SHA256
    canonicalisation: str = EXC_C14N
    transform: str = EXC_C14N
    prefixes: str | None = None
    before_signing: Callable[[etree._Element], None] | None = None

    def signed(self) -> etree._Element:
        """Return the envelope, parsed, as the SOAP adapter passes it on."""
        envelope = etree.fromstring(self._unsigned())
        if self.before_signing is not None:
            self.before_signing(envelope)
        sign(envelope, self)
        return etree.fromstring(etree.tostring(envelope))

    def _unsigned(self) -> str:
        expires = f"<wsu:Expires>{instant(self.expires)}</wsu:Expires>" if self.expires else ""
        token = b64encode(self.holder.der).decode()
        return (
            f'<soap:Envelope xmlns:soap="{self.soap}" xmlns:unused="urn:unused"><soap:Header>'
            f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">'
            f'<Signature xmlns="{DS}"/>'
            f'<wsse:BinarySecurityToken ValueType="{X509_V3}" EncodingType="{BASE64}"'
            f' wsu:Id="token">{token}</wsse:BinarySecurityToken>'
            f'<wsu:Timestamp wsu:Id="timestamp"><wsu:Created>{instant(self.created)}</wsu:Created>'
            f"{expires}</wsu:Timestamp></wsse:Security></soap:Header>"
            f'<soap:Body xmlns:wsu="{WSU}" wsu:Id="body">{self.child}</soap:Body></soap:Envelope>'
        )


def sign(envelope: etree._Element, message: Message) -> None:
    """Fill the empty Signature: Body and Timestamp, found by their `wsu:Id`."""
    signature = envelope.find(f".//{{{DS}}}Signature")
    assert signature is not None
    method = message.signature_method or (
        ECDSA_SHA256 if isinstance(message.holder.key, ec.EllipticCurvePrivateKey) else RSA_SHA256
    )
    inclusive = (
        f'<InclusiveNamespaces xmlns="{EXC_C14N}" PrefixList="{message.prefixes}"/>'
        if message.prefixes
        else ""
    )
    references = "".join(
        f'<Reference URI="#{identifier}"><Transforms><Transform Algorithm="{message.transform}">'
        f'{inclusive}</Transform></Transforms><DigestMethod Algorithm="{message.digest_method}"/>'
        f"<DigestValue>{_digest_of(envelope, identifier, message)}</DigestValue></Reference>"
        for identifier in ("body", "timestamp")
    )
    parts = etree.fromstring(
        f'<Signature xmlns="{DS}"><SignedInfo>'
        f'<CanonicalizationMethod Algorithm="{message.canonicalisation}"/>'
        f'<SignatureMethod Algorithm="{method}"/>{references}</SignedInfo><SignatureValue/>'
        f'<KeyInfo><wsse:SecurityTokenReference xmlns:wsse="{WSSE}">'
        f'<wsse:Reference URI="#token" ValueType="{X509_V3}"/>'
        "</wsse:SecurityTokenReference></KeyInfo></Signature>"
    )
    octets = etree.tostring(parts[0], method="c14n", exclusive=True)
    parts[1].text = b64encode(_raw_signature(message, octets)).decode()
    for part in list(parts):
        signature.append(part)


def resign(envelope: etree._Element, message: Message) -> None:
    """Compute the signature's value again over the present SignedInfo, without new digests."""
    signature = envelope.find(f".//{{{DS}}}Signature")
    assert signature is not None
    octets = etree.tostring(signature[0], method="c14n", exclusive=True)
    signature[1].text = b64encode(_raw_signature(message, octets)).decode()


def _digest_of(envelope: etree._Element, identifier: str, message: Message) -> str:
    (target,) = envelope.xpath("//*[@wsu:Id=$id]", id=identifier, namespaces={"wsu": WSU})
    prefixes = message.prefixes.split() if message.prefixes else None
    if prefixes:
        target = etree.fromstring(etree.tostring(target, with_tail=False))
    octets = etree.tostring(target, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes)
    return b64encode(new_hash(_HASHES[message.digest_method], octets).digest()).decode()


def _raw_signature(message: Message, octets: bytes) -> bytes:
    key = message.holder.key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
        width = (key.key_size + 7) // 8
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    algorithm = hashes.SHA1() if message.signature_method == RSA_SHA1 else hashes.SHA256()  # noqa: S303
    return key.sign(octets, padding.PKCS1v15(), algorithm)


def code_of(messages: WsseVerifier, envelope: etree._Element, *, at: datetime = NOW) -> Code:
    """Return the one reason of a refusal, whose exception contains nothing more."""
    with pytest.raises(RejectedError) as caught:
        messages.verify(envelope, at=at)
    (reason,) = caught.value.reasons
    assert str(caught.value) == reason.code.value
    return reason.code


def found(envelope: etree._Element, name: str) -> etree._Element:
    (element,) = envelope.iter(name)
    return element


def security(envelope: etree._Element) -> etree._Element:
    return found(envelope, f"{{{WSSE}}}Security")


def timestamp(envelope: etree._Element) -> etree._Element:
    return found(envelope, f"{{{WSU}}}Timestamp")
