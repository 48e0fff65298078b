"""Each refusal names its element and says what is expected (`Reason.field`, `Reason.cause`)."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders.wsse import CHILD, DS, SHA1, SOAP11, WSSE, WSU, Message, found, security
from makul_testing.builders.xades import C14N
from makul_testing.pki.authorities import NOW

Edit = Callable[[etree._Element], object]
ID = f"{{{WSU}}}Id"
XENC = "http://www.w3.org/2001/04/xmlenc#"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"


def read_refusal(messages: WsseVerifier, envelope: etree._Element) -> tuple[Code, str | None, Any]:
    with pytest.raises(RejectedError) as caught:
        messages.verify(envelope, at=NOW)
    (reason,) = caught.value.reasons
    return reason.code, reason.field, reason.cause


def drop(name: str) -> Edit:
    def edit(envelope: etree._Element) -> None:
        element = found(envelope, name)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return edit


def twice(name: str) -> Edit:
    def edit(envelope: etree._Element) -> None:
        copy = deepcopy(found(envelope, name))
        copy.set(ID, "another")
        security(envelope).append(copy)

    return edit


def add(name: str) -> Edit:
    return lambda envelope: etree.SubElement(security(envelope), name)


def key_named_by(name: str, *, with_token: bool = True) -> Edit:
    def edit(envelope: etree._Element) -> None:
        reference = found(envelope, f"{{{WSSE}}}SecurityTokenReference")
        reference.remove(reference[0])
        etree.SubElement(reference, name)
        if not with_token:
            drop(f"{{{WSSE}}}BinarySecurityToken")(envelope)

    return edit


def key_info_of(name: str) -> Edit:
    def edit(envelope: etree._Element) -> None:
        key_info = found(envelope, f"{{{DS}}}KeyInfo")
        key_info.remove(key_info[0])
        etree.SubElement(key_info, name)

    return edit


def token_typed(fragment: str) -> Edit:
    def edit(envelope: etree._Element) -> None:
        token = found(envelope, f"{{{WSSE}}}BinarySecurityToken")
        token.set("ValueType", (token.get("ValueType") or "").replace("X509v3", fragment))

    return edit


def unsigned(identifier: str) -> Edit:
    """Sign the message like a SOAP stack that is not set to sign this part."""

    def edit(envelope: etree._Element) -> None:
        info = found(envelope, f"{{{DS}}}SignedInfo")
        info.remove(next(each for each in info if each.get("URI") == f"#{identifier}"))

    return edit


def signed_beside(envelope: etree._Element) -> None:
    info = found(envelope, f"{{{DS}}}SignedInfo")
    third = deepcopy(info[-1])
    third.set("URI", "#token")
    info.append(third)


def comment_in(name: str) -> Edit:
    return lambda envelope: found(envelope, name).append(etree.Comment("?"))


def instruction_in(name: str) -> Edit:
    return lambda envelope: found(envelope, name).append(etree.ProcessingInstruction("x"))


def actor(envelope: etree._Element) -> None:
    security(envelope).set(f"{{{SOAP11}}}actor", "urn:another")


def text_at(name: str, text: str) -> Edit:
    def edit(envelope: etree._Element) -> None:
        found(envelope, name).text = text

    return edit


def algorithm_at(name: str, algorithm: str) -> Edit:
    def edit(envelope: etree._Element) -> None:
        found(envelope, name).set("Algorithm", algorithm)

    return edit


TOKEN, TIMESTAMP = f"{{{WSSE}}}BinarySecurityToken", f"{{{WSU}}}Timestamp"
REQUEST_ID = "{urn:makul:recipient:1}requestId"
MESSAGES: dict[str, tuple[Edit, Code, str, Cause | None]] = {
    "no Security": (drop(f"{{{WSSE}}}Security"), Code.SIG_01, "Security", Cause.NO_SECURITY),
    "for another actor": (actor, Code.SIG_01, "Security", Cause.SECURITY_FOR_ANOTHER),
    "no Signature": (drop(f"{{{DS}}}Signature"), Code.SIG_01, "Signature", Cause.NO_SIGNATURE),
    "no Timestamp": (drop(TIMESTAMP), Code.SIG_03, "Timestamp", Cause.SECURITY_PARTS),
    "no token": (drop(TOKEN), Code.SIG_03, "BinarySecurityToken", Cause.SECURITY_PARTS),
    "two tokens": (twice(TOKEN), Code.SIG_03, "BinarySecurityToken", Cause.SECURITY_PARTS),
    "two Timestamps": (twice(TIMESTAMP), Code.SIG_03, "Timestamp", Cause.SECURITY_PARTS),
    "encrypted key": (
        add(f"{{{XENC}}}EncryptedKey"),
        Code.SIG_03,
        "EncryptedKey",
        Cause.SECURITY_PARTS,
    ),
    "SAML": (add(f"{SAML}Assertion"), Code.SIG_03, "Assertion", Cause.SECURITY_PARTS),
    "user name": (
        add(f"{{{WSSE}}}UsernameToken"),
        Code.SIG_03,
        "UsernameToken",
        Cause.SECURITY_PARTS,
    ),
    "confirmation": (
        add(f"{{{WSSE11}}}SignatureConfirmation"),
        Code.SIG_03,
        "SignatureConfirmation",
        Cause.SECURITY_PARTS,
    ),
    "a name of the sender's": (
        add("{urn:x}pin21503199012345"),
        Code.SIG_03,
        "Security",
        Cause.SECURITY_PARTS,
    ),
    "key identifier": (
        key_named_by(f"{{{WSSE}}}KeyIdentifier"),
        Code.SIG_03,
        "KeyIdentifier",
        Cause.KEY_REFERENCE,
    ),
    "key identifier, no token": (
        key_named_by(f"{{{WSSE}}}KeyIdentifier", with_token=False),
        Code.SIG_03,
        "KeyIdentifier",
        Cause.KEY_REFERENCE,
    ),
    "issuer and serial, no token": (
        key_named_by(f"{{{DS}}}X509Data", with_token=False),
        Code.SIG_03,
        "X509Data",
        Cause.KEY_REFERENCE,
    ),
    "embedded": (key_named_by(f"{{{WSSE}}}Embedded"), Code.SIG_03, "Embedded", Cause.KEY_REFERENCE),
    "key value": (key_info_of(f"{{{DS}}}KeyValue"), Code.SIG_03, "KeyValue", Cause.KEY_REFERENCE),
    "key name": (key_info_of(f"{{{DS}}}KeyName"), Code.SIG_03, "KeyName", Cause.KEY_REFERENCE),
    "PKIPath": (token_typed("X509PKIPathv1"), Code.SIG_04, "BinarySecurityToken", Cause.TOKEN_TYPE),
    "PKCS7": (token_typed("PKCS7"), Code.SIG_04, "BinarySecurityToken", Cause.TOKEN_TYPE),
    "no certificate": (
        text_at(TOKEN, "AAAA"),
        Code.SIG_02,
        "BinarySecurityToken",
        Cause.CERTIFICATE_FORM,
    ),
    "Timestamp unsigned": (unsigned("timestamp"), Code.SIG_03, "Timestamp", Cause.PART_UNSIGNED),
    "Body unsigned": (unsigned("body"), Code.SIG_03, "Body", Cause.PART_UNSIGNED),
    "token signed as well": (signed_beside, Code.SIG_03, "Reference", Cause.SIGNED_BESIDE),
    "comment": (comment_in(REQUEST_ID), Code.REQ_07, "requestId", Cause.COMMENT),
    "comment in the token": (comment_in(TOKEN), Code.REQ_07, "BinarySecurityToken", Cause.COMMENT),
    "instruction": (instruction_in(REQUEST_ID), Code.REQ_07, "requestId", Cause.INSTRUCTION),
    "inclusive c14n": (
        algorithm_at(f"{{{DS}}}CanonicalizationMethod", C14N),
        Code.SIG_04,
        "CanonicalizationMethod",
        Cause.CANONICALISATION,
    ),
    "unknown c14n": (
        algorithm_at(f"{{{DS}}}CanonicalizationMethod", "urn:c14n"),
        Code.SIG_04,
        "CanonicalizationMethod",
        Cause.CANONICALISATION,
    ),
    "unknown method": (
        algorithm_at(f"{{{DS}}}SignatureMethod", "urn:method"),
        Code.SIG_04,
        "SignatureMethod",
        Cause.SIGNATURE_METHOD,
    ),
    "weak digest": (
        lambda envelope: next(envelope.iter(f"{{{DS}}}DigestMethod")).set("Algorithm", SHA1),
        Code.SIG_04,
        "DigestMethod",
        Cause.DIGEST_METHOD,
    ),
    "a token in PEM": (
        text_at(TOKEN, "-----BEGIN CERTIFICATE-----"),
        Code.SIG_02,
        "BinarySecurityToken",
        Cause.TOKEN_TYPE,
    ),
    "Body changed": (text_at(REQUEST_ID, "x"), Code.SIG_02, "Body", None),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_each_refusal_names_its_cause(messages: WsseVerifier, world, name: str) -> None:
    """The refusal explains a SOAP stack with another profile."""
    edit, *expected = MESSAGES[name]
    envelope = Message(holder=world.bank, child=CHILD).signed()
    edit(envelope)

    assert read_refusal(messages, envelope) == tuple(expected)


@pytest.mark.parametrize(
    ("hours", "cause"),
    [
        (6, Cause.TIME_ZONE),
        (-6, Cause.TIME_ZONE),
        (5.5, Cause.TIME_ZONE),
        (-1, Cause.TIME_ZONE),
        (-0.2, None),
        (-0.5, None),
        (0.5, None),
        (48, None),
        (-48, None),
    ],
)
def test_a_message_of_another_time_zone_has_its_own_text(
    messages: WsseVerifier, world, hours: float, cause: Cause | None
) -> None:
    """REQ-03: local time written as UTC is the usual mistake, and has its own text."""
    created = NOW + timedelta(hours=hours)
    envelope = Message(
        holder=world.bank, created=created, expires=created + timedelta(minutes=5)
    ).signed()

    assert read_refusal(messages, envelope) == (Code.REQ_03, "Created", cause)


def test_a_message_that_expires_before_it_is_created_has_its_own_text(
    messages: WsseVerifier, world
) -> None:
    """REQ-03: such a message is neither old nor of the future, and the text does not say so."""
    envelope = Message(holder=world.bank, expires=NOW - timedelta(minutes=1)).signed()

    assert read_refusal(messages, envelope) == (Code.REQ_03, "Expires", Cause.TIMESTAMP_ORDER)


def test_a_message_that_has_expired_has_its_own_text(messages: WsseVerifier, world) -> None:
    """REQ-03: the message was created a moment ago, for a shorter time."""
    created = NOW - timedelta(minutes=4)
    envelope = Message(
        holder=world.bank, created=created, expires=created + timedelta(minutes=1)
    ).signed()

    assert read_refusal(messages, envelope) == (Code.REQ_03, "Expires", None)
