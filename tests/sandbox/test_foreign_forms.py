"""Consents in other vendors' forms have the form of their name, and libxmlsec verifies them."""

import pytest

from makul.composition.adapters import document_verifier, trust_directories
from makul.config.settings import load_settings
from makul.domain.disclosures import ProofStatus
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul_sandbox.data.pki import Credential
from makul_sandbox.output.files import CONFIG
from makul_sandbox.world.build import RSA_CITIZEN
from makul_sandbox.world.foreign_forms import DSS, XADES4J, ForeignForm
from makul_testing.sandbox_dir import SandboxDirectory
from makul_testing.xmlsec_oracle import xmlsec_accepts

FILTER = (
    b'<dsig-filter2:XPath xmlns:dsig-filter2="http://www.w3.org/2002/06/xmldsig-filter2"'
    b' Filter="subtract">/descendant::ds:Signature</dsig-filter2:XPath>'
)
DOCUMENT = '<Consent xmlns="urn:test" Id="c"><who>Кадыр &amp; Айгүл</who></Consent>'.encode()


@pytest.fixture(scope="module")
def verifier(prepared: SandboxDirectory) -> XadesVerifier:
    settings = load_settings(prepared.directory / CONFIG)
    built = document_verifier(settings, TrustStore(trust_directories(settings)))
    assert isinstance(built, XadesVerifier)
    return built


def test_each_form_is_that_of_its_name(prepared: SandboxDirectory) -> None:
    """Procedure, cl. 4: a consent is accepted in the form of EU DSS and xades4j too."""
    documents = prepared.world.documents
    by_dss, by_xades4j = (
        documents["signed-by-dss"].document,
        documents["signed-by-xades4j"].document,
    )

    assert FILTER in by_dss
    assert b"enveloped-signature" not in by_dss
    assert b"<xades:SigningCertificateV2>" in by_dss
    assert b"<xades:SigningCertificate><xades:Cert>" in by_xades4j
    assert b"<xades:IssuerSerial>" in by_xades4j
    assert b"SigningCertificateV2" not in by_xades4j


@pytest.mark.parametrize("citizen", [0, RSA_CITIZEN])
@pytest.mark.parametrize("form", [DSS, XADES4J], ids=["dss", "xades4j"])
def test_every_kind_of_key_signs_in_each_form(
    prepared: SandboxDirectory, verifier: XadesVerifier, form: ForeignForm, citizen: int
) -> None:
    """XML Signature 1.1, 3.2: libxmlsec evaluates the filter that we recognise by its text."""
    signer: Credential = prepared.world.citizens[citizen]
    at = prepared.world.made_at

    signed = form(DOCUMENT, signer.key, [signer.certificate], at=at)

    proof = verifier.verify(signed, at=at).proof
    assert (proof.status, proof.reasons) == (ProofStatus.PASSED, ())
    assert xmlsec_accepts(signed, signer.der)
    changed = signed.replace("Айгүл".encode(), "Айпери".encode())
    assert verifier.verify(changed, at=at).proof.status is ProofStatus.FAILED
    assert not xmlsec_accepts(changed, signer.der)
