"""Keys and certificates from PEM files, and the algorithms that go with a key."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from signxml.algorithms import SignatureMethod

from makul_client.errors import ProfileError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

MIN_RSA_BITS: Final = 2048
"""ETSI TS 119 312, clause 9.3: the least RSA modulus still taken."""

_METHOD_BY_CURVE: Final = {
    "secp256r1": SignatureMethod.ECDSA_SHA256,
    "secp384r1": SignatureMethod.ECDSA_SHA384,
    "secp521r1": SignatureMethod.ECDSA_SHA512,
}


class WeakKeyError(ValueError):
    """A key of a kind or size that the service does not take."""


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """A private key and its certificate."""

    key: PrivateKey
    certificate: x509.Certificate

    def __post_init__(self) -> None:
        if self.key.public_key() != self.certificate.public_key():
            raise WeakKeyError("the key is not that of the certificate")

    @property
    def method(self) -> SignatureMethod:
        """The signature algorithm for this key."""
        return signature_method(self.key.public_key())


def signature_method(key: object) -> SignatureMethod:
    """RSA from 2048 bits with SHA-256; P-256, P-384, P-521, each with the SHA-2 of its size."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return SignatureMethod.RSA_SHA256
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _METHOD_BY_CURVE:
        return _METHOD_BY_CURVE[key.curve.name]
    raise WeakKeyError("the key must be RSA of 2048 bits or more, or ECDSA P-256, P-384, P-521")


def load_credential(key: Path, certificate: Path, *, password_env: str | None = None) -> Credential:
    """A key and its certificate. Raises `ProfileError`, which names the file at fault."""
    try:
        credential = Credential(_key(key, password_env), load_certificates([certificate])[0])
        _ = credential.method
    except WeakKeyError as error:
        raise ProfileError(f"{key}: {error}") from None
    return credential


def _key(file: Path, password_env: str | None) -> PrivateKey:
    password = None
    if password_env is not None:
        password = os.environ.get(password_env, "").encode() or None
        if password is None:
            raise ProfileError(f"{file}: the environment variable {password_env} is not set")
    try:
        key = load_pem_private_key(file.read_bytes(), password)
    except (OSError, ValueError, TypeError):
        raise ProfileError(f"{file}: not a private key in PEM, or a wrong password") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ProfileError(f"{file}: neither an RSA nor an ECDSA key")
    return key


def load_certificates(files: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """All certificates of these PEM files. Raises `ProfileError`."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += x509.load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError):
            raise ProfileError(f"{file}: not a certificate in PEM") from None
    return tuple(found)


def load_crls(files: Iterable[Path]) -> tuple[x509.CertificateRevocationList, ...]:
    """The revocation lists of these files, PEM or DER. Raises `ProfileError`."""
    found = []
    for file in files:
        try:
            data = file.read_bytes()
            is_pem = data.lstrip().startswith(b"-----BEGIN")
            load = x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl
            found.append(load(data))
        except (OSError, ValueError):
            raise ProfileError(f"{file}: not a certificate revocation list") from None
    return tuple(found)
