"""Certificates as an operator brings them: read, and refused where they could never serve."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from makul.cli.house import HouseError
from makul.cli.output import Facts, instant

MAX_BYTES = 64 * 1024
"""A certificate with every extension in use is below 10 KiB; more is another file."""

MIN_RSA_BITS = 2048
"""NIST SP 800-131A rev. 2: less is disallowed for signatures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCertificate:
    """A certificate whose form is right. Whether its path is trusted is judged at each message."""

    der: bytes
    fingerprint: bytes
    facts: Facts


def read_certificate(path: Path, *, at: datetime) -> ReadCertificate:
    """The one certificate in a file, PEM or DER; raises `HouseError` where it cannot serve."""
    certificate = _parse(path)
    algorithm = algorithm_of(certificate)
    if algorithm is None:
        raise HouseError(
            f"{path.name}: its key is too weak or of another kind; RSA from {MIN_RSA_BITS} bits or"
            " ECDSA P-256, P-384, P-521 will do"
        )
    if certificate.not_valid_after_utc <= at:
        raise HouseError(
            f"{path.name}: it expired on {instant(certificate.not_valid_after_utc)}; bring its"
            " successor"
        )
    fingerprint = certificate.fingerprint(hashes.SHA256())
    return ReadCertificate(
        der=certificate.public_bytes(serialization.Encoding.DER),
        fingerprint=fingerprint,
        facts={
            "certificate": fingerprint.hex(),
            "issuer": certificate.issuer.rfc4514_string(),
            "algorithm": algorithm,
            "not_before": instant(certificate.not_valid_before_utc),
            "not_after": instant(certificate.not_valid_after_utc),
        },
    )


def read_fingerprint(path: Path) -> bytes:
    """Which certificate it is, be it expired or weak by now: to withdraw it."""
    return _parse(path).fingerprint(hashes.SHA256())


def read_sealing_certificate(path: Path, *, at: datetime) -> ReadCertificate:
    """One to which data can be encrypted: RSA, for keyEncipherment; raises `HouseError`.

    RFC 5280, 4.2.1.3. Whether its path is trusted is judged at each answer.
    """
    read = read_certificate(path, at=at)
    certificate = x509.load_der_x509_certificate(read.der)
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise HouseError(f"{path.name}: data are encrypted to RSA keys alone; bring such a one")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        encrypts = usage.key_encipherment or usage.data_encipherment
    except (x509.ExtensionNotFound, ValueError):
        encrypts = False
    if not encrypts:
        raise HouseError(
            f"{path.name}: its key usage does not state keyEncipherment; ask its authority for a"
            " certificate for encryption"
        )
    return read


def algorithm_of(certificate: x509.Certificate) -> str | None:
    """`RSA-2048`, `P-256`, …; None for a key that no signature here may use."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name)
    return None


_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def _parse(path: Path) -> x509.Certificate:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise HouseError(f"{path.name} is too large for a certificate")
    if b"PRIVATE KEY" in content:
        raise HouseError(f"{path.name} holds a private key; bring the certificate alone")
    try:
        if b"-----BEGIN" not in content:
            return x509.load_der_x509_certificate(content)
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise HouseError(f"{path.name} is not a certificate in PEM or DER") from None
    if len(found) != 1:
        raise HouseError(f"{path.name} holds {len(found)} certificates; bring the signer's alone")
    return found[0]
