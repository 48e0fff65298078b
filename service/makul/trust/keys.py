"""Our own keys and certificates, from PEM files, loaded once.

Passing PEM at every signature costs 40 ms; a loaded key 0.03.
"""

import os
import stat
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from makul.trust.algorithms import PrivateKey, strong_public_key
from makul.trust.failures import SignatureFailure


class KeyFileError(Exception):
    """A key or certificate file cannot be used. The message names the file and what to do."""


def load_private_key(path: Path, *, password: bytes | None = None) -> PrivateKey:
    """A private key that only its owner can read; raises `KeyFileError`."""
    content = _read(path, private=True)
    try:
        key = load_pem_private_key(content, password)
    except TypeError:
        hint = (
            "needs a password" if password is None else "is not encrypted: take the password away"
        )
        raise KeyFileError(f"{path}: the key {hint}.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{path}: not a PEM private key, or the wrong password. Expected"
            " '-----BEGIN PRIVATE KEY-----'."
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFileError(f"{path}: use an RSA key of 2048 bits or more, or ECDSA P-256 to P-521.")
    try:
        strong_public_key(key.public_key())
    except SignatureFailure:
        raise KeyFileError(
            f"{path}: the key is too weak. Use RSA of 2048 bits or more, or ECDSA P-256 to P-521."
        ) from None
    return key


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """A certificate and the chain after it, if any; raises `KeyFileError`."""
    try:
        return tuple(x509.load_pem_x509_certificates(_read(path, private=False)))
    except ValueError:
        raise KeyFileError(
            f"{path}: not a PEM certificate. Expected '-----BEGIN CERTIFICATE-----'."
        ) from None


def load_pair(
    key_path: Path, certificate_path: Path, *, password: bytes | None = None
) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
    """A key and its certificate with the chain after it; raises `KeyFileError` if they differ."""
    key = load_private_key(key_path, password=password)
    chain = load_certificates(certificate_path)
    try:
        belongs = is_pair(key, chain[0])
    except (ValueError, UnsupportedAlgorithm):
        belongs = False
    if not belongs:
        raise KeyFileError(
            f"{certificate_path}: its first certificate is not that of the key {key_path}."
        )
    return key, chain


def is_pair(key: PrivateKey, certificate: x509.Certificate) -> bool:
    """Does the certificate hold this key's public part?"""
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileError(
                    f"{path}: others can read or change this private key. Run: chmod 600 {path}"
                )
            return file.read()
    except OSError as error:
        raise KeyFileError(
            f"{path}: {error.strerror}. Check the path and who may read it."
        ) from None
