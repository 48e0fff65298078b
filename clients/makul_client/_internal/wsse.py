"""The signing of SOAP messages with WS-Security: a zeep plugin in pure Python, without xmlsec.

zeep's own `BinarySignature` needs python-xmlsec, a native library. This one uses signxml and
`cryptography`, and signs with RSA and with ECDSA:

    zeep.Client(wsdl, wsse=BinarySignature(credential))

Exactly the Body and the Timestamp are signed (WS-Security X.509 Certificate Token Profile 1.1.1,
section 3; WS-I Basic Security Profile 1.1, section 6).
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
)
from signxml.signer import XMLSigner

from makul_client._internal.crypto.credentials import Credential
from makul_client._internal.crypto.xml import DSIG, SOAP
from makul_client._internal.crypto.xml_parser import build_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
X509_VALUE: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
)
BASE64: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

MESSAGE_LIFE: Final = timedelta(minutes=5)
"""The time for which a message is valid. The service accepts no older message."""

_ID: Final = f"{{{WSU}}}Id"
_NAMESPACES: Final = {"wsse": WSSE, "wsu": WSU, "ds": DSIG}


def utc_now() -> datetime:
    """Return the present time, timezone-aware and in UTC."""
    return datetime.now(UTC)


class _OwnMessage(XMLSigner):
    """The signer of signxml, with a parser that accepts our own message with a long scan.

    signxml parses what it signs again. By default libxml2 accepts no text beyond 10 MB, and a scan
    of 10 MiB is 14 MB of base64.
    """

    @property
    def parser(self) -> etree.XMLParser:
        return build_parser(large=True)


class BinarySignature:
    """A zeep `wsse` plugin that adds an X.509 token and signs Body and Timestamp.

    It uses new ids each time. So two signatures of one request differ even within one second, and a
    retry is never rejected as a replay.
    """

    def __init__(self, credential: Credential, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._credential = credential
        self._clock = clock
        self._token = base64.b64encode(credential.der).decode()

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
        security = _add(header, "wsse", "Security")
        token = _add(security, "wsse", "BinarySecurityToken", self._token)
        token.set(_ID, token_id)
        token.set("ValueType", X509_VALUE)
        token.set("EncodingType", BASE64)
        _timestamp(security, time_id, self._clock())
        security.append(self._signature(envelope, (body_id, time_id), token_id))
        return envelope, headers

    def verify(self, envelope: "Element") -> "Element":
        """Return the envelope unchanged.

        Answers carry no WS-Security, because their receipt proves them.
        """
        return envelope

    def _signature(self, envelope: "Element", signed: tuple[str, str], token_id: str) -> "Element":
        key_info = etree.Element(f"{{{DSIG}}}KeyInfo", nsmap={"ds": DSIG})
        reference = _add(_add(key_info, "wsse", "SecurityTokenReference"), "wsse", "Reference")
        reference.set("URI", f"#{token_id}")
        reference.set("ValueType", X509_VALUE)
        signer = _OwnMessage(
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


def _timestamp(security: "Element", time_id: str, now: datetime) -> None:
    stamp = _add(security, "wsu", "Timestamp")
    stamp.set(_ID, time_id)
    _add(stamp, "wsu", "Created", _instant(now))
    _add(stamp, "wsu", "Expires", _instant(now + MESSAGE_LIFE))


def _add(parent: "Element", prefix: str, name: str, text: str | None = None) -> "Element":
    uri = _NAMESPACES[prefix]
    child = etree.SubElement(parent, f"{{{uri}}}{name}", nsmap={prefix: uri})
    child.text = text
    return child


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
