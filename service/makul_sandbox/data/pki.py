"""The national trust service of a sandbox: root, issuing CAs, certificates and CRLs.

Names and profiles follow ETSI EN 319 412-1 and -2 and RFC 5280. Every name states that it is not
real. The look-alike authority has the same names as the true one, and other keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from makul.trust.pki.certificates import SANDBOX_ORGANISATION
from makul_sandbox.data.end_entities import (
    CITIZEN_POLICY,
    ORGANISATION_POLICY,
    SIGNING_USAGE,
    EndEntity,
    citizen_entity,
    encryption_entity,
    official_entity,
    organisation_entity,
    organisation_name,
)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

CITIZENS_CRL = "citizens.crl.pem"

CA_TERM = timedelta(days=3650)
TERM = timedelta(days=1095)
CRL_TERM = timedelta(days=366)
"""The term of the CRLs.

They are not renewed, so the term must cover a sandbox that stays running.
"""

BACKDATED = timedelta(days=120)
"""The age of the certificates when the sandbox is made, so that documents may be old too."""

_CA_USAGE = frozenset({"key_cert_sign", "crl_sign"})
_USAGES = (
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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credential:
    """A private key and the certificate of its public key."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> bytes:
        """The SHA-256 of the certificate."""
        return self.certificate.fingerprint(hashes.SHA256())

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM, PKCS #8, without a password, because a sandbox has no secrets."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationEntry:
    """A certificate that its authority revoked, as a CRL states it (RFC 5280, 5.3)."""

    certificate: x509.Certificate
    at: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise
    invalid_since: datetime | None = None
    """The time since when its key is suspected of compromise."""

    @property
    def entry(self) -> x509.RevokedCertificate:
        """The entry of the certificate in the CRL."""
        builder = (
            x509.RevokedCertificateBuilder()
            .serial_number(self.certificate.serial_number)
            .revocation_date(self.at)
            .add_extension(x509.CRLReason(self.reason), critical=False)
        )
        if self.invalid_since is not None:
            since = x509.InvalidityDate(self.invalid_since)
            builder = builder.add_extension(since, critical=False)
        return builder.build()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certification authority that issues certificates to others."""

    credential: Credential
    made_at: datetime

    def issue(
        self,
        subject: x509.Name,
        *,
        policy: x509.ObjectIdentifier,
        purposes: Sequence[x509.ObjectIdentifier] = (),
        names: Sequence[x509.GeneralName] = (),
        use_rsa: bool = False,
        usage: frozenset[str] = SIGNING_USAGE,
    ) -> Credential:
        """Return a certificate for an end entity with a new key, by default for signing."""
        entity = EndEntity(
            subject=subject, policy=policy, purposes=purposes, names=names, usage=usage
        )
        return self.issue_to(entity, use_rsa=use_rsa)

    def issue_to(self, entity: "EndEntity", *, use_rsa: bool = False) -> Credential:
        """Return a certificate for an end entity with a new key."""
        key = new_key(use_rsa=use_rsa)
        return Credential(key=key, certificate=self.certify(entity, key.public_key()))

    def certify(self, entity: "EndEntity", public_key: PublicKey) -> x509.Certificate:
        """Return a certificate for an end entity that already has a key."""
        issuer = self.credential.certificate.subject
        builder = _builder(entity.subject, issuer, public_key, self.made_at, TERM)
        builder = (
            builder.add_extension(_usage(entity.usage), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(self._own_key_identifier(), critical=False)
            .add_extension(_policies(entity.policy), critical=False)
        )
        if entity.purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(entity.purposes), critical=False)
        if entity.names:
            alternative = x509.SubjectAlternativeName(entity.names)
            builder = builder.add_extension(alternative, critical=False)
        return builder.sign(self.credential.key, hashes.SHA256())

    def stamping(self, common_name: str) -> Credential:
        """Return a certificate of a time-stamping authority (RFC 3161, 2.3)."""
        key = new_key()
        issuer = self.credential.certificate.subject
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = (
            _builder(_ca_name(common_name), issuer, key.public_key(), self.made_at, TERM)
            .add_extension(_usage(frozenset({"digital_signature"})), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(purpose, critical=True)
            .add_extension(self._own_key_identifier(), critical=False)
        )
        return Credential(key=key, certificate=builder.sign(self.credential.key, hashes.SHA256()))

    def subordinate(self, common_name: str, *, policy: x509.ObjectIdentifier) -> "Authority":
        """Return an issuing CA below this one, only for certificates of that policy."""
        key = new_key()
        issuer = self.credential.certificate.subject
        builder = _builder(_ca_name(common_name), issuer, key.public_key(), self.made_at, CA_TERM)
        builder = (
            builder.add_extension(_usage(_CA_USAGE), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(self._own_key_identifier(), critical=False)
            .add_extension(_policies(policy), critical=False)
        )
        certificate = builder.sign(self.credential.key, hashes.SHA256())
        return Authority(
            credential=Credential(key=key, certificate=certificate), made_at=self.made_at
        )

    def crl(self, revoked: Sequence[x509.Certificate | RevocationEntry] = ()) -> bytes:
        """Return the CRL with these certificates, in PEM.

        A certificate without a time counts as revoked in the middle of the time by which the
        sandbox is backdated.
        """
        since = self.made_at - BACKDATED / 2
        ended = [
            each
            if isinstance(each, RevocationEntry)
            else RevocationEntry(certificate=each, at=since)
            for each in revoked
        ]
        issued_at = self.made_at - timedelta(minutes=5)
        return self._crl([each.entry for each in ended], number=1, at=issued_at)

    def longer(self, crl: bytes, ended: RevocationEntry) -> bytes:
        """Return the CRL that follows this one, in PEM. It is issued when one more is revoked."""
        before = x509.load_pem_x509_crl(crl)
        number = before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        return self._crl([*before, ended.entry], number=number + 1, at=ended.at)

    def _crl(
        self, entries: Sequence[x509.RevokedCertificate], *, number: int, at: datetime
    ) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder(revoked_certificates=list(entries))
            .issuer_name(self.credential.certificate.subject)
            .last_update(at)
            .next_update(self.made_at + CRL_TERM)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._own_key_identifier(), critical=False)
        )
        signed = builder.sign(self.credential.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def _own_key_identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.credential.key.public_key())


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A root and its two issuing CAs."""

    root: Authority
    citizens: Authority
    organisations: Authority

    @property
    def issuing(self) -> Mapping[str, Authority]:
        """The issuing CAs, by the names under which a sandbox stores them."""
        return {"citizens": self.citizens, "organisations": self.organisations}

    @property
    def intermediates(self) -> tuple[Authority, ...]:
        """The CAs between the root and end entities."""
        return (self.citizens, self.organisations)

    def citizen(
        self,
        *,
        pin_digits: str,
        surname: str,
        given_name: str | None,
        use_rsa: bool = False,
    ) -> Credential:
        """Return a citizen's signing certificate."""
        entity = citizen_entity(pin_digits=pin_digits, surname=surname, given_name=given_name)
        return self.citizens.issue_to(entity, use_rsa=use_rsa)

    def organisation(
        self, *, member_code: str, common_name: str, use_rsa: bool = False
    ) -> Credential:
        """Return a certificate for an organisation's messages or the operator's receipts."""
        entity = organisation_entity(member_code=member_code, common_name=common_name)
        return self.organisations.issue_to(entity, use_rsa=use_rsa)

    def server(self, *, member_code: str, host: str) -> Credential:
        """Return a TLS server's certificate for one address or name."""
        try:
            name: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        return self.organisations.issue(
            organisation_name(member_code, host),
            policy=ORGANISATION_POLICY,
            purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
            names=(name,),
        )

    def encryption(self, *, member_code: str, common_name: str) -> Credential:
        """Return a certificate for the encryption of an organisation's data. It signs nothing."""
        entity = encryption_entity(member_code=member_code, common_name=common_name)
        return self.organisations.issue_to(entity, use_rsa=True)

    def official(self, *, member_code: str, name: str, identifier: str) -> Credential:
        """Return a certificate with which an official signs. It has no extended key usage."""
        entity = official_entity(member_code=member_code, name=name, identifier=identifier)
        return self.organisations.issue_to(entity)

    def anchors(self) -> bytes:
        """Return the trust anchors in PEM: only the root."""
        return self.root.credential.certificate_pem

    def intermediate_certificates(self) -> bytes:
        """Return the issuing CAs' certificates, in PEM."""
        return b"".join(authority.credential.certificate_pem for authority in self.intermediates)

    def crls(
        self, revoked_citizens: Sequence[x509.Certificate | RevocationEntry] = ()
    ) -> dict[str, bytes]:
        """Return every CA's CRL in PEM, by the name of its file."""
        return {
            "root.crl.pem": self.root.crl(),
            CITIZENS_CRL: self.citizens.crl(revoked_citizens),
            "organisations.crl.pem": self.organisations.crl(),
        }


def new_hierarchy(at: datetime) -> Hierarchy:
    """Return a root, a CA for citizens and one for organisations. Two calls make look-alikes."""
    root = new_root("Sandbox national root CA", at)
    return Hierarchy(
        root=root,
        citizens=root.subordinate("Sandbox CA for citizens", policy=CITIZEN_POLICY),
        organisations=root.subordinate("Sandbox CA for organisations", policy=ORGANISATION_POLICY),
    )


def new_root(common_name: str, at: datetime) -> Authority:
    """Return a self-signed root authority."""
    key = new_key()
    name = _ca_name(common_name)
    builder = (
        _builder(name, name, key.public_key(), at, CA_TERM)
        .add_extension(_usage(_CA_USAGE), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Authority(credential=Credential(key=key, certificate=certificate), made_at=at)


def new_key(*, use_rsa: bool = False) -> PrivateKey:
    """Return a P-256 key, or RSA-2048 on request. Citizens and organisations use both."""
    if use_rsa:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, at: datetime, term: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BACKDATED)
        .not_valid_after(at + term)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _policies(policy: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(policy, None)])


def _usage(allowed: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def _ca_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SANDBOX_ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
