"""The one accepted shape of WS-Security: what other profiles allow is refused for its reason."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from asn1crypto import core
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.reasons import Code
from makul.trust.wsse.verification import CLOCK_SKEW, MAX_AGE, WsseVerifier
from makul_testing.builders.wsse import (
    CHILD,
    DS,
    SOAP11,
    SOAP12,
    WSSE,
    WSU,
    Message,
    found,
    security,
)
from makul_testing.pki.authorities import NOW

ID = f"{{{WSU}}}Id"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
XENC = "http://www.w3.org/2001/04/xmlenc#"
X509_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"
TICK = timedelta(microseconds=1)

ACTOR_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
ULTIMATE = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"


def code_of(messages: WsseVerifier, envelope: etree._Element, *, at: datetime = NOW) -> Code:
    with pytest.raises(RejectedError) as caught:
        messages.verify(etree.fromstring(etree.tostring(envelope)), at=at)
    (reason,) = caught.value.reasons
    return reason.code


# --- for whom the header is (WSS 1.1, 5) ----------------------------------------------------------


@pytest.mark.parametrize(
    ("soap", "name", "value"),
    [
        (SOAP11, "actor", ""),
        (SOAP11, "actor", ACTOR_NEXT),
        (SOAP12, "role", ULTIMATE),
        (SOAP11, "mustUnderstand", "1"),
        (SOAP12, "mustUnderstand", "true"),
    ],
)
def test_a_security_header_for_us_is_read(
    messages: WsseVerifier, world, soap: str, name: str, value: str
) -> None:
    """SOAP 1.1, 4.2.2; SOAP 1.2 part 1, 2.2: the header names next, the ultimate receiver, or no
    actor.
    """
    envelope = Message(holder=world.bank, soap=soap).signed()
    security(envelope).set(f"{{{soap}}}{name}", value)

    messages.verify(envelope, at=NOW)


@pytest.mark.parametrize(("soap", "name"), [(SOAP11, "actor"), (SOAP12, "role")])
def test_a_security_header_for_another_node_is_ignored(
    messages: WsseVerifier, world, soap: str, name: str
) -> None:
    """SIG-01: a signature for another node is not a signature for us."""
    envelope = Message(holder=world.bank, soap=soap).signed()
    security(envelope).set(f"{{{soap}}}{name}", "urn:another")

    assert code_of(messages, envelope) is Code.SIG_01


def test_security_headers_for_two_nodes_are_refused(messages: WsseVerifier, world) -> None:
    """SIG-03: WSS 1.1, 5, allows two headers; we refuse them, because no node is in between."""
    envelope = Message(holder=world.bank).signed()
    other = etree.SubElement(envelope[0], f"{{{WSSE}}}Security")
    other.set(f"{{{SOAP11}}}actor", "urn:another")

    assert code_of(messages, envelope) is Code.SIG_03


# --- tokens and references to them (X.509 Token Profile 1.1, 3) -----------------------------------


def pkcs7(envelope: etree._Element) -> None:
    found(envelope, f"{{{WSSE}}}BinarySecurityToken").set("ValueType", f"{X509_PROFILE}#PKCS7")


def pki_path(envelope: etree._Element) -> None:
    """Return a chain in one token, for which the service would have to choose a certificate."""
    token = found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    certificate = base64.b64decode(token.text or "")
    chain = core.SequenceOf([core.Any.load(certificate)] * 2, spec=core.Any).dump()
    token.text = base64.b64encode(chain).decode()
    token.set("ValueType", f"{X509_PROFILE}#X509PKIPathv1")


def pki_path_called_certificate(envelope: etree._Element) -> None:
    token = found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    pki_path(envelope)
    token.set("ValueType", f"{X509_PROFILE}#X509v3")


def certificate_and_more(envelope: etree._Element) -> None:
    """Return a second certificate after the first, in the same token."""
    token = found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    token.text = base64.b64encode(base64.b64decode(token.text or "") * 2).decode()


def reference_to(build: Callable[[etree._Element], object]) -> Callable[[etree._Element], None]:
    """Replace the content of the token reference."""

    def change(envelope: etree._Element) -> None:
        reference = found(envelope, f"{{{WSSE}}}SecurityTokenReference")
        reference.remove(reference[0])
        build(reference)

    return change


def key_identifier(kind: str) -> Callable[[etree._Element], None]:
    def build(reference: etree._Element) -> None:
        identifier = etree.SubElement(reference, f"{{{WSSE}}}KeyIdentifier", ValueType=kind)
        identifier.text = base64.b64encode(bytes(20)).decode()

    return reference_to(build)


def issuer_serial(envelope: etree._Element) -> None:
    def build(reference: etree._Element) -> None:
        serial = etree.SubElement(
            etree.SubElement(reference, f"{{{DS}}}X509Data"), f"{{{DS}}}X509IssuerSerial"
        )
        etree.SubElement(serial, f"{{{DS}}}X509IssuerName").text = "CN=Test Citizens CA"
        etree.SubElement(serial, f"{{{DS}}}X509SerialNumber").text = "1"

    reference_to(build)(envelope)


def without_token(change: Callable[[etree._Element], None]) -> Callable[[etree._Element], None]:
    """Omit the certificate, like stacks that expect the receiver to find it by its name."""

    def both(envelope: etree._Element) -> None:
        change(envelope)
        security(envelope).remove(found(envelope, f"{{{WSSE}}}BinarySecurityToken"))

    return both


_SKI = f"{X509_PROFILE}#X509SubjectKeyIdentifier"
_THUMBPRINT = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(pkcs7, Code.SIG_04, id="PKCS7"),
        pytest.param(pki_path, Code.SIG_04, id="X509PKIPathv1"),
        pytest.param(pki_path_called_certificate, Code.SIG_02, id="X509PKIPathv1 as X509v3"),
        pytest.param(certificate_and_more, Code.SIG_02, id="two certificates in one token"),
        pytest.param(key_identifier(_SKI), Code.SIG_03, id="subject key identifier"),
        pytest.param(key_identifier(_THUMBPRINT), Code.SIG_03, id="thumbprint"),
        pytest.param(issuer_serial, Code.SIG_03, id="issuer and serial"),
        pytest.param(without_token(issuer_serial), Code.SIG_03, id="the same, without a token"),
        pytest.param(
            without_token(key_identifier(_THUMBPRINT)), Code.SIG_03, id="thumbprint, no token"
        ),
    ],
)
def test_other_tokens_are_refused(
    messages: WsseVerifier, world, change: Callable[[etree._Element], None], code: Code
) -> None:
    """The message must contain one certificate, named by its own identifier; all else is
    refused.
    """
    envelope = Message(holder=world.bank).signed()
    change(envelope)

    assert code_of(messages, envelope) is code


# --- more than a token, a Timestamp and a Signature ----------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        f"{{{WSSE11}}}SignatureConfirmation",
        f"{{{WSSE11}}}EncryptedHeader",
        f"{{{XENC}}}EncryptedKey",
        f"{{{XENC}}}EncryptedData",
        f"{{{XENC}}}ReferenceList",
        f"{{{WSSE}}}SecurityTokenReference",
        "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion",
    ],
)
def test_other_parts_of_the_security_header_are_refused(
    messages: WsseVerifier, world, name: str
) -> None:
    """SIG-03: the header contains nothing that the service does not read."""
    envelope = Message(holder=world.bank).signed()
    etree.SubElement(security(envelope), name)

    assert code_of(messages, envelope) is Code.SIG_03


def test_another_signed_header_is_refused(messages: WsseVerifier, world) -> None:
    """SIG-03: exactly Body and Timestamp are signed; the service would not read anything else."""
    envelope = Message(holder=world.bank).signed()
    address = etree.SubElement(envelope[0], "{http://www.w3.org/2005/08/addressing}To")
    address.set(ID, "to")
    signed_info = found(envelope, f"{{{DS}}}SignedInfo")
    third = etree.fromstring(etree.tostring(signed_info[-1]))
    third.set("URI", "#to")
    signed_info.append(third)

    assert code_of(messages, envelope) is Code.SIG_03


@pytest.mark.parametrize("part", ["body", "timestamp", "token"])
@pytest.mark.parametrize(
    "attribute", [ID, "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"]
)
def test_an_identifier_of_two_elements_is_refused(
    messages: WsseVerifier, world, part: str, attribute: str
) -> None:
    """SIG-03, for every attribute that some software uses as an identifier."""
    envelope = Message(holder=world.bank).signed()
    etree.SubElement(envelope[0], "{urn:example}other").set(attribute, part)

    assert code_of(messages, envelope) is Code.SIG_03


def test_an_encrypted_body_is_refused(messages: WsseVerifier, world) -> None:
    """A body that was signed encrypted is what was signed; no operation is called EncryptedData."""
    child = f'<x:EncryptedData xmlns:x="{XENC}"/>'
    verified = messages.verify(Message(holder=world.bank, child=child).signed(), at=NOW)

    assert verified.child.tag == f"{{{XENC}}}EncryptedData"


# --- the edges of the Timestamp (docs/recipients.md, channel wsse) ------------------------------


def stamped(created: str, expires: str) -> Callable[[etree._Element], None]:
    def change(envelope: etree._Element) -> None:
        timestamp = found(envelope, f"{{{WSU}}}Timestamp")
        timestamp[0].text, timestamp[1].text = created, expires

    return change


def iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


@pytest.mark.parametrize(
    ("created", "expires", "accepted"),
    [
        (NOW + CLOCK_SKEW, NOW + MAX_AGE, True),
        (NOW + CLOCK_SKEW + TICK, NOW + MAX_AGE, False),
        (NOW - MAX_AGE - CLOCK_SKEW + TICK, NOW + MAX_AGE, True),
        (NOW - MAX_AGE - CLOCK_SKEW, NOW + MAX_AGE, False),
        (NOW - MAX_AGE, NOW - CLOCK_SKEW + TICK, True),
        (NOW - MAX_AGE, NOW - CLOCK_SKEW, False),
        (NOW, NOW + TICK, True),
        (NOW, NOW, False),
        (NOW, NOW - TICK, False),
        (NOW, NOW.replace(year=9000), True),
        (NOW.replace(year=9000), NOW.replace(year=9001), False),
    ],
)
def test_message_time_is_exact_to_the_microsecond(
    messages: WsseVerifier, world, created: datetime, expires: datetime, accepted: bool
) -> None:
    """A message is accepted within MAX_AGE of Created and before Expires, with CLOCK_SKEW, half
    open.
    """
    change = stamped(iso(created), iso(expires))
    envelope = Message(holder=world.bank, before_signing=change).signed()

    if accepted:
        messages.verify(envelope, at=NOW)
    else:
        assert code_of(messages, envelope) is Code.REQ_03


def test_another_time_zone_is_read(messages: WsseVerifier, world) -> None:
    """xs:dateTime: the same instant in Bishkek's zone is accepted; without a zone it is REQ-03."""
    here, then = NOW + timedelta(hours=6), NOW + timedelta(hours=6, minutes=5)
    form = "%Y-%m-%dT%H:%M:%S"
    zoned = stamped(f"{here:{form}}+06:00", f"{then:{form}}+06:00")
    bare = stamped(f"{NOW:{form}}", f"{NOW + MAX_AGE:{form}}")

    messages.verify(Message(holder=world.bank, before_signing=zoned).signed(), at=NOW)
    unzoned = Message(holder=world.bank, before_signing=bare).signed()
    assert code_of(messages, unzoned) is Code.REQ_03


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00Z", "2026-11-22", "24:00"])
def test_missing_time_is_refused(messages: WsseVerifier, world, text: str) -> None:
    """REQ-03: the signed value is no instant."""
    envelope = Message(holder=world.bank, before_signing=stamped(text, text)).signed()

    assert code_of(messages, envelope) is Code.REQ_03


@pytest.mark.parametrize("name", ["Created", "Expires", "Received"])
def test_a_third_part_of_the_timestamp_is_refused(messages: WsseVerifier, world, name: str) -> None:
    """REQ-03; WSS 1.1, 10: there is one Created and one Expires, and nothing else."""

    def add(envelope: etree._Element) -> None:
        stamp = found(envelope, f"{{{WSU}}}Timestamp")
        etree.SubElement(stamp, f"{{{WSU}}}{name}").text = iso(NOW)

    envelope = Message(holder=world.bank, before_signing=add).signed()

    assert code_of(messages, envelope) is Code.REQ_03
    assert CHILD in etree.tostring(envelope).decode()
