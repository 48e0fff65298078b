"""Messages signed by a WS-Security token: what is accepted, and every way they are refused."""

import base64
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.reasons import Code
from makul.trust.wsse import WsseVerifier
from support.pki import NOW, Profile, key_usage, name_of, new_rsa_key
from support.wsse import (
    CHILD,
    DS,
    RSA_SHA1,
    SHA1,
    SOAP11,
    SOAP12,
    WSSE,
    WSU,
    Message,
    instant,
)

MINUTE = timedelta(minutes=1)
ID = f"{{{WSU}}}Id"
EVIL = '<m:GetStatus xmlns:m="urn:makul:recipient:1"><m:requestId>evil</m:requestId></m:GetStatus>'


def code_of(messages: WsseVerifier, envelope: etree._Element, *, at=NOW) -> Code:
    """The one reason for which a message is refused; the exception says nothing more."""
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


# --- what is accepted ---------------------------------------------------------------------------


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("kind", ["bank", "rsa_bank"])
@pytest.mark.parametrize("prefixes", [None, "soap unused", "#default m"])
def test_signed_message(messages: WsseVerifier, world, soap: str, kind: str, prefixes) -> None:
    """CONTRACT, Channels: SOAP 1.1 and 1.2, RSA and ECDSA, with a PrefixList as WSS4J writes it."""
    holder = getattr(world, kind)
    envelope = Message(holder=holder, soap=soap, prefixes=prefixes).signed()
    received = etree.tostring(envelope)

    verified = messages.verify(envelope, at=NOW)

    assert etree.tostring(verified.child, method="c14n", exclusive=True) == CHILD.encode()
    assert verified.fingerprint == holder.fingerprint
    assert etree.tostring(envelope) == received


def test_child_is_of_the_verified_bytes(messages: WsseVerifier, world) -> None:
    """ARCHITECTURE, invariant 2: the child handed on is no part of the received tree."""
    envelope = Message(holder=world.bank).signed()
    child = messages.verify(envelope, at=NOW).child

    found(envelope, "{urn:makul:recipient:1}requestId").text = "changed afterwards"

    assert "changed" not in etree.tostring(child).decode()


def test_mark(messages: WsseVerifier, world) -> None:
    """REQ-09: the same message has the same mark each time; a message signed anew has another."""
    envelope = Message(holder=world.bank).signed()
    value = base64.b64decode(found(envelope, f"{{{DS}}}SignatureValue").text)
    first, again = (messages.verify(envelope, at=NOW).mark for _ in range(2))
    anew = messages.verify(Message(holder=world.bank).signed(), at=NOW).mark
    rsa = Message(holder=world.rsa_bank).signed()
    rsa_value = base64.b64decode(found(rsa, f"{{{DS}}}SignatureValue").text)

    assert first == again
    assert first.digest != anew.digest
    key = world.rsa_bank.key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert messages.verify(rsa, at=NOW).mark.digest == sha256(rsa_value + key).digest()
    assert len(value) == 64


def test_mark_withstands_malleability(messages: WsseVerifier, world) -> None:
    """Of ECDSA's (r, s) anybody can compute (r, n - s): valid too, and still the same message."""
    envelope = Message(holder=world.bank).signed()
    mark = messages.verify(envelope, at=NOW).mark
    element = found(envelope, f"{{{DS}}}SignatureValue")
    value = base64.b64decode(element.text)
    other = ec.SECP256R1().group_order - int.from_bytes(value[32:], "big")
    element.text = base64.b64encode(value[:32] + other.to_bytes(32, "big")).decode()

    assert messages.verify(envelope, at=NOW).mark == mark

    element.text = "\n" + " ".join(element.text)
    assert messages.verify(envelope, at=NOW).mark == mark


def test_mark_withstands_another_certificate_of_the_key(messages: WsseVerifier, world) -> None:
    """REQ-09: the token is not signed. A renewal's certificate in it makes no other message."""
    envelope = Message(holder=world.bank).signed()
    mark = messages.verify(envelope, at=NOW).mark
    renewed = world.ca.issue(
        Profile(subject=world.bank.certificate.subject, usage=key_usage("digital_signature")),
        key=world.bank.key,
    )
    assert renewed.fingerprint != world.bank.fingerprint

    token = found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    token.text = base64.b64encode(renewed.der).decode()

    verified = messages.verify(envelope, at=NOW)
    assert verified.fingerprint == renewed.fingerprint
    assert verified.mark == mark


def spread_token(envelope: etree._Element, text: str) -> None:
    found(envelope, f"{{{WSSE}}}BinarySecurityToken").text = text


def spread_prefixes(envelope: etree._Element, text: str) -> None:
    (first, *_) = envelope.iter("{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces")
    first.set("PrefixList", text)


@pytest.mark.parametrize("spread", [spread_token, spread_prefixes])
def test_white_space_takes_no_memory(
    messages: WsseVerifier, world, spread: Callable[[etree._Element, str], None]
) -> None:
    """A message may have 16 MB; split at its spaces, before anybody is known, it took 300 more."""
    size = 3_000_000
    envelope = Message(holder=world.bank, prefixes="unused").signed()
    spread(envelope, "AB " * (size // 3))

    tracemalloc.start()
    try:
        code_of(messages, envelope)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 8 * size


@pytest.mark.parametrize(
    ("expires_after", "forgotten_after"), [(2 * MINUTE, 3 * MINUTE), (60 * MINUTE, 6 * MINUTE)]
)
def test_forgotten_when_stale_anyway(
    messages: WsseVerifier, world, expires_after: timedelta, forgotten_after: timedelta
) -> None:
    """The mark lives exactly as long as the message could come again and pass."""
    envelope = Message(holder=world.bank, expires=NOW + expires_after).signed()

    mark = messages.verify(envelope, at=NOW).mark

    assert mark.forget_after == NOW + forgotten_after
    messages.verify(envelope, at=mark.forget_after - timedelta(microseconds=1))
    assert code_of(messages, envelope, at=mark.forget_after) is Code.REQ_03


# --- time (REQ-03) ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "expires"),
    [
        (NOW - 7 * MINUTE, NOW + 5 * MINUTE),
        (NOW - 3 * MINUTE, NOW - 2 * MINUTE),
        (NOW + 2 * MINUTE, NOW + 5 * MINUTE),
        (NOW, NOW),
        (NOW, NOW - MINUTE),
        (NOW, None),
    ],
    ids=["old", "expired", "future", "no time at all", "backwards", "without Expires"],
)
def test_stale_or_future(messages: WsseVerifier, world, created, expires) -> None:
    """CONTRACT, Channels: the timestamp within 5 minutes, the clocks within one."""
    envelope = Message(holder=world.bank, created=created, expires=expires).signed()

    assert code_of(messages, envelope) is Code.REQ_03


@pytest.mark.parametrize("seconds", [-59, 0, 359])
def test_in_time(messages: WsseVerifier, world, seconds: int) -> None:
    envelope = Message(holder=world.bank).signed()

    messages.verify(envelope, at=NOW + timedelta(seconds=seconds))


def test_timestamp_swapped(messages: WsseVerifier, world) -> None:
    """A fresh Timestamp over an old signature; a signed one beside it that nobody reads."""
    old = Message(holder=world.bank, created=NOW - 60 * MINUTE, expires=NOW - 55 * MINUTE)
    refreshed = old.signed()
    timestamp(refreshed)[0].text = instant(NOW)
    timestamp(refreshed)[1].text = instant(NOW + 5 * MINUTE)
    assert code_of(messages, refreshed) is Code.SIG_02

    beside = old.signed()
    fresh = etree.fromstring(etree.tostring(timestamp(refreshed)))
    fresh.set(ID, "fresh")
    security(beside).append(fresh)
    assert code_of(messages, beside) is Code.SIG_03

    moved = old.signed()
    original = timestamp(moved)
    security(moved).replace(original, fresh)
    etree.SubElement(moved[0], "elsewhere").append(original)
    assert code_of(messages, moved) is Code.SIG_03


# --- wrapping (McIntosh and Austel, XML Signature Element Wrapping Attacks, 2005) -----------------


def body_in_header(envelope: etree._Element) -> None:
    """The signed Body goes into a header; an evil one takes its place."""
    body = envelope[1]
    envelope.replace(body, evil_body(envelope, "evil"))
    etree.SubElement(envelope[0], "wrapper").append(body)


def body_in_header_same_id(envelope: etree._Element) -> None:
    """The same, and the evil Body bears the signed one's Id."""
    body = envelope[1]
    envelope.replace(body, evil_body(envelope, "body"))
    etree.SubElement(envelope[0], "wrapper").append(body)


def body_without_id(envelope: etree._Element) -> None:
    """The same, and the evil Body bears none."""
    body = envelope[1]
    evil = evil_body(envelope, "x")
    del evil.attrib[ID]
    envelope.replace(body, evil)
    etree.SubElement(envelope[0], "wrapper").append(body)


def body_in_security(envelope: etree._Element) -> None:
    """The signed Body goes into the Security header."""
    body = envelope[1]
    envelope.replace(body, evil_body(envelope, "evil"))
    security(envelope).append(body)


def body_in_body(envelope: etree._Element) -> None:
    """The signed Body goes into an evil one."""
    body = envelope[1]
    evil = evil_body(envelope, "evil")
    envelope.replace(body, evil)
    evil.append(body)


def body_twice(envelope: etree._Element) -> None:
    """An evil Body after the signed one."""
    envelope.append(evil_body(envelope, "evil"))


def body_first(envelope: etree._Element) -> None:
    """An evil Body before the signed one."""
    envelope.insert(1, evil_body(envelope, "evil"))


def envelope_in_header(envelope: etree._Element) -> None:
    """The whole signed envelope goes into the header of an evil one."""
    inner = etree.fromstring(etree.tostring(envelope))
    for child in list(envelope[0]):
        envelope[0].remove(child)
    envelope[0].append(inner)
    envelope.replace(envelope[1], evil_body(envelope, "evil"))


def security_moved(envelope: etree._Element) -> None:
    """The Security header goes one level down."""
    element = security(envelope)
    etree.SubElement(envelope[0], "wrapper").append(element)


def security_in_body(envelope: etree._Element) -> None:
    """The Security header goes into the Body."""
    envelope[1].append(security(envelope))


def security_twice(envelope: etree._Element) -> None:
    """A second, empty Security header."""
    etree.SubElement(envelope[0], f"{{{WSSE}}}Security")


def header_twice(envelope: etree._Element) -> None:
    """A second Header."""
    envelope.insert(0, etree.Element(envelope[0].tag))


def token_twice(envelope: etree._Element) -> None:
    """A second BinarySecurityToken."""
    token = etree.fromstring(etree.tostring(found(envelope, f"{{{WSSE}}}BinarySecurityToken")))
    token.set(ID, "second")
    security(envelope).append(token)


def token_elsewhere(envelope: etree._Element) -> None:
    """The token stands outside the Security header."""
    etree.SubElement(envelope[0], "wrapper").append(
        found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    )


def signature_twice(envelope: etree._Element) -> None:
    """A second Signature."""
    copy = etree.fromstring(etree.tostring(found(envelope, f"{{{DS}}}Signature")))
    security(envelope).append(copy)


def username_token(envelope: etree._Element) -> None:
    """Another kind of token, which confers nothing."""
    etree.SubElement(security(envelope), f"{{{WSSE}}}UsernameToken")


def same_id_elsewhere(envelope: etree._Element) -> None:
    """Another element with the Body's identifier, under another attribute."""
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
def test_wrapping(
    messages: WsseVerifier, world, attack: Callable[[etree._Element], None], soap: str
) -> None:
    """SIG-03: what was signed is not what would be read."""
    envelope = Message(holder=world.bank, soap=soap).signed()
    attack(envelope)

    assert code_of(messages, etree.fromstring(etree.tostring(envelope))) is Code.SIG_03


def test_only_the_body_signed(messages: WsseVerifier, world) -> None:
    """SIG-03: a signature that leaves the Timestamp out, or names one part twice."""
    for name in ("timestamp", "body"):
        envelope = Message(holder=world.bank).signed()
        reference = envelope.find(f".//{{{DS}}}Reference[@URI='#{name}']")
        reference.getparent().remove(reference)
        assert code_of(messages, envelope) is Code.SIG_03

    envelope = Message(holder=world.bank).signed()
    envelope.find(f".//{{{DS}}}Reference[@URI='#timestamp']").set("URI", "#body")
    assert code_of(messages, envelope) is Code.SIG_03


def test_missing_parts(messages: WsseVerifier, world) -> None:
    """SIG-01: no header, no Security, no Signature."""
    for path in ("{*}Header", ".//{*}Security", ".//{*}Signature"):
        envelope = Message(holder=world.bank).signed()
        element = envelope.find(path)
        element.getparent().remove(element)
        assert code_of(messages, envelope) is Code.SIG_01


def test_not_an_envelope(messages: WsseVerifier) -> None:
    for text in ("<a/>", "<Envelope/>", '<e:Envelope xmlns:e="urn:other"/>'):
        assert code_of(messages, etree.fromstring(text)) is Code.SIG_03


# --- content ------------------------------------------------------------------------------------


def test_tampering(messages: WsseVerifier, world) -> None:
    """SIG-02: a changed value, an added element, a changed namespace."""
    signed = etree.tostring(Message(holder=world.bank).signed())

    for old, new in (
        (b"000000000001", b"000000000002"),
        (b"<m:requestId>", b"<m:x/><m:requestId>"),
        (b"urn:makul:recipient:1", b"urn:makul:recipient:2"),
        (b"wsu:Created>2026", b"wsu:Created>2025"),
    ):
        assert signed != signed.replace(old, new)
        assert code_of(messages, etree.fromstring(signed.replace(old, new))) is Code.SIG_02


@pytest.mark.parametrize("markup", ["<!-- x -->", "<?x y?>"])
@pytest.mark.parametrize("place", [b"0000-4000", b"</m:GetStatus>", b"</soap:Header>"])
def test_comments_and_instructions(
    messages: WsseVerifier, world, markup: str, place: bytes
) -> None:
    """REQ-07: canonicalisation drops comments, so a value could be cut in two unnoticed."""
    signed = etree.tostring(Message(holder=world.bank).signed())

    changed = signed.replace(place, markup.encode() + place)

    assert code_of(messages, etree.fromstring(changed)) is Code.REQ_07


def test_body_of_one_child(messages: WsseVerifier, world) -> None:
    """WS-I Basic Profile 1.1, R2201: none, two, or text beside it is REQ-01."""
    for child in ("", CHILD + CHILD, f"x{CHILD}", f"{CHILD}x", "x"):
        assert code_of(messages, Message(holder=world.bank, child=child).signed()) is Code.REQ_01


def test_every_byte_counts(messages: WsseVerifier, world) -> None:
    """STYLE, rule 10: no byte of the Body or the Timestamp can change."""
    signed = etree.tostring(Message(holder=world.bank).signed())
    start, end = signed.index(b"<wsu:Timestamp"), signed.index(b"</soap:Body>")

    for position in range(start, end, 2):
        mutated = bytearray(signed)
        mutated[position] ^= 0x01
        try:
            envelope = etree.fromstring(bytes(mutated))
        except etree.XMLSyntaxError:
            continue
        with pytest.raises(RejectedError):
            messages.verify(envelope, at=NOW)


def test_what_breaks_us_is_refused(
    messages: WsseVerifier, world, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ARCHITECTURE, invariant 7: a defect rejects the message, and quotes nothing of it."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("quoted from the message")

    monkeypatch.setattr("makul.trust.wsse.verify_proven", broken)

    with pytest.raises(RejectedError) as caught:
        messages.verify(Message(holder=world.bank).signed(), at=NOW)
    assert caught.value.reasons[0].code is Code.SIG_02
    assert "quoted" not in str(caught.value.__cause__)


# --- algorithms, keys, certificates -------------------------------------------------------------


@pytest.mark.parametrize(
    "departure",
    [
        {"signature_method": RSA_SHA1},
        {"digest_method": SHA1},
        {"transform": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
        {"transform": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"},
        {"transform": "http://www.w3.org/TR/1999/REC-xslt-19991116"},
        {"transform": "urn:foo"},
        {"canonicalisation": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
        {"canonicalisation": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"},
        {"signature_method": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"},
        {"signature_method": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
        {"prefixes": " ".join(f"p{number}" for number in range(33))},
    ],
)
def test_algorithms(messages: WsseVerifier, world, departure: dict) -> None:
    """SIG-04. zeep signs with RSA-SHA1 and SHA-1 unless it is told otherwise."""
    assert code_of(messages, Message(holder=world.rsa_bank, **departure).signed()) is Code.SIG_04


def test_certificates(messages: WsseVerifier, world) -> None:
    """SIG-04, 05, 09, 10: the same rules as for documents; a TLS client's key may sign messages."""
    signing = key_usage("digital_signature")
    bank = name_of("Bank")

    def code(profile: Profile, **key: object) -> Code:
        return code_of(messages, Message(holder=world.ca.issue(profile, **key)).signed())

    assert code(Profile(subject=bank, usage=key_usage("key_encipherment"))) is Code.SIG_10
    assert code(Profile(subject=bank, extended=[ExtendedKeyUsageOID.SERVER_AUTH])) is Code.SIG_10
    assert code(Profile(subject=bank, usage=signing), key=new_rsa_key(1024)) is Code.SIG_04
    assert code(Profile(not_after=NOW - MINUTE)) is Code.SIG_05
    assert code(Profile(not_before=NOW + MINUTE)) is Code.SIG_05
    client = Profile(subject=bank, extended=[ExtendedKeyUsageOID.CLIENT_AUTH])
    messages.verify(Message(holder=world.ca.issue(client)).signed(), at=NOW)


def test_token_of_another(messages: WsseVerifier, world) -> None:
    """SIG-02: another's certificate in the token of a message that one signed oneself."""
    envelope = Message(holder=world.bank).signed()
    found(envelope, f"{{{WSSE}}}BinarySecurityToken").text = base64.b64encode(
        world.citizen.der
    ).decode()

    assert code_of(messages, envelope) is Code.SIG_02


@pytest.mark.parametrize("change", ["uri", "type", "embedded", "certificate", "encoding"])
def test_token_reference(messages: WsseVerifier, world, change: str) -> None:
    """X.509 Token Profile 1.1, 3: KeyInfo names the one token, of the one kind, and no other."""
    envelope = Message(holder=world.bank).signed()
    key_info = found(envelope, f"{{{DS}}}KeyInfo")
    token = found(envelope, f"{{{WSSE}}}BinarySecurityToken")
    if change == "uri":
        key_info[0][0].set("URI", "#body")
    elif change == "type":
        token.set("ValueType", "urn:other")
    elif change == "embedded":
        etree.SubElement(key_info[0], f"{{{WSSE}}}Embedded")
    elif change == "certificate":
        etree.SubElement(key_info, f"{{{DS}}}X509Data")
    else:
        token.set("EncodingType", "urn:other")

    assert code_of(messages, envelope) in (Code.SIG_03, Code.SIG_04)


@pytest.mark.parametrize("text", ["", "!", "AAAA", "MAA="])
def test_garbage_for_a_token(messages: WsseVerifier, world, text: str) -> None:
    """A stranger's bytes never raise anything but a rejection."""
    envelope = Message(holder=world.bank).signed()
    found(envelope, f"{{{WSSE}}}BinarySecurityToken").text = text

    assert code_of(messages, envelope) is Code.SIG_02
