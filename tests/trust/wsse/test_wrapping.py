"""Messages in which the signed part is not the part that would be read, or lacks parts, are
refused.

The shapes are from McIntosh and Austel, XML Signature Element Wrapping Attacks, 2005.
"""

from collections.abc import Callable

import pytest
from lxml import etree

from makul.domain.reasons import Code
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders.wsse import (
    DS,
    SOAP11,
    SOAP12,
    WSSE,
    WSU,
    Message,
    code_of,
    found,
    security,
)

ID = f"{{{WSU}}}Id"
EVIL = '<m:GetStatus xmlns:m="urn:makul:recipient:1"><m:requestId>evil</m:requestId></m:GetStatus>'


def body_in_header(envelope: etree._Element) -> None:
    """Move the signed Body into a header, and put an evil one in its place."""
    body = envelope[1]
    envelope.replace(body, evil_body(envelope, "evil"))
    etree.SubElement(envelope[0], "wrapper").append(body)


def body_in_header_same_id(envelope: etree._Element) -> None:
    """Do the same, with the signed Body's Id on the evil Body."""
    body = envelope[1]
    envelope.replace(body, evil_body(envelope, "body"))
    etree.SubElement(envelope[0], "wrapper").append(body)


def body_without_id(envelope: etree._Element) -> None:
    """Do the same, with no Id on the evil Body."""
    body = envelope[1]
    evil = evil_body(envelope, "x")
    del evil.attrib[ID]
    envelope.replace(body, evil)
    etree.SubElement(envelope[0], "wrapper").append(body)


def body_in_security(envelope: etree._Element) -> None:
    """Move the signed Body into the Security header."""
    body = envelope[1]
    envelope.replace(body, evil_body(envelope, "evil"))
    security(envelope).append(body)


def body_in_body(envelope: etree._Element) -> None:
    """Move the signed Body into an evil one."""
    body = envelope[1]
    evil = evil_body(envelope, "evil")
    envelope.replace(body, evil)
    evil.append(body)


def body_twice(envelope: etree._Element) -> None:
    """Put an evil Body after the signed one."""
    envelope.append(evil_body(envelope, "evil"))


def body_first(envelope: etree._Element) -> None:
    """Put an evil Body before the signed one."""
    envelope.insert(1, evil_body(envelope, "evil"))


def envelope_in_header(envelope: etree._Element) -> None:
    """Move the whole signed envelope into the header of an evil one."""
    inner = etree.fromstring(etree.tostring(envelope))
    for child in list(envelope[0]):
        envelope[0].remove(child)
    envelope[0].append(inner)
    envelope.replace(envelope[1], evil_body(envelope, "evil"))


def security_moved(envelope: etree._Element) -> None:
    """Move the Security header one level down."""
    element = security(envelope)
    etree.SubElement(envelope[0], "wrapper").append(element)


def security_in_body(envelope: etree._Element) -> None:
    """Move the Security header into the Body."""
    envelope[1].append(security(envelope))


def security_twice(envelope: etree._Element) -> None:
    """Add a second, empty Security header."""
    etree.SubElement(envelope[0], f"{{{WSSE}}}Security")


def header_twice(envelope: etree._Element) -> None:
    """Add a second Header."""
    envelope.insert(0, etree.Element(envelope[0].tag))


def token_twice(envelope: etree._Element) -> None:
    """Add a second BinarySecurityToken."""
    token = etree.fromstring(etree.tostring(found(envelope, f"{{{WSSE}}}BinarySecurityToken")))
    token.set(ID, "second")
    security(envelope).append(token)


def token_elsewhere(envelope: etree._Element) -> None:
    """Move the token out of the Security header."""
    etree.SubElement(envelope[0], "wrapper").append(
        found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    )


def signature_twice(envelope: etree._Element) -> None:
    """Add a second Signature."""
    copy = etree.fromstring(etree.tostring(found(envelope, f"{{{DS}}}Signature")))
    security(envelope).append(copy)


def username_token(envelope: etree._Element) -> None:
    """Add another kind of token, which confers nothing."""
    etree.SubElement(security(envelope), f"{{{WSSE}}}UsernameToken")


def same_id_elsewhere(envelope: etree._Element) -> None:
    """Give another element the Body's identifier, in another attribute."""
    etree.SubElement(envelope[0], "wrapper").set("ID", "body")


def evil_body(envelope: etree._Element, identifier: str) -> etree._Element:
    body = etree.Element(envelope[1].tag)
    body.set(ID, identifier)
    body.append(etree.fromstring(EVIL))
    return body


@pytest.mark.parametrize(
    "attack",
    [
        body_in_header,
        body_in_header_same_id,
        body_without_id,
        body_in_security,
        body_in_body,
        body_twice,
        body_first,
        envelope_in_header,
        security_moved,
        security_in_body,
        security_twice,
        header_twice,
        token_twice,
        token_elsewhere,
        signature_twice,
        username_token,
        same_id_elsewhere,
    ],
)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_wrapping_is_refused(
    messages: WsseVerifier, world, attack: Callable[[etree._Element], None], soap: str
) -> None:
    """SIG-03: the signed part is not the part that would be read."""
    envelope = Message(holder=world.bank, soap=soap).signed()
    attack(envelope)

    assert code_of(messages, etree.fromstring(etree.tostring(envelope))) is Code.SIG_03


def test_signature_must_cover_body_and_timestamp(messages: WsseVerifier, world) -> None:
    """SIG-03: a signature that omits the Timestamp, or names one part twice."""
    for name in ("timestamp", "body"):
        envelope = Message(holder=world.bank).signed()
        reference = envelope.find(f".//{{{DS}}}Reference[@URI='#{name}']")
        reference.getparent().remove(reference)
        assert code_of(messages, envelope) is Code.SIG_03

    envelope = Message(holder=world.bank).signed()
    envelope.find(f".//{{{DS}}}Reference[@URI='#timestamp']").set("URI", "#body")
    assert code_of(messages, envelope) is Code.SIG_03


def test_missing_parts_are_refused(messages: WsseVerifier, world) -> None:
    """SIG-01: no header, no Security, no Signature."""
    for path in ("{*}Header", ".//{*}Security", ".//{*}Signature"):
        envelope = Message(holder=world.bank).signed()
        element = envelope.find(path)
        element.getparent().remove(element)
        assert code_of(messages, envelope) is Code.SIG_01


def test_other_xml_is_refused(messages: WsseVerifier) -> None:
    for text in ("<a/>", "<Envelope/>", '<e:Envelope xmlns:e="urn:other"/>'):
        assert code_of(messages, etree.fromstring(text)) is Code.SIG_03
