"""Documents with one enveloped XAdES-B signature: what is accepted, and what it proves."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.pki.certificates import PinRule
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xades.signing import sign_document
from makul_testing.builders.xades import (
    C14N,
    CONTENT,
    ENVELOPED,
    RSA_PSS_SHA256,
    Forge,
    instant,
)
from makul_testing.pki.authorities import NOW, PIN, Authority, Profile, key_usage, name_of

EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION


def test_signature_of_a_citizen_is_accepted(documents: XadesVerifier, world) -> None:
    """ETSI EN 319 102-1, 5.1.3: a good signature passes, and names its signer."""
    signed = sign_document(CONTENT.encode(), world.citizen.key, world.citizen.chain, at=NOW)

    verified = documents.verify(signed, at=NOW)

    assert verified.proof.status is ProofStatus.PASSED
    assert verified.proof.reasons == ()
    assert verified.proof.signer is not None
    assert verified.proof.signer.fingerprint == world.citizen.fingerprint
    assert verified.proof.signer.pin is not None
    assert verified.proof.signer.pin.digits == PIN
    assert verified.proof.signer.official is None


def test_verifier_returns_exactly_what_was_signed(documents: XadesVerifier, world) -> None:
    """docs/architecture.md, invariant 2: the returned element is built from the signed
    bytes only.
    """
    verified = documents.verify(Forge(holder=world.citizen).signed(), at=NOW)

    assert verified.signed is not None
    assert etree.tostring(verified.signed, method="c14n") == CONTENT.encode()


@pytest.mark.parametrize(
    "departure",
    [
        {"document_uri": ""},
        {"document_transforms": (ENVELOPED, C14N)},
        {"document_transforms": (ENVELOPED,)},
        {"signing_time": instant(NOW + timedelta(minutes=4))},
        {"signing_time": "2026-11-22T18:00:00.123+06:00"},
    ],
    ids=["whole document", "inclusive c14n", "no c14n named", "clock ahead", "local time"],
)
def test_variants_that_are_accepted(documents: XadesVerifier, world, departure: dict) -> None:
    """XML Signature 1.1, 4.4.3: variants of other signers are accepted within the allow-list."""
    verified = documents.verify(Forge(holder=world.citizen, **departure).signed(), at=NOW)

    assert verified.proof.status is ProofStatus.PASSED, verified.report


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_longer_curves_are_accepted(
    documents: XadesVerifier, world, curve: ec.EllipticCurve
) -> None:
    """ECDSA P-384 and P-521 are accepted, with the digest that fits them."""
    holder = world.ca.issue(key=ec.generate_private_key(curve))

    signed = sign_document(CONTENT.encode(), holder.key, holder.chain, at=NOW)

    assert documents.verify(signed, at=NOW).proof.status is ProofStatus.PASSED


def test_rsa_is_accepted(documents: XadesVerifier, world) -> None:
    """RSA of 2048 bits is accepted, with PKCS #1 v1.5 and PSS."""
    holder = world.rsa_citizen
    usual = sign_document(CONTENT.encode(), holder.key, holder.chain, at=NOW)
    pss = Forge(holder=holder, signature_method=RSA_PSS_SHA256).signed()

    assert documents.verify(usual, at=NOW).proof.status is ProofStatus.PASSED
    assert documents.verify(pss, at=NOW).proof.status is ProofStatus.PASSED


def test_default_namespace_and_declaration_are_accepted(documents: XadesVerifier, world) -> None:
    """`<Signature xmlns>` with inclusive c14n, an XML declaration and white space are accepted."""
    content = (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<Consent xmlns="urn:makul:consent:1" xmlns:unused="urn:unused" Id="c">'
        "\n <a><![CDATA[1]]></a>\n</Consent>"
    )

    signed = sign_document(content.encode(), world.citizen.key, world.citizen.chain, at=NOW)

    verified = documents.verify(signed, at=NOW)
    assert verified.proof.status is ProofStatus.PASSED, verified.report
    assert verified.signed is not None
    assert verified.signed.findtext("{urn:makul:consent:1}a") == "1"


def test_unsigned_properties_are_ignored(documents: XadesVerifier, world) -> None:
    """Higher levels are judged only by their B-level part."""
    signed = Forge(holder=world.citizen).signed()
    closing = b"</x:QualifyingProperties>"
    garbage = b"<x:UnsignedProperties><x:UnsignedSignatureProperties/></x:UnsignedProperties>"

    verified = documents.verify(signed.replace(closing, garbage + closing), at=NOW)

    assert verified.proof.status is ProofStatus.PASSED


def test_every_byte_counts(documents: XadesVerifier, world) -> None:
    """No single byte of a signed document can change if its content changes."""
    signed = Forge(holder=world.citizen).signed()
    original = CONTENT.encode()

    for position in range(0, len(signed), 3):
        mutated = bytearray(signed)
        mutated[position] ^= 0x01
        verified = documents.verify(bytes(mutated), at=NOW)
        if verified.proof.status is ProofStatus.PASSED:
            assert verified.signed is not None
            assert etree.tostring(verified.signed, method="c14n") == original
            assert position > signed.index(b"<ds:Signature")


@pytest.mark.parametrize(
    ("subject", "pattern", "pin"),
    [
        (name_of("C", f"PNOKG-{PIN}"), None, PIN),
        (name_of("C", f"PNOKG-{PIN} "), None, None),
        (name_of("C", f"XPNOKG-{PIN}"), None, None),
        (name_of("C", "PNOKG-99999999999999"), None, None),
        (name_of("C", PIN), None, None),
        (name_of("C", PIN), r"(?P<pin>\d{14})", PIN),
        (name_of("C"), None, None),
    ],
)
def test_pin_is_read_in_its_exact_form(store: TrustStore, world, subject, pattern, pin) -> None:
    """ETSI EN 319 412-1, 5.1.3: the PIN is read only in the exact form of the settings."""
    holder = world.ca.issue(Profile(subject=subject))
    rule = PinRule() if pattern is None else PinRule(pattern=pattern)

    proof = XadesVerifier(store, pin_rule=rule).verify(Forge(holder=holder).signed(), at=NOW).proof

    assert proof.signer is not None
    assert (proof.signer.pin.digits if proof.signer.pin else None) == pin


def test_report_is_evidence_without_personal_data(documents: XadesVerifier, world) -> None:
    """docs/architecture.md, invariants 7 and 12: the report describes the checks, and no person."""
    good = documents.verify(Forge(holder=world.citizen).signed(), at=NOW).report
    bad = documents.verify(Forge(holder=world.citizen).signed()[:-9], at=NOW).report

    assert json.loads(good)["signatureMethod"] == "ECDSA_SHA256"
    assert json.loads(good)["certificate"] == world.citizen.fingerprint.hex()
    assert json.loads(bad)["reason"] == "SIG-02"
    assert PIN.encode() not in good + bad
    assert "Кадыр" not in (good + bad).decode()


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (Profile(not_after=NOW - timedelta(seconds=1)), Code.SIG_05),
        (Profile(not_before=NOW + timedelta(seconds=1)), Code.SIG_05),
        (Profile(usage=key_usage("key_encipherment")), Code.SIG_10),
        (Profile(usage=None), Code.SIG_10),
        (Profile(usage=key_usage("digital_signature", "key_cert_sign")), Code.SIG_10),
        (Profile(ca=True, path_length=0), Code.SIG_10),
        (Profile(extended=[ExtendedKeyUsageOID.SERVER_AUTH]), Code.SIG_10),
        (Profile(extended=[ExtendedKeyUsageOID.CLIENT_AUTH]), Code.SIG_10),
        (Profile(extended=[ExtendedKeyUsageOID.EMAIL_PROTECTION]), None),
        (Profile(extended=[ExtendedKeyUsageOID.CLIENT_AUTH, EMAIL]), None),
    ],
)
def test_certificates_that_may_not_sign_are_refused(
    documents: XadesVerifier, world, profile, code
) -> None:
    """RFC 5280, 4.1.2.5, 4.2.1.3 and 4.2.1.9: certificates that may not sign are refused."""
    holder = world.ca.issue(profile)

    proof = documents.verify(Forge(holder=holder).signed(), at=NOW).proof

    assert proof.reasons == (() if code is None else (code,))


def test_imitated_authority_is_untrusted(documents: XadesVerifier) -> None:
    """SIG-09: the authority has the same names and other keys."""
    imitation = Authority.root("Test Root").subordinate("Test Citizens CA").issue()

    proof = documents.verify(Forge(holder=imitation).signed(), at=NOW).proof

    assert (proof.status, proof.reasons) == (ProofStatus.FAILED, (Code.SIG_09,))
