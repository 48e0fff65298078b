"""A synthetic PKI, made again for every test run: CAs, citizens, recipients, CRLs.

Nothing here is committed and nobody here exists. Keys are P-256 unless a test needs another kind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from asn1crypto import x509 as asn1_x509
from asn1crypto.core import Null
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The moment at which tests judge, unless they set another."""
DAY = timedelta(days=1)
PIN = "21503199012345"
"""The PIN of a man born on 15 March 1990, who does not exist."""

ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")
"""RFC 5280, 4.2.1.4: a CA's certificate that states it may give every policy."""

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def new_rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem_of(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def name_of(common_name: str, serial_number: str | None = None) -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    if serial_number is not None:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    return x509.Name(attributes)


def key_usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


def policies_of(*policies: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(each, None) for each in policies])


@dataclass(frozen=True, slots=True)
class Holder:
    """A key with its certificate, and the CA certificates above it."""

    key: Key
    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> list[x509.Certificate]:
        return [self.certificate, *self.issuers]

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def fingerprint(self) -> bytes:
        return self.certificate.fingerprint(hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The content of a certificate; the default is a citizen's signing certificate."""

    subject: x509.Name = field(default_factory=lambda: name_of("Test Citizen", f"PNOKG-{PIN}"))
    not_before: datetime = NOW - 30 * DAY
    not_after: datetime = NOW + 365 * DAY
    usage: x509.KeyUsage | None = field(default_factory=lambda: key_usage("content_commitment"))
    extended: Sequence[x509.ObjectIdentifier] = ()
    ca: bool | None = False
    path_length: int | None = None
    hash_algorithm: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    extra: Sequence[tuple[x509.ExtensionType, bool]] = ()


@dataclass(slots=True)
class Authority:
    """A CA that issues certificates and CRLs."""

    holder: Holder
    revoked: list[tuple[int, datetime]] = field(default_factory=list)

    @classmethod
    def root(cls, common_name: str, *, key: Key | None = None) -> "Authority":
        key = key or new_key()
        subject = name_of(common_name)
        profile = Profile(
            subject=subject,
            not_before=NOW - 1000 * DAY,
            not_after=NOW + 1000 * DAY,
            usage=key_usage("key_cert_sign", "crl_sign"),
            ca=True,
        )
        return cls(Holder(key, _build(profile, key, subject, key)))

    @property
    def certificate(self) -> x509.Certificate:
        return self.holder.certificate

    def issue(self, profile: Profile | None = None, *, key: Key | None = None) -> Holder:
        key = key or new_key()
        certificate = _build(profile or Profile(), key, self.certificate.subject, self.holder.key)
        return Holder(key, certificate, self._issuers())

    def _issuers(self) -> tuple[x509.Certificate, ...]:
        """Return the CA and those above it, without the root, as a signer's KeyInfo
        carries them.
        """
        own = self.holder.chain
        return tuple(own[:-1]) if len(own) > 1 else ()

    def subordinate(
        self,
        common_name: str,
        *,
        key: Key | None = None,
        hash_algorithm: hashes.HashAlgorithm | None = None,
        policies: Sequence[x509.ObjectIdentifier] = (ANY_POLICY,),
    ) -> "Authority":
        """Return a CA below this one; it may give `policies` (RFC 5280, 4.2.1.4)."""
        profile = Profile(
            subject=name_of(common_name),
            not_before=NOW - 500 * DAY,
            not_after=NOW + 500 * DAY,
            usage=key_usage("key_cert_sign", "crl_sign"),
            ca=True,
            path_length=0,
            hash_algorithm=hash_algorithm or hashes.SHA256(),
            extra=[(policies_of(*policies), False)] if policies else (),
        )
        key = key or new_key()
        certificate = _build(profile, key, self.certificate.subject, self.holder.key)
        return Authority(Holder(key, certificate, tuple(self.holder.chain)))

    def revoke(self, holder: Holder, *, at: datetime = NOW - DAY) -> None:
        self.revoked.append((holder.certificate.serial_number, at))

    def issue_with_sha1(self) -> Holder:
        """Return a certificate signed by RSA with SHA-1, which `cryptography` itself refuses to
        build.
        """
        assert isinstance(self.holder.key, rsa.RSAPrivateKey)
        good = self.issue()
        raw: Any = asn1_x509.Certificate.load(good.der)
        algorithm = {"algorithm": "sha1_rsa", "parameters": Null()}
        raw["tbs_certificate"]["signature"] = algorithm
        raw["signature_algorithm"] = algorithm
        octets = raw["tbs_certificate"].dump(force=True)
        raw["signature_value"] = self.holder.key.sign(octets, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
        certificate = x509.load_der_x509_certificate(raw.dump(force=True))
        return Holder(good.key, certificate, good.issuers)

    def crl(
        self,
        *,
        this_update: datetime = NOW - timedelta(hours=1),
        next_update: datetime | None = NOW + DAY,
        signed_by: Key | None = None,
    ) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(this_update)
            .next_update(next_update or this_update + DAY)
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        for serial, at in self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
            builder = builder.add_revoked_certificate(entry.build())
        key = signed_by or self.holder.key
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _build(
    profile: Profile, subject_key: Key, issuer: x509.Name, issuer_key: Key
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(profile.subject)
        .issuer_name(issuer)
        .public_key(subject_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(profile.not_before)
        .not_valid_after(profile.not_after)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(subject_key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if profile.ca is not None:
        constraints = x509.BasicConstraints(ca=profile.ca, path_length=profile.path_length)
        builder = builder.add_extension(constraints, critical=True)
    if profile.usage is not None:
        builder = builder.add_extension(profile.usage, critical=True)
    if profile.extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(profile.extended), critical=False)
    for extension, critical in profile.extra:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, profile.hash_algorithm)


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """The directories of a trust store, written by hand like an operator."""

    root: Path

    @property
    def anchors(self) -> Path:
        return self.root / "anchors"

    @property
    def intermediates(self) -> Path:
        return self.root / "intermediates"

    @property
    def crls(self) -> Path:
        return self.root / "crls"

    def write(
        self,
        *,
        anchors: Iterable[Authority],
        intermediates: Iterable[Authority] = (),
        crls: Iterable[bytes] = (),
    ) -> "StoreFiles":
        for directory in (self.anchors, self.intermediates, self.crls):
            directory.mkdir(parents=True, exist_ok=True)
        for number, authority in enumerate(anchors):
            self._put(self.anchors / f"{number}.crt", authority)
        for number, authority in enumerate(intermediates):
            self._put(self.intermediates / f"{number}.crt", authority)
        for number, crl in enumerate(crls):
            (self.crls / f"{number}.crl").write_bytes(crl)
        return self

    @staticmethod
    def _put(path: Path, authority: Authority) -> None:
        path.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
