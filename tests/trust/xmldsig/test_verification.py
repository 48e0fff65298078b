"""Core validation (XML Signature 1.1, 3.2) gives the results of signxml's own verifier."""

import copy
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signxml import SignatureConfiguration, XMLSigner, XMLVerifier
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from makul.domain.reasons import Code
from makul.trust.base.algorithms import EXCLUSIVE, PrivateKey
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import read_certificate
from makul.trust.validation.checks import certificate_reference
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xmldsig.signed_info import ProvenReference, read_signed_info
from makul.trust.xmldsig.verification import verify_proven
from makul_testing.builders.xades import DS, XADES, Forge
from makul_testing.pki.authorities import NOW, Holder

DSIG11 = "http://www.w3.org/2009/xmldsig11#"
DOCUMENT = (
    '<c:Consent xmlns:c="urn:c" xmlns="urn:d" Id="it"><c:subject>Кадыр</c:subject> </c:Consent>'
)

RSA = rsa.generate_private_key(65537, 2048)
CURVES = {
    "ECDSA_SHA256": ec.generate_private_key(ec.SECP256R1()),
    "ECDSA_SHA384": ec.generate_private_key(ec.SECP384R1()),
    "ECDSA_SHA512": ec.generate_private_key(ec.SECP521R1()),
}
METHODS = [
    *("RSA_SHA256", "RSA_SHA384", "RSA_SHA512"),
    *("SHA256_RSA_MGF1", "SHA384_RSA_MGF1", "SHA512_RSA_MGF1"),
    *CURVES,
]
C14NS = (
    CanonicalizationMethod.CANONICAL_XML_1_0,
    CanonicalizationMethod.CANONICAL_XML_1_1,
    EXCLUSIVE,
)


def key_for(method: str) -> PrivateKey:
    return CURVES.get(method, RSA)


def signed_by_signxml(
    method: str,
    holder: Holder,
    c14n: CanonicalizationMethod = EXCLUSIVE,
    *,
    key_value: bool = False,
) -> etree._Element:
    """Return a whole document that signxml signed, with an enveloped signature as its last
    child.
    """
    signer = XMLSigner(
        signature_algorithm=SignatureMethod[method],
        digest_algorithm=DigestAlgorithm.SHA384,
        c14n_algorithm=c14n,
    )
    root = etree.fromstring(DOCUMENT)
    options: dict[str, Any] = {"key": holder.key, "cert": [holder.certificate]}
    signed = signer.sign(root, always_add_key_value=key_value, reference_uri="#it", **options)
    return etree.fromstring(etree.tostring(signed))


def core(root: etree._Element, holder: Holder) -> bytes:
    """Return what core validation returns for the document's one reference."""
    signature = root.find(f"{{{DS}}}Signature")
    assert signature is not None
    signed_info = read_signed_info(signature)
    proven = tuple(ProvenReference(reference, root) for reference in signed_info.references)
    return verify_proven(signature, signed_info, proven, holder.certificate.public_key())["#it"]  # type: ignore[arg-type]


@pytest.fixture
def holder(request: pytest.FixtureRequest, world: Any) -> Holder:
    found: Holder = world.ca.issue(key=key_for(request.param))
    return found


@pytest.mark.parametrize("c14n", C14NS, ids=lambda each: each.name)
@pytest.mark.parametrize(("method", "holder"), [(m, m) for m in METHODS], indirect=["holder"])
def test_core_validation_agrees_with_signxml(
    method: str, holder: Holder, c14n: CanonicalizationMethod
) -> None:
    """RFC 6931, 2.3: every accepted method over every accepted canonicalisation gives the same
    bytes.
    """
    root = signed_by_signxml(method, holder, c14n)
    stock = XMLVerifier().verify(
        etree.tostring(root),
        x509_cert=holder.certificate,
        expect_config=SignatureConfiguration(verification_time=NOW),
    )

    assert core(root, holder) == stock.signed_data  # type: ignore[union-attr]


@pytest.mark.parametrize(("method", "holder"), [(m, m) for m in METHODS], indirect=["holder"])
def test_a_changed_value_or_digest_or_document_does_not_verify(method: str, holder: Holder) -> None:
    """One octet changes in any of the three, or SignedInfo changes together with a digest."""
    good = signed_by_signxml(method, holder)

    for name in ("SignatureValue", "DigestValue"):
        changed = copy.deepcopy(good)
        element = next(changed.iter(f"{{{DS}}}{name}"))
        text = (element.text or "").strip()
        element.text = ("B" if text[0] != "B" else "C") + text[1:]
        with pytest.raises(SignatureFailure) as caught:
            core(changed, holder)
        assert caught.value.code is Code.SIG_02
    changed = copy.deepcopy(good)
    changed[0].text = "Кадыра"
    with pytest.raises(SignatureFailure):
        core(changed, holder)


@pytest.mark.parametrize(("method", "holder"), [(m, m) for m in METHODS], indirect=["holder"])
def test_another_key_does_not_verify(method: str, holder: Holder, world: Any) -> None:
    """The other key is of the same kind and size."""
    key = key_for(method)
    other = (
        rsa.generate_private_key(65537, 2048)
        if isinstance(key, rsa.RSAPrivateKey)
        else ec.generate_private_key(key.curve)
    )

    with pytest.raises(SignatureFailure) as caught:
        core(signed_by_signxml(method, holder), world.ca.issue(key=other))
    assert caught.value.code is Code.SIG_02


@pytest.mark.parametrize("cut", [1, 2, 31, 32, 33, 63])
@pytest.mark.parametrize("holder", ["ECDSA_SHA256"], indirect=True)
def test_an_ecdsa_value_is_twice_as_wide_as_its_curve(holder: Holder, cut: int) -> None:
    """RFC 6931, 2.3.6: the value is neither shorter nor padded, and never DER."""
    root = signed_by_signxml("ECDSA_SHA256", holder)
    element = next(root.iter(f"{{{DS}}}SignatureValue"))
    raw = etree.fromstring(etree.tostring(element)).text
    assert raw is not None
    element.text = b64encode(b"\0" * cut).decode() + raw.strip()[4 * cut :]

    with pytest.raises(SignatureFailure) as caught:
        core(root, holder)
    assert caught.value.code is Code.SIG_02


@pytest.mark.parametrize(
    ("method", "holder"),
    [("RSA_SHA256", "RSA_SHA256")] + [(m, m) for m in CURVES],
    indirect=["holder"],
)
def test_a_key_value_is_the_certificates_or_nothing_verifies(method: str, holder: Holder) -> None:
    """XML Signature 1.1, 4.5.2 and 4.5.3: a KeyValue must not name another key."""
    root = signed_by_signxml(method, holder, key_value=True)
    assert root.find(f".//{{{DS}}}KeyValue") is not None
    core(root, holder)

    names = f"{{{DS}}}Modulus", f"{{{DSIG11}}}PublicKey"
    stated = next(root.iter(*names))
    before = (stated.text or "").strip()
    stated.text = ("BB" if before[:2] != "BB" else "BC") + before[2:]
    with pytest.raises(SignatureFailure) as caught:
        core(root, holder)
    assert caught.value.code is Code.SIG_02


@pytest.mark.parametrize(("method", "holder"), [(m, m) for m in METHODS[:1]], indirect=["holder"])
def test_a_der_encoded_key_is_also_the_certificates(
    method: str, holder: Holder, world: Any
) -> None:
    """XML Signature 1.1, 4.5.9: a DEREncodedKeyValue must not name another key either."""
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    for stated, good in ((holder, True), (world.citizen, False)):
        root = signed_by_signxml(method, holder)
        key_info = next(root.iter(f"{{{DS}}}KeyInfo"))
        element = etree.SubElement(key_info, f"{{{DSIG11}}}DEREncodedKeyValue")
        element.text = b64encode(stated.key.public_key().public_bytes(*form)).decode()
        if good:
            core(root, holder)
            continue
        with pytest.raises(SignatureFailure):
            core(root, holder)


@pytest.mark.parametrize("holder", ["RSA_SHA256"], indirect=True)
def test_only_what_the_pre_check_read_is_verified(holder: Holder) -> None:
    """A caller that passes other references than those of SignedInfo gets nothing."""
    root = signed_by_signxml("RSA_SHA256", holder)
    signature = next(root.iter(f"{{{DS}}}Signature"))
    signed_info = read_signed_info(signature)

    with pytest.raises(SignatureFailure) as caught:
        verify_proven(signature, signed_info, (), holder.certificate.public_key())  # type: ignore[arg-type]
    assert caught.value.code is Code.SIG_03


@pytest.mark.parametrize("holder", ["ECDSA_SHA256"], indirect=True)
def test_the_proof_belongs_to_this_very_signature(holder: Holder) -> None:
    """A proof for an equal signature of another tree says nothing about this one."""
    root = signed_by_signxml("ECDSA_SHA256", holder)
    signature, other = (tree.find(f"{{{DS}}}Signature") for tree in (root, copy.deepcopy(root)))
    assert signature is not None
    assert other is not None
    signed_info = read_signed_info(other)
    proven = tuple(ProvenReference(reference, root) for reference in signed_info.references)

    with pytest.raises(SignatureFailure) as caught:
        verify_proven(signature, signed_info, proven, holder.certificate.public_key())  # type: ignore[arg-type]
    assert caught.value.code is Code.SIG_03


def test_what_the_schema_does_not_know_is_refused(documents: XadesVerifier, world: Any) -> None:
    """An added element among the references is refused, even if it is signed, because no code reads
    it.
    """
    odd = Forge(holder=world.citizen, extra_references=['<x:Odd xmlns:x="urn:x"/>']).signed()

    verified = documents.verify(odd, at=NOW)

    assert verified.proof.reasons == (Code.SIG_02,)
    assert b"its schema" in verified.report


def test_signed_properties_that_name_another_certificate_are_refused(world: Any) -> None:
    """The check reads the verified bytes, independently of earlier readings of the tree."""
    signed = etree.fromstring(Forge(holder=world.citizen).signed())
    properties = next(signed.iter(f"{{{XADES}}}SignedProperties"))

    certificate_reference.run(properties, read_certificate(world.citizen.der))
    with pytest.raises(SignatureFailure) as caught:
        certificate_reference.run(properties, read_certificate(world.bank.der))
    assert caught.value.code is Code.SIG_02
