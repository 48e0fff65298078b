"""A national trust service as the sandbox needs one: root, issuing CAs, certificates and CRLs.

Names and profiles follow ETSI EN 319 412-1 and -2 and RFC 5280; every name says that it is not
real. The look-alike authority bears the same names as the true one over other keys.
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

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

CITIZENS_CRL = "citizens.crl.pem"

CA_TERM = timedelta(days=3650)
TERM = timedelta(days=1095)
CRL_TERM = timedelta(days=366)
"""A sandbox may be left running; its CRLs are not renewed, so they last as long as anyone will."""

BACKDATED = timedelta(days=120)
"""Certificates are this much older than the sandbox, so that documents may be older too."""

# RFC 5612: the enterprise number kept for documentation, so that nobody's policy is claimed.
_POLICIES = "1.3.6.1.4.1.32473.7"
CITIZEN_POLICY = x509.ObjectIdentifier(f"{_POLICIES}.1")
ORGANISATION_POLICY = x509.ObjectIdentifier(f"{_POLICIES}.2")

_CA_USAGE = frozenset({"key_cert_sign", "crl_sign"})
_SIGNING_USAGE = frozenset({"digital_signature", "content_commitment"})
_SEALING_USAGE = frozenset({"key_encipherment"})
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
    """A private key and the certificate over its public half."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the certificate."""
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
        """The key in PEM, PKCS #8, without a password: a sandbox has no secrets."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A certificate that its authority revoked; as a CRL tells it (RFC 5280, 5.3)."""

    certificate: x509.Certificate
    at: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise
    invalid_since: datetime | None = None
    """Since when its key is suspected."""

    @property
    def entry(self) -> x509.RevokedCertificate:
        """Its line in the CRL."""
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
class EndEntity:
    """What a certificate of an end entity says, but for its key."""

    subject: x509.Name
    policy: x509.ObjectIdentifier
    purposes: Sequence[x509.ObjectIdentifier] = ()
    names: Sequence[x509.GeneralName] = ()
    usage: frozenset[str] = _SIGNING_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certification authority that issues to others."""

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
        usage: frozenset[str] = _SIGNING_USAGE,
    ) -> Credential:
        """A certificate for an end entity, over a fresh key; for signing, if nothing else."""
        entity = EndEntity(
            subject=subject, policy=policy, purposes=purposes, names=names, usage=usage
        )
        return self.issue_to(entity, use_rsa=use_rsa)

    def issue_to(self, entity: "EndEntity", *, use_rsa: bool = False) -> Credential:
        """A certificate for an end entity, over a fresh key."""
        key = new_key(use_rsa=use_rsa)
        return Credential(key=key, certificate=self.certify(entity, key.public_key()))

    def certify(self, entity: "EndEntity", public_key: PublicKey) -> x509.Certificate:
        """A certificate for an end entity over a key that somebody holds."""
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
        """A time-stamping authority's certificate (RFC 3161, 2.3)."""
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
        """An issuing CA beneath this one, for certificates of that policy alone."""
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

    def crl(self, revoked: Sequence[x509.Certificate | Ended] = ()) -> bytes:
        """The list of what it revoked, in PEM; by a certificate alone, while its term ran."""
        since = self.made_at - BACKDATED / 2
        ended = [
            each if isinstance(each, Ended) else Ended(certificate=each, at=since)
            for each in revoked
        ]
        issued_at = self.made_at - timedelta(minutes=5)
        return self._crl([each.entry for each in ended], number=1, at=issued_at)

    def longer(self, crl: bytes, ended: Ended) -> bytes:
        """The CRL that follows on this one, in PEM: issued when one more was revoked."""
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
        """The issuing CAs, by the names under which a sandbox keeps them."""
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
        """A citizen's signing certificate."""
        entity = citizen_entity(pin_digits=pin_digits, surname=surname, given_name=given_name)
        return self.citizens.issue_to(entity, use_rsa=use_rsa)

    def organisation(
        self, *, member_code: str, common_name: str, use_rsa: bool = False
    ) -> Credential:
        """A certificate with which an organisation signs its messages, or the operator receipts."""
        entity = organisation_entity(member_code=member_code, common_name=common_name)
        return self.organisations.issue_to(entity, use_rsa=use_rsa)

    def server(self, *, member_code: str, host: str) -> Credential:
        """A TLS server's certificate for one address or name."""
        try:
            name: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        return self.organisations.issue(
            _organisation_name(member_code, host),
            policy=ORGANISATION_POLICY,
            purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
            names=(name,),
        )

    def sealing(self, *, member_code: str, common_name: str) -> Credential:
        """A certificate to which an organisation's data are encrypted; it signs nothing."""
        entity = sealing_entity(member_code=member_code, common_name=common_name)
        return self.organisations.issue_to(entity, use_rsa=True)

    def official(self, *, member_code: str, name: str, identifier: str) -> Credential:
        """A certificate with which an official of an organisation signs; without any purpose."""
        entity = official_entity(member_code=member_code, name=name, identifier=identifier)
        return self.organisations.issue_to(entity)

    def anchors(self) -> bytes:
        """What is trusted, in PEM: the root alone."""
        return self.root.credential.certificate_pem

    def intermediate_certificates(self) -> bytes:
        """The issuing CAs' certificates, in PEM."""
        return b"".join(authority.credential.certificate_pem for authority in self.intermediates)

    def crls(self, revoked_citizens: Sequence[x509.Certificate | Ended] = ()) -> dict[str, bytes]:
        """Every CA's CRL in PEM, by the name of its file."""
        return {
            "root.crl.pem": self.root.crl(),
            CITIZENS_CRL: self.citizens.crl(revoked_citizens),
            "organisations.crl.pem": self.organisations.crl(),
        }


def new_hierarchy(at: datetime) -> Hierarchy:
    """A root, a CA for citizens and one for organisations. Two calls make look-alikes."""
    root = new_root("Sandbox national root CA", at)
    return Hierarchy(
        root=root,
        citizens=root.subordinate("Sandbox CA for citizens", policy=CITIZEN_POLICY),
        organisations=root.subordinate("Sandbox CA for organisations", policy=ORGANISATION_POLICY),
    )


def new_root(common_name: str, at: datetime) -> Authority:
    """An authority that nobody is above."""
    key = new_key()
    name = _ca_name(common_name)
    builder = (
        _builder(name, name, key.public_key(), at, CA_TERM)
        .add_extension(_usage(_CA_USAGE), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Authority(credential=Credential(key=key, certificate=certificate), made_at=at)


def citizen_entity(*, pin_digits: str, surname: str, given_name: str | None) -> EndEntity:
    """A citizen who signs; `serialNumber` as EN 319 412-1, 5.1.3 has it.

    Who has one name has no `givenName`.
    """
    given_names = [] if given_name is None else [x509.NameAttribute(NameOID.GIVEN_NAME, given_name)]
    common_name = surname if given_name is None else f"{surname} {given_name}"
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SANDBOX_ORGANISATION),
            x509.NameAttribute(NameOID.SURNAME, surname),
            *given_names,
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"PNOKG-{pin_digits}"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    purposes = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION)
    return EndEntity(subject=subject, policy=CITIZEN_POLICY, purposes=purposes)


def organisation_entity(*, member_code: str, common_name: str) -> EndEntity:
    """An organisation that signs its messages, or the operator who signs receipts."""
    return EndEntity(
        subject=_organisation_name(member_code, common_name),
        policy=ORGANISATION_POLICY,
        purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,),
    )


def sealing_entity(*, member_code: str, common_name: str) -> EndEntity:
    """An organisation to which data are encrypted; its key signs nothing."""
    return EndEntity(
        subject=_organisation_name(member_code, common_name),
        policy=ORGANISATION_POLICY,
        usage=_SEALING_USAGE,
    )


def official_entity(*, member_code: str, name: str, identifier: str) -> EndEntity:
    """An official of an organisation, who signs; without any purpose."""
    subject = x509.Name(
        [
            *_organisation_name(member_code, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, identifier),
        ]
    )
    return EndEntity(subject=subject, policy=ORGANISATION_POLICY)


def new_key(*, use_rsa: bool = False) -> PrivateKey:
    """P-256, or RSA-2048 where asked: both are in use among citizens and organisations."""
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


def _organisation_name(member_code: str, common_name: str) -> x509.Name:
    """`organizationIdentifier` after EN 319 412-1, 5.1.4; the member code stands for the tax id."""
    code = member_code.rpartition("/")[2]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SANDBOX_ORGANISATION),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRKG-{code}"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
