"""Read one certificate and judge its own content: key strength, permitted use, the holder's PIN."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, PublicKeyAlgorithmOID

from makul.domain.causes import Cause
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.reasons import Code
from makul.language.translation import mark, translate
from makul.net.certificate_der import load_certificate, read_serial_number, signed_part
from makul.trust.base.algorithms import PublicKey, is_signed_with, strong_public_key
from makul.trust.base.errors import SignatureFailure

SANDBOX_ORGANISATION = "Makul sandbox, not a real authority"
"""The organisation in the subject of every certificate that a sandbox makes. No other certificate
has it."""

MAX_CERTIFICATE_BYTES = 8 * 1024
"""The maximum size of a certificate. It is several times the size of a signing certificate of
RSA-8192 with every usual extension."""
MAX_SERIAL_BYTES = 20
"""The maximum length of a serial number (RFC 5280, 4.1.2.2). A leading zero octet, by which DER
shows the sign, is not counted, because some CAs forget to count it."""
REMEMBERED_CERTIFICATES = 4096
"""The maximum number of parsed certificates in memory, keyed by their exact bytes; about 10 KB
each."""

SERIAL_NUMBER = "2.5.4.5"
"""The OID of the subject's serialNumber attribute (ETSI EN 319 412-1, 5.1.3)."""
ANY_POLICY = "2.5.29.32.0"
"""The OID of anyPolicy. In a CA's certificate it stands for every policy (RFC 5280, 4.2.1.4)."""

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)

_KEYS = frozenset(
    {
        PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5,
        PublicKeyAlgorithmOID.EC_PUBLIC_KEY,
    }
)


class Use(Enum):
    """The use of a signer's certificate here.

    A certificate made only for other purposes is SIG-10.
    """

    DOCUMENT = "document"
    MESSAGE = "message"
    TLS_CLIENT = "TLS client"


# A certificate is refused if its extended key usage lists only these purposes (RFC 5280, 4.2.1.12):
# keys of servers, code, time-stamps and OCSP. A client's TLS certificate may sign messages, but
# never a citizen's consent.
_FOREIGN = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)
_FOREIGN_TO = {
    Use.DOCUMENT: _FOREIGN | {ExtendedKeyUsageOID.CLIENT_AUTH},
    Use.MESSAGE: _FOREIGN,
}


@dataclass(frozen=True, slots=True, eq=False)
class SigningCertificate:
    """A certificate that came with a signature.

    Nothing in it is trusted before its path is trusted. Certificates are compared by fingerprint
    only, because all other fields follow from the same bytes.
    """

    x509: x509.Certificate
    der: bytes
    fingerprint: bytes
    """SHA-256 of the DER bytes."""
    key: PublicKey

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SigningCertificate):
            return NotImplemented
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


@lru_cache(maxsize=REMEMBERED_CERTIFICATES)
def read_certificate(der: bytes) -> SigningCertificate:
    """Parse a certificate from its DER bytes.

    Raises `SignatureFailure`: SIG-02 if it is not a certificate, SIG-04 if its key is too weak.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise SignatureFailure(
            Code.SIG_02, mark("the certificate is too large"), cause=Cause.CERTIFICATE_FORM
        )
    try:
        certificate = load_certificate(der)
    except Exception:  # noqa: BLE001 - a parser's error of any kind means: no certificate
        raise SignatureFailure(
            Code.SIG_02, mark("the certificate cannot be read"), cause=Cause.CERTIFICATE_FORM
        ) from None
    return SigningCertificate(
        x509=certificate,
        der=der,
        fingerprint=sha256(der).digest(),
        key=strong_public_key(read_public_key(certificate)),
    )


def read_public_key(certificate: x509.Certificate) -> object:
    """Return the certificate's public key.

    Raises `SignatureFailure`: SIG-04 for a key that no library here reads (GOST), SIG-02 for a
    broken one.
    """
    try:
        return certificate.public_key()
    except UnsupportedAlgorithm:
        pass
    except Exception:  # noqa: BLE001 - a parser's error of any kind means: no usable key
        if certificate.public_key_algorithm_oid in _KEYS:
            raise SignatureFailure(
                Code.SIG_02,
                mark("the certificate's key cannot be read"),
                cause=Cause.CERTIFICATE_FORM,
            ) from None
    raise SignatureFailure(
        Code.SIG_04, mark("the key's algorithm is not accepted here"), cause=Cause.KEY_ALGORITHM
    )


def require_regular_serial(der: bytes) -> None:
    """Raise SIG-10 unless RFC 5280, 4.1.2.2, allows the certificate's serial number.

    Our tables of CRL entries cannot hold a longer number, so its revocation could never be
    determined.
    """
    if not 0 < read_serial_number(der) < 1 << 8 * MAX_SERIAL_BYTES:
        raise SignatureFailure(
            Code.SIG_10,
            mark(
                "the certificate's serial number is not positive, or is longer than 20 octets"
                " (RFC 5280, 4.1.2.2)"
            ),
            cause=Cause.CERTIFICATE_SERIAL,
        )


def require_in_term(certificate: SigningCertificate, at: datetime) -> None:
    """Raise SIG-05 unless the certificate's own validity includes `at` (RFC 5280, 4.1.2.5)."""
    own = certificate.x509
    if not own.not_valid_before_utc <= at <= own.not_valid_after_utc:
        raise SignatureFailure(Code.SIG_05, mark("the certificate is out of its term"))


def is_issued_by(der: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether this issuer, by its name and key, signed the certificate in these bytes."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        key = strong_public_key(issuer.public_key())
        return is_signed_with(key, certificate, signed_part(der))
    except (SignatureFailure, ValueError, TypeError, UnsupportedAlgorithm):
        return False


@lru_cache(maxsize=REMEMBERED_CERTIFICATES)
def require_usage(certificate: SigningCertificate, use: Use) -> None:
    """Raise SIG-10 unless the certificate suits this use (RFC 5280, 4.2.1.3, 4.2.1.9, 4.2.1.12).

    Key usage must be stated. It must include digitalSignature or nonRepudiation
    (contentCommitment). A CA's certificate is refused.
    """
    require_regular_serial(certificate.der)
    try:
        extensions = certificate.x509.extensions
    except ValueError:
        raise SignatureFailure(Code.SIG_10, mark("the extensions cannot be read")) from None
    constraints = _extension(extensions, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise SignatureFailure(Code.SIG_10, mark("a CA's certificate"))
    usage = _extension(extensions, x509.KeyUsage)
    if usage is None or usage.key_cert_sign:
        raise SignatureFailure(Code.SIG_10, mark("key usage is not stated, or is a CA's"))
    extended = _extension(extensions, x509.ExtendedKeyUsage)
    if use is Use.TLS_CLIENT:
        _require_tls_client(usage, extended)
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise SignatureFailure(Code.SIG_10, mark("key usage allows no signatures"))
    if extended is not None and set(extended) <= _FOREIGN_TO[use]:
        raise SignatureFailure(Code.SIG_10, mark("extended key usage is for other ends only"))


def _require_tls_client(usage: x509.KeyUsage, extended: x509.ExtendedKeyUsage | None) -> None:
    """Raise SIG-10 unless the certificate suits a TLS client (RFC 5280, 4.2.1.12).

    A client proves its key by a signature (RFC 8446, 4.4.2.2 and 4.4.3).
    """
    if not usage.digital_signature:
        raise SignatureFailure(Code.SIG_10, mark("key usage allows no TLS client"))
    if extended is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in extended:
        raise SignatureFailure(Code.SIG_10, mark("extended key usage is not for TLS clients"))


def _extension(extensions: x509.Extensions, kind: type[ExtensionT]) -> ExtensionT | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def may_give(authority: x509.Certificate, policies: frozenset[str]) -> bool:
    """Return whether a CA's certificate names one of these policies or anyPolicy.

    RFC 5280, 4.2.1.4.
    """
    stated = _extension(authority.extensions, x509.CertificatePolicies)
    named = {each.policy_identifier.dotted_string for each in stated or ()}
    return not named.isdisjoint(policies | {ANY_POLICY})


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRule:
    """The rule that finds the PIN in a citizen's certificate (a setting).

    By default the PIN is in the subject's serialNumber, with the semantics identifier of ETSI EN
    319 412-1, 5.1.3: `PNO` (a national personal number), `KG`, a hyphen, the number.
    """

    attribute: str = SERIAL_NUMBER
    pattern: str = r"PNOKG-(?P<pin>\d{14})"
    policies: frozenset[str] = frozenset()
    """Certificate policies (RFC 5280, 4.2.1.4), one of which a citizen's path must carry.

    If none is set, any authority that is trusted for anything can state who a citizen is. A policy
    in the citizen's own certificate is not enough: the authority that wrote it may be one without
    this right. The policy must therefore hold along the whole path (`PathFinding.policies`).
    """

    def __post_init__(self) -> None:
        if "pin" not in re.compile(self.pattern).groupindex:
            raise ValueError(translate("the PIN pattern needs a group named pin: (?P<pin>...)"))

    def read_pin(self, certificate: SigningCertificate, *, policies: frozenset[str]) -> Pin | None:
        """Return the PIN if the subject carries it exactly once and in its proper form, else None.

        `policies` are the certificate policies that hold along the certificate's path.
        """
        if self.policies and not self.policies & policies:
            return None
        return _parse_pin(self, certificate)


@lru_cache(maxsize=REMEMBERED_CERTIFICATES)
def _parse_pin(rule: PinRule, certificate: SigningCertificate) -> Pin | None:
    subject = certificate.x509.subject
    attributes = subject.get_attributes_for_oid(x509.ObjectIdentifier(rule.attribute))
    if len(attributes) != 1 or not isinstance(attributes[0].value, str):
        return None
    match = re.fullmatch(rule.pattern, attributes[0].value, re.ASCII)
    if match is None:
        return None
    try:
        return Pin(match["pin"])
    except MalformedIdentifierError:
        return None


def is_sandbox(certificate: x509.Certificate) -> bool:
    """Return whether a sandbox made this certificate. Production must never trust its root."""
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return any(name.value == SANDBOX_ORGANISATION for name in names)
