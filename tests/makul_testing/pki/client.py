"""A small authority for the client's tests, with new keys for each run and no real person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from makul_client._internal.crypto.credentials import Credential, PrivateKey
from makul_testing.pki.authorities import key_usage


def new_key(kind: str = "P-256") -> PrivateKey:
    """Return a new key: `P-256`, `P-384`, `RSA-2048` or, too weak, `RSA-1024`."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(65537, int(kind[4:]))
    return ec.generate_private_key(ec.SECP384R1() if kind == "P-384" else ec.SECP256R1())


def pem_of_key(key: PrivateKey) -> bytes:
    """Return a key as PEM, without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pem_of(certificate: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Return a certificate or revocation list as PEM."""
    return certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class TestAuthority:
    """An authority that issues to end entities directly."""

    __test__ = False

    key: PrivateKey
    certificate: x509.Certificate
    at: datetime

    @classmethod
    def new(cls, name: str, at: datetime) -> "TestAuthority":
        """Make a self-signed root."""
        key = new_key()
        usage = key_usage("key_cert_sign", "crl_sign")
        certificate = (
            _certificate(name, name, key, at, timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate, at)

    def issue(
        self,
        name: str,
        *,
        key: PrivateKey | None = None,
        term: timedelta = timedelta(days=18250),
        usage: str = "digital_signature",
    ) -> Credential:
        """Issue a signing certificate."""
        key = key or new_key()
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = (
            _certificate(name, str(issuer), key, self.at, term)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(usage), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return Credential(key, certificate)

    def crl(
        self,
        revoked: Sequence[x509.Certificate] = (),
        *,
        revoked_at: datetime | None = None,
        life: timedelta = timedelta(days=30),
    ) -> x509.CertificateRevocationList:
        """Return the list of revoked certificates."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(self.at - timedelta(minutes=1))
            .next_update(self.at - timedelta(minutes=1) + life)
        )
        for certificate in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(revoked_at or self.at - timedelta(minutes=2))
                .build()
            )
        return builder.sign(self.key, hashes.SHA256())


def _certificate(
    name: str, issuer: str, key: PrivateKey, at: datetime, term: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=30))
        .not_valid_after(at - timedelta(days=30) + term)
    )
