"""Messages signed with a WS-Security token: what is accepted, its mark, and for how long."""

import base64
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from makul.domain.reasons import Code
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders.wsse import (
    CHILD,
    DS,
    SOAP11,
    SOAP12,
    WSSE,
    WSU,
    Message,
    code_of,
    found,
    instant,
    security,
    timestamp,
)
from makul_testing.pki.authorities import NOW, Profile, key_usage

MINUTE = timedelta(minutes=1)
ID = f"{{{WSU}}}Id"


# --- what is accepted ---------------------------------------------------------------------------


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("kind", ["bank", "rsa_bank"])
@pytest.mark.parametrize("prefixes", [None, "soap unused", "#default m"])
def test_signed_message_is_accepted(
    messages: WsseVerifier, world, soap: str, kind: str, prefixes
) -> None:
    """SOAP 1.1 and 1.2, RSA and ECDSA are accepted, with a PrefixList as WSS4J writes it."""
    holder = getattr(world, kind)
    envelope = Message(holder=holder, soap=soap, prefixes=prefixes).signed()
    received = etree.tostring(envelope)

    verified = messages.verify(envelope, at=NOW)

    assert etree.tostring(verified.child, method="c14n", exclusive=True) == CHILD.encode()
    assert verified.fingerprint == holder.fingerprint
    assert etree.tostring(envelope) == received


def test_child_is_built_from_the_verified_bytes(messages: WsseVerifier, world) -> None:
    """docs/architecture.md, invariant 2: the returned child is no part of the received tree."""
    envelope = Message(holder=world.bank).signed()
    child = messages.verify(envelope, at=NOW).child

    found(envelope, "{urn:makul:recipient:1}requestId").text = "changed afterwards"

    assert "changed" not in etree.tostring(child).decode()


def test_mark_identifies_a_message(messages: WsseVerifier, world) -> None:
    """REQ-09: a message always has the same mark, and a message that is signed again has
    another.
    """
    envelope = Message(holder=world.bank).signed()
    value = base64.b64decode(found(envelope, f"{{{DS}}}SignatureValue").text)
    first, again = (messages.verify(envelope, at=NOW).mark for _ in range(2))
    second = messages.verify(Message(holder=world.bank).signed(), at=NOW).mark
    rsa = Message(holder=world.rsa_bank).signed()
    rsa_value = base64.b64decode(found(rsa, f"{{{DS}}}SignatureValue").text)

    assert first == again
    assert first.digest != second.digest
    key = world.rsa_bank.key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert messages.verify(rsa, at=NOW).mark.digest == sha256(rsa_value + key).digest()
    assert len(value) == 64


def test_mark_withstands_malleability(messages: WsseVerifier, world) -> None:
    """Anybody can compute (r, n - s) from ECDSA's (r, s); it is valid too, and is the same
    message.
    """
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
    """REQ-09: the token is not signed, so a renewed certificate in it does not make another
    message.
    """
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
def test_white_space_takes_little_memory(
    messages: WsseVerifier, world, spread: Callable[[etree._Element, str], None]
) -> None:
    """A message may have 16 MB; splitting it at spaces, before authentication, took 300 MB more."""
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
def test_mark_ends_when_the_message_is_stale(
    messages: WsseVerifier, world, expires_after: timedelta, forgotten_after: timedelta
) -> None:
    """The mark lives exactly as long as the message could be accepted a second time."""
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
def test_stale_and_future_messages_are_refused(
    messages: WsseVerifier, world, created, expires
) -> None:
    """The timestamp must be within 5 minutes, and the clocks may differ by one."""
    envelope = Message(holder=world.bank, created=created, expires=expires).signed()

    assert code_of(messages, envelope) is Code.REQ_03


@pytest.mark.parametrize("seconds", [-59, 0, 359])
def test_message_in_time_is_accepted(messages: WsseVerifier, world, seconds: int) -> None:
    envelope = Message(holder=world.bank).signed()

    messages.verify(envelope, at=NOW + timedelta(seconds=seconds))


def test_swapped_timestamp_is_refused(messages: WsseVerifier, world) -> None:
    """SIG-02 or SIG-03: a new Timestamp over an old signature, or an unread signed one
    beside it.
    """
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
