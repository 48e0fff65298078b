"""Messages are signed with WS-Security, for RSA and ECDSA, and signxml and the service agree."""

import base64
from uuid import uuid4

import pytest
from cryptography import x509
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from makul_client._internal.crypto.credentials import Credential, WeakKeyError, signature_method
from makul_client._internal.soap_messages import Messages, Port, find_request
from makul_client._internal.wsse import WSSE, WSU, BinarySignature
from makul_client.models.reasons import Language
from makul_client.profile import Channel
from makul_testing.client.world import NOW, parties
from makul_testing.pki.client import new_key


def signed(credential: Credential) -> bytes:
    request_id = uuid4()
    envelope = Messages(Port.RECIPIENT, Channel.WSSE, Language.EN).write(
        "GetStatus", {"requestId": str(request_id)}, headers={}, request_id=request_id
    )
    BinarySignature(credential, clock=lambda: NOW).apply(envelope, {})
    return etree.tostring(envelope)


@pytest.mark.parametrize("kind", ["RSA-2048", "P-256", "P-384"])
def test_body_and_timestamp_are_signed(kind: str) -> None:
    """X.509 Token Profile 1.1.1, section 3: the token's key signs Body and Timestamp."""
    credential = parties().authority.issue("Test bank", key=new_key(kind))
    message = etree.fromstring(signed(credential))
    security = message.find(f".//{{{WSSE}}}Security")
    token = security.find(f"{{{WSSE}}}BinarySecurityToken")
    config = SignatureConfiguration(
        location="./*/{*}Security/", expect_references=2, verification_time=NOW
    )
    certificate = x509.load_der_x509_certificate(base64.b64decode(token.text))
    body, stamp = XMLVerifier().verify(message, x509_cert=certificate, expect_config=config)

    assert certificate == credential.certificate
    assert body.signed_xml is not None
    assert body.signed_xml[0].tag == find_request(message).tag
    assert stamp.signed_xml is not None
    assert stamp.signed_xml.findtext(f"{{{WSU}}}Created") == "2026-11-02T04:15:00Z"
    assert stamp.signed_xml.findtext(f"{{{WSU}}}Expires") == "2026-11-02T04:20:00Z"


def test_every_signature_differs() -> None:
    """REQ-09: RSA signatures are deterministic, so new ids keep a retry from being a replay."""
    credential = parties().recipient

    assert signed(credential) != signed(credential)


@pytest.mark.parametrize("kind", ["RSA-1024"])
def test_weak_keys_are_refused(kind: str) -> None:
    """ETSI TS 119 312, 9.3: the key is too short."""
    with pytest.raises(WeakKeyError):
        signature_method(new_key(kind).public_key())


def test_a_key_that_does_not_fit_the_certificate_is_refused() -> None:
    """Confused files are found when they are loaded, not by the service."""
    with pytest.raises(WeakKeyError, match="not that of the certificate"):
        Credential(new_key(), parties().recipient.certificate)
