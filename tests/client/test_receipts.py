"""The operator's receipts: a genuine one is accepted, every other withholds the answer."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from makul_client import Client, ReceiptError, ReceiptFlaw
from makul_client.models.response import PersonData
from makul_testing.client.world import (
    GROUND,
    NOW,
    PROBE,
    client_for,
    operator,
    parties,
    write_profile,
)
from makul_testing.pki.client import TestAuthority, new_key
from makul_testing.servers.fake_service import PERSON, Reply, answer, run_fake_service

ASKED = ["pin", "surname", "birthDate"]


def get(client: Client) -> PersonData:
    with client:
        return client.get_person_data(PROBE, ASKED, ground=GROUND)


def flaw(folder: Path, reply: Reply, **profile: Any) -> ReceiptFlaw:
    with run_fake_service(reply) as service:
        client = client_for(write_profile(folder, service.url, **profile))
        with pytest.raises(ReceiptError) as raised:
            get(client)
    return raised.value.flaw


def test_a_genuine_receipt_is_accepted(tmp_path: Path) -> None:
    """Procedure, cl. 10: data come with a receipt that names request, ground and attributes."""
    with run_fake_service(operator().decide("RELEASED", person=PERSON)) as service:
        data = get(client_for(write_profile(tmp_path, service.url)))

    assert data.person.surname is not None
    assert data.person.surname.ky == "Үлгүлөва"
    assert data.decision.receipt.released == {"pin", "surname", "birthDate"}
    assert data.decision.receipt.request_digest == service.requests[0].digest


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"request_id": str(uuid4())}, ReceiptFlaw.REQUEST),
        ({"digest": b"\0" * 32}, ReceiptFlaw.REQUEST),
        ({"operation": "VerifyPerson"}, ReceiptFlaw.REQUEST),
        ({"recipient": "COM/60000002"}, ReceiptFlaw.REQUEST),
        ({"agreement": "TEST-2026/002"}, ReceiptFlaw.REQUEST),
        ({"outcome": "REFUSED"}, ReceiptFlaw.ANSWER),
        ({"id": str(uuid4())}, ReceiptFlaw.ANSWER),
        ({"codes": ("REL-01",)}, ReceiptFlaw.ANSWER),
        ({"at": NOW - timedelta(seconds=1)}, ReceiptFlaw.ANSWER),
        ({"released": ["pin"]}, ReceiptFlaw.ANSWER),
        ({"ground": b"\0" * 32}, ReceiptFlaw.ANSWER),
        ({"payload": b"\0" * 32}, ReceiptFlaw.PAYLOAD),
        ({"operator": "GOV/70000002"}, ReceiptFlaw.SIGNER),
    ],
)
def test_another_receipt_withholds_the_answer(
    tmp_path: Path, changed: dict[str, Any], expected: ReceiptFlaw
) -> None:
    """A receipt is for one request and one answer."""
    reply = operator().decide("RELEASED", person=PERSON, in_receipt=changed)

    assert flaw(tmp_path, reply) is expected


def test_changed_data_are_withheld(tmp_path: Path) -> None:
    """The payload digest covers the received element `person`, to the byte."""
    other = PERSON.replace(b"1990-01-01", b"1990-01-02")
    reply = operator().decide("RELEASED", person=PERSON, in_answer={"person": other})

    assert flaw(tmp_path, reply) is ReceiptFlaw.PAYLOAD


def test_missing_data_are_noticed(tmp_path: Path) -> None:
    """An answer whose data were lost is not an answer without data."""
    reply = operator().decide("RELEASED", person=PERSON, in_answer={"person": None})

    assert flaw(tmp_path, reply) is ReceiptFlaw.ANSWER


def test_unrequested_data_are_withheld(tmp_path: Path) -> None:
    """Only requested attributes are accepted, even if the operator signs for more."""
    with run_fake_service(operator().decide("RELEASED", person=PERSON)) as service:
        client = client_for(write_profile(tmp_path, service.url))
        with client, pytest.raises(ReceiptError) as raised:
            client.get_person_data(PROBE, ["pin"], ground=GROUND)

    assert raised.value.flaw is ReceiptFlaw.ANSWER


def test_a_refusal_is_proved_too(tmp_path: Path) -> None:
    """A forged refusal denies a citizen a service, so it is withheld like a forged release."""
    reply = operator().decide(
        "RELEASED",
        person=PERSON,
        in_answer={
            "outcome": "REFUSED",
            "codes": ("CNS-05",),
            "person": None,
        },
    )

    assert flaw(tmp_path, reply) is ReceiptFlaw.ANSWER


def test_another_certificate_of_the_same_authority_is_not_the_operator(tmp_path: Path) -> None:
    """The operator's certificate is pinned, because its authority issues to many."""
    other = operator(parties().authority.issue("Test operator"))

    assert flaw(tmp_path, other.decide("RELEASED", person=PERSON)) is ReceiptFlaw.SIGNER


def test_a_pinned_certificate_still_needs_a_path(tmp_path: Path) -> None:
    """An imitated authority of the same name does not issue the operator's certificate."""
    lookalike = TestAuthority.new("Test root", NOW)
    reply = operator().decide("RELEASED", person=PERSON)

    assert flaw(tmp_path, reply, anchor=lookalike.certificate) is ReceiptFlaw.SIGNER


def test_revoked_certificate_proves_nothing(tmp_path: Path) -> None:
    """RFC 5280, 6.3: a revoked certificate proves nothing."""
    authority, certificate = parties().authority, parties().operator.certificate
    reply = operator().decide("RELEASED", person=PERSON)

    assert flaw(tmp_path, reply, crls=[authority.crl([certificate])]) is ReceiptFlaw.REVOKED


def test_certificate_outside_a_current_list_is_good(tmp_path: Path) -> None:
    """If lists are configured, a current one without the certificate is good."""
    profile = {"crls": [parties().authority.crl()]}
    with run_fake_service(operator().decide("RELEASED", person=PERSON)) as service:
        data = get(client_for(write_profile(tmp_path, service.url, **profile)))

    assert data.decision.outcome == "RELEASED"


def test_a_stale_list_is_undetermined(tmp_path: Path) -> None:
    """If lists are configured, an expired one withholds: undetermined is not yes."""
    stale = parties().authority.crl(life=timedelta(seconds=30))
    reply = operator().decide("RELEASED", person=PERSON)

    assert flaw(tmp_path, reply, crls=[stale]) is ReceiptFlaw.REVOCATION_UNKNOWN


def test_a_list_of_another_authority_has_no_effect(tmp_path: Path) -> None:
    """A list that does not cover the certificate has no effect."""
    foreign = TestAuthority.new("Another root", NOW).crl()
    reply = operator().decide("RELEASED", person=PERSON)

    assert flaw(tmp_path, reply, crls=[foreign]) is ReceiptFlaw.REVOCATION_UNKNOWN


def test_expired_certificate_is_refused(tmp_path: Path) -> None:
    """The operator's certificate must be in its term."""
    expired = parties().authority.issue("Test operator", term=timedelta(days=29))
    reply = operator(expired).decide("RELEASED", person=PERSON)

    assert flaw(tmp_path, reply, pinned=expired) is ReceiptFlaw.EXPIRED


def test_a_certificate_not_for_signing_is_refused(tmp_path: Path) -> None:
    """EN 319 412-2, 4.3.2: the key usage must allow signatures."""
    sealed = parties().authority.issue("Test operator", usage="key_encipherment")
    reply = operator(sealed).decide("RELEASED", person=PERSON)

    assert flaw(tmp_path, reply, pinned=sealed) is ReceiptFlaw.SIGNER


def test_receipt_of_the_future_is_refused(tmp_path: Path) -> None:
    """An operator's clock may be five minutes ahead, not six."""
    future = {"at": NOW + timedelta(minutes=6)}
    reply = operator().decide("RELEASED", person=PERSON, in_receipt=future, in_answer=future)

    assert flaw(tmp_path, reply) is ReceiptFlaw.TIME


def _flip(receipt: bytes) -> bytes:
    return receipt.replace(b"RELEASED", b"REFUSED_"[:7])


def _unsigned(receipt: bytes) -> bytes:
    return re.sub(rb"<ds:Signature.*</ds:Signature>", b"", receipt, flags=re.DOTALL)


def _commented(receipt: bytes) -> bytes:
    return receipt.replace(b"<outcome>RELEASED", b"<outcome><!-- -->RELEASED")


def _with_dtd(receipt: bytes) -> bytes:
    return receipt.replace(b"<Receipt", b'<!DOCTYPE Receipt SYSTEM "x"><Receipt', 1)


def _twice(receipt: bytes) -> bytes:
    signature = re.search(rb"<ds:Signature .*</ds:Signature>", receipt, flags=re.DOTALL)
    assert signature
    return receipt.replace(b"</Receipt>", signature[0] + b"</Receipt>")


def _wrapped(receipt: bytes) -> bytes:
    """Move the signed receipt into an evil one with another Id (XSW)."""
    original = etree.fromstring(receipt)
    signature = original[-1]
    evil = etree.fromstring(receipt)
    evil.remove(evil[-1])
    evil.set("Id", "evil")
    original.remove(signature)
    signature.find("{*}Object").append(original)
    evil.append(signature)
    return etree.tostring(evil)


def _same_id_twice(receipt: bytes) -> bytes:
    """Repeat the Id in another spelling (XSW)."""
    root = etree.fromstring(receipt)
    root[0].set("ID", "receipt")
    return etree.tostring(root)


def _pointing_at_nothing(receipt: bytes) -> bytes:
    """Refer to an Id that no element has."""
    return receipt.replace(b'URI="#receipt"', b'URI="#None"').replace(b' Id="receipt"', b"")


def _truncated(receipt: bytes) -> bytes:
    return receipt[:-20]


def _empty(_: bytes) -> bytes:
    return b"x"


def _xslt(receipt: bytes) -> bytes:
    old = b"http://www.w3.org/2000/09/xmldsig#enveloped-signature"
    return receipt.replace(old, b"http://www.w3.org/TR/1999/REC-xslt-19991116")


def _foreign_certificate(receipt: bytes) -> bytes:
    """Put another certificate over the same key into KeyInfo."""
    other = parties().authority.issue("Test other", key=parties().operator.key)
    der = base64.b64encode(other.certificate.public_bytes(Encoding.DER))
    return re.sub(
        rb"<ds:X509Certificate>.*?</ds:X509Certificate>",
        b"<ds:X509Certificate>" + der + b"</ds:X509Certificate>",
        receipt,
        flags=re.DOTALL,
    )


@pytest.mark.parametrize(
    "spoil",
    [
        _flip,
        _unsigned,
        _commented,
        _with_dtd,
        _twice,
        _wrapped,
        _same_id_twice,
        _pointing_at_nothing,
        _truncated,
        _empty,
        _xslt,
        _foreign_certificate,
    ],
)
def test_a_malformed_receipt_withholds_the_answer(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    """XML-DSig best practices, "see what is signed": one flaw in form is enough."""
    reply = operator().decide("RELEASED", person=PERSON, signed=spoil)

    assert flaw(tmp_path, reply) is ReceiptFlaw.SIGNATURE


def test_a_receipt_fetched_later_is_judged_at_its_own_time(tmp_path: Path) -> None:
    """Procedure, cl. 11: a receipt that was good at its signature still proves it to an auditor."""
    brief = parties().authority.issue("Test operator", term=timedelta(days=31))
    replay_or_refuse = uuid4()

    def reply(request: Any) -> tuple[int, bytes]:
        facts = {"id": str(uuid4()), "outcome": "MATCHED", "codes": (), "person": None, "at": NOW}
        document = operator(brief).receipt(
            request, request_id=str(replay_or_refuse), agreement="TEST-2026/001", **facts
        )
        document_64 = base64.b64encode(document).decode()
        return answer("GetReceipt", f"<receipt>{document_64}</receipt>")(request)

    with run_fake_service(reply) as service:
        profile = write_profile(tmp_path, service.url, pinned=brief)
        with client_for(profile, after=timedelta(days=90)) as client:
            receipt = client.receipt(replay_or_refuse)
            with pytest.raises(ReceiptError) as raised:
                client.receipt(uuid4())

    assert receipt.outcome == "MATCHED"
    assert raised.value.flaw is ReceiptFlaw.REQUEST


@pytest.mark.parametrize("kind", ["RSA-2048", "P-384"])
def test_every_kind_of_operator_key_is_accepted(tmp_path: Path, kind: str) -> None:
    """RSA from 2048 bits, ECDSA P-256, P-384 and P-521 are accepted."""
    other = parties().authority.issue("Test operator", key=new_key(kind))
    with run_fake_service(operator(other).decide("RELEASED", person=PERSON)) as service:
        data = get(client_for(write_profile(tmp_path, service.url, pinned=other)))

    assert data.decision.outcome == "RELEASED"
