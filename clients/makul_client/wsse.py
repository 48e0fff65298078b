"""Signs SOAP messages with WS-Security, in pure Python: a zeep plugin that needs no xmlsec.

zeep's own `BinarySignature` rests on python-xmlsec, a native library; this one rests on signxml
and `cryptography`, and signs with RSA and ECDSA alike:

    zeep.Client(wsdl, wsse=BinarySignature(credential))

Signed are exactly the Body and the Timestamp (WS-Security X.509 Certificate Token Profile 1.1.1,
section 3; WS-I Basic Security Profile 1.1, section 6).
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from lxml.builder import ElementMaker
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
)
from signxml.signer import XMLSigner

from makul_client.credentials import Credential
from makul_client.xml import DSIG, SOAP

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

WSSE: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
)
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
X509_TOKEN: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
)
BASE64: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
    "#Base64Binary"
)

MESSAGE_LIFE: Final = timedelta(minutes=5)
"""How long a message is good for; the service takes none older."""

_wsse = ElementMaker(namespace=WSSE, nsmap={"wsse": WSSE, "wsu": WSU})
_wsu = ElementMaker(namespace=WSU, nsmap={"wsu": WSU})
_ds = ElementMaker(namespace=DSIG, nsmap={"ds": DSIG})
_ID: Final = f"{{{WSU}}}Id"


def utc_now() -> datetime:
    """The present, aware and in UTC."""
    return datetime.now(UTC)


class BinarySignature:
    """A zeep `wsse` plugin: X.509 token, signed Body and Timestamp, under fresh ids each time.

    Fresh ids make two signatures over the same request differ even within one second, so that a
    retry is never taken for a replay.
    """

    def __init__(self, credential: Credential, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._credential = credential
        self._clock = clock
        self._token = base64.b64encode(credential.certificate.public_bytes(Encoding.DER)).decode()

    def apply(
        self, envelope: "Element", headers: dict[str, str]
    ) -> "tuple[Element, dict[str, str]]":
        """Sign a SOAP 1.1 envelope, in place."""
        body = envelope.find(f"{{{SOAP}}}Body")
        if body is None:
            raise ValueError("an envelope without a Body")
        header = envelope.find(f"{{{SOAP}}}Header")
        if header is None:
            header = etree.Element(f"{{{SOAP}}}Header")
            envelope.insert(0, header)
        body_id, time_id, token_id = (f"id-{uuid4()}" for _ in range(3))
        body.set(_ID, body_id)
        security = _wsse.Security(
            self._binary_token(token_id), _timestamp(time_id, self._clock())
        )
        header.append(security)
        security.append(self._signature(envelope, (body_id, time_id), token_id))
        return envelope, headers

    def verify(self, envelope: "Element") -> "Element":
        """Answers carry no WS-Security: what proves them is their receipt."""
        return envelope

    def _binary_token(self, token_id: str) -> "Element":
        token = _wsse.BinarySecurityToken(
            self._token, ValueType=X509_TOKEN, EncodingType=BASE64
        )
        token.set(_ID, token_id)
        return token

    def _signature(
        self, envelope: "Element", signed: tuple[str, str], token_id: str
    ) -> "Element":
        key_info = _ds.KeyInfo(
            _wsse.SecurityTokenReference(
                _wsse.Reference(URI=f"#{token_id}", ValueType=X509_TOKEN)
            )
        )
        signer = XMLSigner(
            method=SignatureConstructionMethod.detached,
            signature_algorithm=self._credential.method,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signature: Element = signer.sign(
            envelope,
            key=self._credential.key,
            key_info=key_info,
            reference_uri=[f"#{each}" for each in signed],
        )
        return signature


def _timestamp(time_id: str, now: datetime) -> "Element":
    stamp = _wsu.Timestamp(_wsu.Created(_instant(now)), _wsu.Expires(_instant(now + MESSAGE_LIFE)))
    stamp.set(_ID, time_id)
    return stamp


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
