"""A good message of a genuine bank, and the changes before and after it is signed."""

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lxml import etree
from lxml.etree import _Element as Element

from makul.domain.reasons import Code
from makul_testing.builders.wsse import DS, WSSE, WSU, X509_V3, Message, instant
from makul_testing.pki.authorities import Holder

if TYPE_CHECKING:
    from vectors.attacks.cast import Cast

ID = f"{{{WSU}}}Id"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
MINUTE = timedelta(minutes=1)
TRANSFORM_STR = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
    "#STR-Transform"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender: a true key of a registered recipient, and a request that would get data."""

    holder: Holder
    stranger: Holder
    """A holder that is certified as well, and registered for no recipient."""
    child: Callable[[], bytes]
    """A request that would be granted, with a new id."""
    at: datetime
    cast: "Cast"
    """The corpus's authorities and citizens, whose root is trusted beside the sender's."""

    def message(self, **departures: Any) -> Message:
        usual: dict[str, Any] = {
            "holder": self.holder,
            "child": self.child().decode(),
            "created": self.at,
            "expires": self.at + 5 * MINUTE,
        }
        return Message(**(usual | departures))

    def signed(self, **departures: Any) -> Element:
        return self.message(**departures).signed()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageVector:
    """A message, whose bytes `build` makes."""

    name: str
    why: str
    build: Callable[[Sender], bytes]
    code: Code | None
    """The fault's reason, or None if it is answered."""
    within: timedelta | None = None
    """The maximum time of a refusal, if its cost is the attack."""


Edit = Callable[[Element, Sender], object]


def one(envelope: Element, name: str, namespace: str = WSSE) -> Element:
    return next(envelope.iter(f"{{{namespace}}}{name}"))


def evil_body(
    envelope: Element, sender: Sender, identifier: str | None, attribute: str = ID
) -> Element:
    """Return another request, which nobody signed and which would be granted."""
    body = etree.Element(envelope[-1].tag, nsmap=envelope.nsmap)
    if identifier:
        body.set(attribute, identifier)
    body.append(etree.fromstring(sender.child()))
    return body


def into(place: str, identifier: str | None, attribute: str = ID) -> Edit:
    """Move the signed Body elsewhere, and put an evil one in its place."""

    def edit(envelope: Element, sender: Sender) -> None:
        body = envelope[-1]
        evil = evil_body(envelope, sender, identifier, attribute)
        envelope.replace(body, evil)
        holders = {
            "header": lambda: etree.SubElement(envelope[0], "wrapper"),
            "security": lambda: one(envelope, "Security"),
            "timestamp": lambda: one(envelope, "Timestamp", WSU),
            "token": lambda: one(envelope, "BinarySecurityToken"),
            "signature": lambda: etree.SubElement(
                one(envelope, "Signature", DS), f"{{{DS}}}Object"
            ),
            "key-info": lambda: one(envelope, "KeyInfo", DS),
            "body": lambda: evil,
            "envelope": lambda: envelope,
            "before-header": lambda: envelope,
        }
        holder = holders[place]()
        holder.insert(0, body) if place == "before-header" else holder.append(body)

    return edit


def evil_beside(*, first: bool) -> Edit:
    def edit(envelope: Element, sender: Sender) -> None:
        evil = evil_body(envelope, sender, "evil")
        envelope.insert(1, evil) if first else envelope.append(evil)

    return edit


def envelope_in_header(envelope: Element, sender: Sender) -> None:
    """Move the whole signed envelope into the header of an evil one."""
    inner = deepcopy(envelope)
    for child in list(envelope[0]):
        envelope[0].remove(child)
    envelope[0].append(inner)
    envelope.replace(envelope[-1], evil_body(envelope, sender, "evil"))


def second_child(envelope: Element, sender: Sender) -> None:
    envelope[-1].append(etree.fromstring(sender.child()))


def first_child(envelope: Element, sender: Sender) -> None:
    envelope[-1].insert(0, etree.fromstring(sender.child()))


def security_moved(envelope: Element, sender: Sender) -> None:
    etree.SubElement(envelope[0], "wrapper").append(one(envelope, "Security"))


def security_in_body(envelope: Element, sender: Sender) -> None:
    envelope[-1].append(one(envelope, "Security"))


def security_twice(envelope: Element, sender: Sender) -> None:
    envelope[0].append(deepcopy(one(envelope, "Security")))


def security_empty_beside(envelope: Element, sender: Sender) -> None:
    etree.SubElement(envelope[0], f"{{{WSSE}}}Security")


def security_for_another_actor(envelope: Element, sender: Sender) -> None:
    """Add a second header for another node; a lax reader uses the first of them."""
    other = etree.Element(f"{{{WSSE}}}Security")
    other.set(f"{{{etree.QName(envelope).namespace}}}actor", "urn:other")
    envelope[0].insert(0, other)


def token_twice(envelope: Element, sender: Sender) -> None:
    token = deepcopy(one(envelope, "BinarySecurityToken"))
    token.set(ID, "second")
    token.text = b64encode(sender.stranger.der).decode()
    one(envelope, "Security").insert(0, token)


def token_elsewhere(envelope: Element, sender: Sender) -> None:
    etree.SubElement(envelope[0], "wrapper").append(one(envelope, "BinarySecurityToken"))


def token_swapped(envelope: Element, sender: Sender) -> None:
    """Put another party's certificate into the token of a message of one's own."""
    one(envelope, "BinarySecurityToken").text = b64encode(sender.stranger.der).decode()


def token_garbage(text: str) -> Edit:
    def edit(envelope: Element, sender: Sender) -> None:
        one(envelope, "BinarySecurityToken").text = text

    return edit


def token_attribute(name: str, value: str) -> Edit:
    return lambda envelope, sender: one(envelope, "BinarySecurityToken").set(name, value)


def reference_attribute(name: str, value: str) -> Edit:
    return lambda envelope, sender: one(envelope, "Reference").set(name, value)


def token_reference(xml: str) -> Edit:
    """Name the key by other means in KeyInfo."""

    def edit(envelope: Element, sender: Sender) -> None:
        info = one(envelope, "KeyInfo", DS)
        for child in list(info):
            info.remove(child)
        element = etree.fromstring(f'<k xmlns:wsse="{WSSE}" xmlns:ds="{DS}">{xml}</k>')
        for child in list(element):
            info.append(child)

    return edit


def also_in_key_info(envelope: Element, sender: Sender) -> None:
    etree.SubElement(one(envelope, "KeyInfo", DS), f"{{{DS}}}X509Data")


def signature_twice(envelope: Element, sender: Sender) -> None:
    one(envelope, "Security").append(deepcopy(one(envelope, "Signature", DS)))


def signature_elsewhere(envelope: Element, sender: Sender) -> None:
    envelope[0].append(one(envelope, "Signature", DS))


def username_token(envelope: Element, sender: Sender) -> None:
    token = etree.SubElement(one(envelope, "Security"), f"{{{WSSE}}}UsernameToken")
    etree.SubElement(token, f"{{{WSSE}}}Username").text = "COM/60000001"


def saml(envelope: Element, sender: Sender) -> None:
    etree.SubElement(one(envelope, "Security"), "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")


def same_id(name: str, value: str) -> Edit:
    """Add another element with the identifier of a signed part."""

    def edit(envelope: Element, sender: Sender) -> None:
        etree.SubElement(envelope[0], "wrapper").set(name, value)

    return edit


def left_out(identifier: str) -> Edit:
    """Remove the reference to a part after signing."""

    def edit(envelope: Element, sender: Sender) -> None:
        (reference,) = envelope.findall(f".//{{{DS}}}Reference[@URI='#{identifier}']")
        reference.getparent().remove(reference)  # type: ignore[union-attr]

    return edit


def gone(name: str, namespace: str) -> Edit:
    def edit(envelope: Element, sender: Sender) -> None:
        element = one(envelope, name, namespace)
        element.getparent().remove(element)  # type: ignore[union-attr]

    return edit


def refreshed(envelope: Element, sender: Sender) -> None:
    """Write a later Created after signing."""
    one(envelope, "Created", WSU).text = instant(sender.at + timedelta(seconds=1))


def stamp_beside(envelope: Element, sender: Sender) -> None:
    fresh = deepcopy(one(envelope, "Timestamp", WSU))
    fresh.set(ID, "fresh")
    one(envelope, "Security").insert(0, fresh)


def stamp_in_header(envelope: Element, sender: Sender) -> None:
    """Move the signed Timestamp into a wrapper, and put an evil one in its place."""
    stamp = one(envelope, "Timestamp", WSU)
    fresh = deepcopy(stamp)
    fresh.set(ID, "fresh")
    stamp.getparent().replace(stamp, fresh)  # type: ignore[union-attr]
    etree.SubElement(envelope[0], "wrapper").append(stamp)


def changed_value(envelope: Element, sender: Sender) -> None:
    element = next(each for each in envelope[-1].iter("*") if each.tag.endswith("}requestId"))
    element.text = "6f1c1c1e-0000-4000-8000-00000000000f"


def edited(edit: Edit, **departures: Any) -> Callable[[Sender], bytes]:
    """Change a good message after it was signed."""

    def build(sender: Sender) -> bytes:
        envelope = sender.signed(**departures)
        edit(envelope, sender)
        return etree.tostring(envelope)

    return build


def departed(**departures: Any) -> Callable[[Sender], bytes]:
    """Sign a message that differs in one respect."""
    return lambda sender: etree.tostring(sender.signed(**departures))


def at_times(created: timedelta, expires: timedelta | None) -> Callable[[Sender], bytes]:
    def build(sender: Sender) -> bytes:
        ends = None if expires is None else sender.at + expires
        return etree.tostring(sender.signed(created=sender.at + created, expires=ends))

    return build


def rewritten(old: bytes, new: bytes) -> Callable[[Sender], bytes]:
    def build(sender: Sender) -> bytes:
        message = etree.tostring(sender.signed())
        assert old in message
        return message.replace(old, new, 1)

    return build


def by_the_stranger(sender: Sender) -> bytes:
    return etree.tostring(sender.signed(holder=sender.stranger))


def header_signed(sender: Sender) -> bytes:
    """Give a header block the signed identifier, and the Body another."""

    def before(envelope: Element) -> None:
        envelope[-1].set(ID, "other")
        block = etree.SubElement(envelope[0], "{urn:block}block")
        block.set(ID, "body")

    return etree.tostring(sender.signed(before_signing=before))


EDITS: dict[str, tuple[Edit, Code]] = {
    "evil-body-first": (evil_beside(first=True), Code.REQ_01),
    "evil-body-after": (evil_beside(first=False), Code.REQ_01),
    "envelope-in-header": (envelope_in_header, Code.SIG_03),
    "second-child": (second_child, Code.REQ_01),
    "second-child-first": (first_child, Code.REQ_01),
    "security-moved": (security_moved, Code.SIG_03),
    "security-in-body": (security_in_body, Code.REQ_01),
    "security-twice": (security_twice, Code.SIG_03),
    "security-empty-beside": (security_empty_beside, Code.SIG_03),
    "security-for-another-actor": (security_for_another_actor, Code.SIG_03),
    "token-twice": (token_twice, Code.SIG_03),
    "token-elsewhere": (token_elsewhere, Code.SIG_03),
    "token-swapped": (token_swapped, Code.SIG_02),
    "token-empty": (token_garbage(""), Code.SIG_02),
    "token-no-base64": (token_garbage("!"), Code.SIG_02),
    "token-no-certificate": (token_garbage("MAA="), Code.SIG_02),
    "token-of-a-path": (
        token_attribute("ValueType", X509_V3.replace("v3", "PKIPathv1")),
        Code.SIG_04,
    ),
    "token-of-pkcs7": (
        token_attribute("ValueType", X509_V3.replace("X509v3", "PKCS7")),
        Code.SIG_04,
    ),
    "token-in-hexadecimal": (token_attribute("EncodingType", "urn:hex"), Code.SIG_04),
    "token-referred-to-elsewhere": (reference_attribute("URI", "#body"), Code.SIG_03),
    "token-referred-to-by-http": (reference_attribute("URI", "http://127.0.0.1:9/t"), Code.SIG_03),
    "token-referred-to-as-a-path": (reference_attribute("ValueType", "urn:other"), Code.SIG_03),
    "key-info-with-more": (also_in_key_info, Code.SIG_03),
    "signature-twice": (signature_twice, Code.SIG_03),
    "signature-elsewhere": (signature_elsewhere, Code.SIG_03),
    "username-token": (username_token, Code.SIG_03),
    "saml-assertion": (saml, Code.SIG_03),
    "body-left-out": (left_out("body"), Code.SIG_03),
    "timestamp-left-out": (left_out("timestamp"), Code.SIG_03),
    "no-header": (gone("Header", "http://schemas.xmlsoap.org/soap/envelope/"), Code.SIG_01),
    "no-security": (gone("Security", WSSE), Code.SIG_01),
    "no-signature": (gone("Signature", DS), Code.SIG_01),
    "no-timestamp": (gone("Timestamp", WSU), Code.SIG_03),
    "no-token": (gone("BinarySecurityToken", WSSE), Code.SIG_03),
    "no-key-info": (gone("KeyInfo", DS), Code.SIG_03),
    "timestamp-changed": (refreshed, Code.SIG_02),
    "timestamp-beside": (stamp_beside, Code.SIG_03),
    "timestamp-wrapped": (stamp_in_header, Code.SIG_03),
    "value-changed": (changed_value, Code.SIG_02),
}
"""Each edit by its name, with the reason for which the message must then be refused."""
