"""The sandbox's trust service has the profile of the real one, and cannot be mistaken for it."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from makul.trust.pki.certificates import is_sandbox
from makul_sandbox.data.end_entities import CITIZEN_POLICY
from makul_sandbox.data.pki import CRL_TERM, Credential, Hierarchy, RevocationEntry, new_hierarchy

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PIN = "21505198590001"


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return new_hierarchy(AT)


@pytest.fixture(scope="module")
def citizen(hierarchy: Hierarchy) -> Credential:
    return hierarchy.citizen(pin_digits=PIN, surname="Асанов", given_name="Үсөн")


def test_a_citizens_certificate_carries_the_pin(citizen: Credential) -> None:
    """ETSI EN 319 412-1, 5.1.3: `PNOKG-` and the national number, in serialNumber."""
    (number,) = citizen.certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)

    assert number.value == f"PNOKG-{PIN}"


def test_a_citizens_certificate_is_only_for_signing(citizen: Credential) -> None:
    """ETSI EN 319 412-2, 4.3.2: non-repudiation, with digitalSignature; never a CA."""
    extensions = citizen.certificate.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    policies = extensions.get_extension_for_class(x509.CertificatePolicies)

    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    assert not constraints.value.ca
    assert [policy.policy_identifier for policy in policies.value] == [CITIZEN_POLICY]


def test_paths_lead_to_the_root(hierarchy: Hierarchy, citizen: Credential) -> None:
    """RFC 5280, 6.1: the certificate above signed each certificate."""
    citizen.certificate.verify_directly_issued_by(hierarchy.citizens.credential.certificate)
    for authority in hierarchy.intermediates:
        authority.credential.certificate.verify_directly_issued_by(
            hierarchy.root.credential.certificate
        )


def test_an_imitated_authority_has_the_names_and_not_the_keys(hierarchy: Hierarchy) -> None:
    """Keys prove a path, not names: the imitated authority's citizens are untrusted."""
    false = new_hierarchy(AT)
    impostor = false.citizen(pin_digits=PIN, surname="Асанов", given_name="Үсөн")
    true_issuer = hierarchy.citizens.credential.certificate

    assert impostor.certificate.issuer == true_issuer.subject
    with pytest.raises(InvalidSignature):
        impostor.certificate.verify_directly_issued_by(true_issuer)


def test_crls_name_the_revoked_and_outlast_the_sandbox(
    hierarchy: Hierarchy, citizen: Credential
) -> None:
    """RFC 5280, 5.1: every CA has a current CRL, and the revoked certificate is in its own CA's."""
    crls = {
        name: x509.load_pem_x509_crl(pem)
        for name, pem in hierarchy.crls([citizen.certificate]).items()
    }

    assert set(crls) == {"root.crl.pem", "citizens.crl.pem", "organisations.crl.pem"}
    for name, crl in crls.items():
        assert crl.last_update_utc <= AT
        assert crl.next_update_utc == AT + CRL_TERM
        found = crl.get_revoked_certificate_by_serial_number(citizen.certificate.serial_number)
        assert (found is not None) is (name == "citizens.crl.pem")


def test_a_longer_crl_keeps_what_was_revoked_before(hierarchy: Hierarchy) -> None:
    """RFC 5280, 5.2.3: it has a higher number, all entries, and the new one with reason
    and time.
    """
    first, second = (
        hierarchy.citizen(pin_digits=PIN, surname="Асанов", given_name="Үсөн") for _ in range(2)
    )
    before = hierarchy.citizens.crl([RevocationEntry(certificate=first.certificate, at=AT)])
    later = AT + timedelta(hours=1)
    ended = RevocationEntry(
        certificate=second.certificate,
        at=later,
        reason=x509.ReasonFlags.superseded,
        invalid_since=AT,
    )

    crl = x509.load_pem_x509_crl(hierarchy.citizens.longer(before, ended))

    assert crl.last_update_utc == later
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    assert crl.get_revoked_certificate_by_serial_number(first.certificate.serial_number)
    entry = crl.get_revoked_certificate_by_serial_number(second.certificate.serial_number)
    assert entry is not None
    assert entry.revocation_date_utc == later
    since = entry.extensions.get_extension_for_class(x509.InvalidityDate).value
    assert since.invalidity_date_utc == AT


def test_certificates_are_older_than_what_they_signed(citizen: Credential) -> None:
    """Documents of a month ago were signed in the term of the certificate."""
    assert citizen.certificate.not_valid_before_utc < AT - timedelta(days=60)
    assert citizen.certificate.not_valid_after_utc > AT + timedelta(days=365)


def test_some_keys_are_rsa(hierarchy: Hierarchy) -> None:
    """Documents are signed with both kinds of key."""
    signer = hierarchy.organisation(member_code="COM/1", common_name="Example", use_rsa=True)

    assert isinstance(signer.key, rsa.RSAPrivateKey)
    assert signer.key.key_size == 2048


def test_every_certificate_says_that_it_is_not_real(
    hierarchy: Hierarchy, citizen: Credential
) -> None:
    """`serve` refuses certificates of a sandbox, so each must be marked."""
    credentials = [
        hierarchy.root.credential,
        hierarchy.citizens.credential,
        hierarchy.organisations.credential,
        citizen,
        hierarchy.organisation(member_code="COM/1", common_name="Example"),
        hierarchy.official(member_code="COM/1", name="Example", identifier="1"),
    ]

    assert all(is_sandbox(credential.certificate) for credential in credentials)
