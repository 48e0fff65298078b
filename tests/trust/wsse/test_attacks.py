"""Messages whose content, algorithms, keys or tokens an attacker chose are refused."""

import base64
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.reasons import Code
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders.wsse import CHILD, DS, RSA_SHA1, SHA1, WSSE, Message, code_of, found
from makul_testing.pki.authorities import NOW, Profile, key_usage, name_of, new_rsa_key

MINUTE = timedelta(minutes=1)


# --- content ------------------------------------------------------------------------------------


def test_tampering_is_refused(messages: WsseVerifier, world) -> None:
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
def test_comments_and_instructions_are_refused(
    messages: WsseVerifier, world, markup: str, place: bytes
) -> None:
    """REQ-07: canonicalisation drops comments, so a comment could split a value unnoticed."""
    signed = etree.tostring(Message(holder=world.bank).signed())

    changed = signed.replace(place, markup.encode() + place)

    assert code_of(messages, etree.fromstring(changed)) is Code.REQ_07


def test_body_must_have_one_child(messages: WsseVerifier, world) -> None:
    """WS-I Basic Profile 1.1, R2201: no child, two children, or text beside one is REQ-01."""
    for child in ("", CHILD + CHILD, f"x{CHILD}", f"{CHILD}x", "x"):
        assert code_of(messages, Message(holder=world.bank, child=child).signed()) is Code.REQ_01


def test_every_byte_counts(messages: WsseVerifier, world) -> None:
    """No byte of the Body or the Timestamp can change."""
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


def test_internal_error_is_a_refusal(
    messages: WsseVerifier, world, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/architecture.md, invariant 7: an internal error rejects the message and quotes nothing
    of it.
    """

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("quoted from the message")

    monkeypatch.setattr("makul.trust.wsse.verification.verify_proven", broken)

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
def test_weak_algorithms_are_refused(messages: WsseVerifier, world, departure: dict) -> None:
    """SIG-04; by default zeep signs with RSA-SHA1 and SHA-1."""
    assert code_of(messages, Message(holder=world.rsa_bank, **departure).signed()) is Code.SIG_04


def test_unusable_certificates_are_refused(messages: WsseVerifier, world) -> None:
    """SIG-04, 05, 09, 10: the rules are those of documents; the key of a TLS client may sign
    messages.
    """
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


def test_token_of_another_is_refused(messages: WsseVerifier, world) -> None:
    """SIG-02: the sender signed the message and put another party's certificate into the token."""
    envelope = Message(holder=world.bank).signed()
    found(envelope, f"{{{WSSE}}}BinarySecurityToken").text = base64.b64encode(
        world.citizen.der
    ).decode()

    assert code_of(messages, envelope) is Code.SIG_02


@pytest.mark.parametrize("change", ["uri", "type", "embedded", "certificate", "encoding"])
def test_token_reference_must_name_the_token(messages: WsseVerifier, world, change: str) -> None:
    """X.509 Token Profile 1.1, 3: KeyInfo must name the one token, of the one kind."""
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
def test_garbage_for_a_token_is_refused(messages: WsseVerifier, world, text: str) -> None:
    """A stranger's bytes only ever raise a rejection."""
    envelope = Message(holder=world.bank).signed()
    found(envelope, f"{{{WSSE}}}BinarySecurityToken").text = text

    assert code_of(messages, envelope) is Code.SIG_02
