"""A document of the operator is verified by its pinned certificate, without a path."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from makul.domain.reasons import Code
from makul.trust.base.errors import SignatureFailure
from makul.trust.keys.files import KeySigner
from makul.trust.xades.operator_signature import verify_operator_signature
from makul.trust.xades.receipt_signer import XadesReceiptSigner
from makul.trust.xades.signing import sign_document
from makul_testing.pki.authorities import NOW, Holder, new_key, new_rsa_key

STATEMENT = (
    b'<MonthlyStatement xmlns="urn:makul:month:1" Id="s-1"><month>2026-10</month>'
    b"</MonthlyStatement>"
)
KEYS: dict[str, Callable[[], Any]] = {
    "P-256": new_key,
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": new_rsa_key,
}


def fingerprint(holder: Holder) -> bytes:
    return holder.certificate.fingerprint(hashes.SHA256())


def signed_by(holder: Holder, *, at: datetime = NOW) -> bytes:
    signer = XadesReceiptSigner(KeySigner(holder.key), holder.certificate)
    return signer.sign(STATEMENT, at=at)


def refused(document: bytes, *known: bytes) -> Code:
    with pytest.raises(SignatureFailure) as caught:
        verify_operator_signature(document, known)
    return caught.value.code


@pytest.mark.parametrize("key", KEYS)
def test_a_statement_of_a_known_signer_is_returned_as_signed(world, key: str) -> None:
    """The result is what was signed, without the signature."""
    operator = world.ca.issue(key=KEYS[key]())

    root = verify_operator_signature(signed_by(operator), {fingerprint(operator)})

    assert etree.tostring(root, method="c14n", exclusive=True) == STATEMENT


def test_another_certificate_is_refused(world) -> None:
    """A certificate of the same authority is not the operator's."""
    operator, other = world.ca.issue(), world.ca.issue()

    assert refused(signed_by(operator), fingerprint(other)) is Code.SIG_08
    assert refused(signed_by(operator)) is Code.SIG_08


def test_a_claimed_time_outside_the_validity_is_refused(world) -> None:
    """An expired key signs no statement."""
    operator = world.ca.issue()
    begins = operator.certificate.not_valid_before_utc
    ends = operator.certificate.not_valid_after_utc

    for at in (begins, ends):
        verify_operator_signature(signed_by(operator, at=at), {fingerprint(operator)})
    for at in (begins - timedelta(seconds=1), ends + timedelta(seconds=1)):
        assert refused(signed_by(operator, at=at), fingerprint(operator)) is Code.SIG_05


def test_every_changed_byte_is_refused(world) -> None:
    """Also in the signature; no change leaves the document acceptable."""
    operator = world.ca.issue()
    known = {fingerprint(operator)}
    document = signed_by(operator)

    accepted = []
    for index in range(len(document)):
        changed = document[:index] + bytes([document[index] ^ 1]) + document[index + 1 :]
        try:
            verify_operator_signature(changed, known)
        except SignatureFailure:
            continue
        accepted.append(index)
    assert accepted == []


def test_content_after_the_signature_is_refused(world) -> None:
    """The signature is the last child, and covers the whole document."""
    operator = world.ca.issue()
    document = signed_by(operator).replace(
        b"</MonthlyStatement>", b"<month>2026-11</month></MonthlyStatement>"
    )

    assert refused(document, fingerprint(operator)) in {Code.SIG_02, Code.SIG_03}


@pytest.mark.parametrize("document", [b"", b"<a", STATEMENT, b"<a/>" * 2, b"x" * 300_000])
def test_what_is_not_signed_is_refused(world, document: bytes) -> None:
    assert refused(document, fingerprint(world.ca.issue())) in {Code.SIG_01, Code.SIG_02}


def test_other_software_may_have_signed(world) -> None:
    """The form is that of any signed document."""
    operator = world.ca.issue()
    document = sign_document(STATEMENT, operator.key, [operator.certificate], at=NOW)

    assert verify_operator_signature(document, {fingerprint(operator)})[0].text == "2026-10"
