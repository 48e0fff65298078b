"""Receipts are signed by our own code, and other software accepts them as XAdES-B."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml import CanonicalizationMethod
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

from makul.domain.disclosures import ProofStatus
from makul.trust.base.errors import SignatureFailure
from makul.trust.keys.files import KeySigner
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xades.receipt_signer import XadesReceiptSigner
from makul_testing.pki.authorities import NOW, Holder, new_key, new_rsa_key

RECEIPT = (
    '<Receipt xmlns="urn:makul:receipt:1" Id="r-018f">'
    "<receiptId>018f</receiptId><outcome>RELEASED</outcome>"
    '<p:reason xmlns:p="urn:other" code="Маш &amp; Ко"></p:reason></Receipt>'
).encode()
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"


@pytest.fixture(
    params=["P-256", "P-384", "P-521", "RSA"],
)
def operator(request: pytest.FixtureRequest, world) -> Holder:
    keys = {
        "P-256": new_key,
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "RSA": new_rsa_key,
    }
    return world.ca.issue(key=keys[request.param]())


def signed_by(operator: Holder, canonical: bytes = RECEIPT, *, at: datetime = NOW) -> bytes:
    return XadesReceiptSigner(KeySigner(operator.key), operator.certificate).sign(canonical, at=at)


def test_receipt_verifies_here(documents: XadesVerifier, operator: Holder) -> None:
    """A receipt passes our own verification, which returns the signed content."""
    verified = documents.verify(signed_by(operator), at=NOW)

    assert verified.proof.status is ProofStatus.PASSED, verified.report
    assert verified.signed is not None
    assert etree.tostring(verified.signed, method="c14n", exclusive=True) == RECEIPT


def test_receipt_verifies_by_signxml(operator: Holder) -> None:
    """ETSI EN 319 132-1: signxml's standard XAdES verifier, with schemas, finds nothing wrong."""
    verified = XAdESVerifier().verify(
        signed_by(operator),
        x509_cert=operator.certificate,
        expect_config=XAdESSignatureConfiguration(
            expect_references=2,
            location="./",
            verification_time=NOW,
            default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
        ),
    )

    assert verified[0].signed_data == RECEIPT
    assert verified[1].signed_xml.tag == f"{XADES}SignedProperties"


def test_signed_receipt_is_canonical(operator: Holder) -> None:
    """The signed receipt is its own exclusive canonical form, so it can be inserted unchanged."""
    signed = signed_by(operator)

    assert etree.tostring(etree.fromstring(signed), method="c14n", exclusive=True) == signed


def test_signing_time_is_the_given_time(operator: Holder) -> None:
    """Time is an argument; on the wire it is UTC."""
    local = datetime(2026, 11, 22, 18, 30, tzinfo=timezone(timedelta(hours=6)))

    time = etree.fromstring(signed_by(operator, at=local)).findtext(f".//{XADES}SigningTime")

    assert time == "2026-11-22T12:30:00Z"
    assert local.astimezone(UTC).hour == 12


def test_root_may_have_a_prefix(documents: XadesVerifier, operator: Holder) -> None:
    """Any canonical document with an Id can be signed."""
    document = (
        b'<r:Receipt xmlns:r="urn:makul:receipt:1" Id="a.b-c" version="1"><r:x></r:x></r:Receipt>'
    )

    verified = documents.verify(signed_by(operator, document), at=NOW)

    assert verified.proof.status is ProofStatus.PASSED, verified.report


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a></a>",
        b'<a Id="1"></a>',
        b'<a Id="x y"></a>',
        b'<a Id="x"/>',
        b'<a Id="x"></b>',
        b'<a><b Id="x"></b></a>',
        b'<?xml version="1.0"?><a Id="x"></a>',
        b"<a xmlns:x=\"&lt;\" Id='x'></a>",
        b'<a Id="x"></a>\n',
    ],
)
def test_what_is_not_canonical_is_not_signed(operator: Holder, document: bytes) -> None:
    """A defect of the program is reported rather than signed and sent."""
    with pytest.raises(ValueError, match="not a canonical document"):
        signed_by(operator, document)


def test_key_and_certificate_must_belong_together(world) -> None:
    """A signer whose receipts could not be verified does not start."""
    with pytest.raises(ValueError, match="not that of the key"):
        XadesReceiptSigner(KeySigner(new_key()), world.citizen.certificate)

    weak = world.ca.issue(key=new_rsa_key(1024))
    with pytest.raises(SignatureFailure):
        XadesReceiptSigner(KeySigner(weak.key), weak.certificate)
