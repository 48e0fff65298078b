"""Load our own keys and certificates from PEM files, and sign with a key in memory.

A file is loaded once: to pass PEM at every signature costs 40 ms, a loaded key 0.03 ms. `RawSigner`
is what any of our signing keys can do, in memory or in a token.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from makul.language.translation import translate
from makul.net.files import FileError, read_bounded, read_secret
from makul.trust.base.algorithms import PrivateKey, PublicKey, method_for, strong_public_key
from makul.trust.base.errors import SignatureFailure

MAX_KEY_BYTES = 64 * 1024
"""The maximum size of a key file. An encrypted RSA key of 8192 bits is below 8 KiB."""
MAX_CERTIFICATES_BYTES = 1024 * 1024
"""The maximum size of a certificate file: about 500 certificates in PEM."""


class KeyFileError(Exception):
    """A key or certificate file cannot be used. The message names the file and what to do."""


class RawSigner(Protocol):
    """A private key of ours, in memory or in a token. Safe between threads."""

    @property
    def public_key(self) -> PublicKey:
        """The public key that verifies its signatures."""

    def sign(self, octets: bytes) -> bytes:
        """Return the SignatureValue by the key's `method_for`; ECDSA as r and s (RFC 6931, 2.3.6).

        Raises `SignerUnavailableError` if the key cannot be used now.
        """

    def ready(self) -> bool:
        """Return whether the key can sign now."""


HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
"""The hash classes, by the name of the digest that `method_for` gives."""


class KeySigner:
    """A `RawSigner` with the key in this process's memory.

    The constructor raises `SignatureFailure` if the key is too weak.
    """

    def __init__(self, key: PrivateKey) -> None:
        self._public_key = strong_public_key(key.public_key())
        self._sign = _signature_function(key)

    @property
    def public_key(self) -> PublicKey:
        """The public key that verifies its signatures."""
        return self._public_key

    def sign(self, octets: bytes) -> bytes:
        """Return the SignatureValue. A key in memory is never unavailable."""
        return self._sign(octets)

    def ready(self) -> bool:
        """Return True, because a key in memory is never unavailable."""
        return True


def _signature_function(key: PrivateKey) -> Callable[[bytes], bytes]:
    """Return the function from bytes to the SignatureValue (RFC 6931, 2.3.2 and 2.3.6)."""
    algorithm = HASHES[method_for(key)[1].name]()
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return lambda octets: key.sign(octets, padding.PKCS1v15(), algorithm)
    width = (key.curve.key_size + 7) // 8
    method = ec.ECDSA(algorithm)

    def sign(octets: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(octets, method))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")

    return sign


def load_secret(path: Path) -> bytes:
    """Read a password or PIN: the first line of a file that only its owner can read.

    Raises `KeyFileError`, also if that line is empty.
    """
    secret = _read(path, private=True).partition(b"\n")[0].rstrip(b"\r")
    if not secret:
        raise KeyFileError(
            translate("{path}: its first line is empty. Write the secret there.", path=path)
        )
    return secret


def load_private_key(path: Path, *, password: bytes | None = None) -> PrivateKey:
    """Load a private key that only its owner can read; raise `KeyFileError` on failure."""
    content = _read(path, private=True)
    try:
        key = load_pem_private_key(content, password)
    except TypeError:
        if password is None:
            raise KeyFileError(translate("{path}: the key needs a password.", path=path)) from None
        raise KeyFileError(
            translate("{path}: the key is not encrypted: take the password away.", path=path)
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            translate(
                "{path}: not a PEM private key, or the wrong password. Expected '-----BEGIN PRIVATE"
                " KEY-----'.",
                path=path,
            )
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFileError(
            translate(
                "{path}: use an RSA key of 2048 bits or more, or ECDSA P-256 to P-521.", path=path
            )
        )
    try:
        strong_public_key(key.public_key())
    except SignatureFailure:
        raise KeyFileError(
            translate(
                "{path}: the key is too weak. Use RSA of 2048 bits or more, or ECDSA P-256 to"
                " P-521.",
                path=path,
            )
        ) from None
    return key


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Load a certificate and the chain after it, if any; raise `KeyFileError` on failure."""
    try:
        return tuple(x509.load_pem_x509_certificates(_read(path, private=False)))
    except ValueError:
        raise KeyFileError(
            translate(
                "{path}: not a PEM certificate. Expected '-----BEGIN CERTIFICATE-----'.", path=path
            )
        ) from None


def load_pair(
    key_path: Path, certificate_path: Path, *, password: bytes | None = None
) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
    """Load a key and its certificate, with the chain after it.

    Raises `KeyFileError` if a file cannot be used, or if the certificate is not that of the key.
    """
    key = load_private_key(key_path, password=password)
    chain = load_certificates(certificate_path)
    try:
        belongs = is_pair(key, chain[0])
    except (ValueError, UnsupportedAlgorithm):
        belongs = False
    if not belongs:
        raise KeyFileError(
            translate(
                "{certificate_path}: its first certificate is not that of the key {key_path}.",
                certificate_path=certificate_path,
                key_path=key_path,
            )
        )
    return key, chain


def is_pair(key: PrivateKey, certificate: x509.Certificate) -> bool:
    """Return whether the certificate holds this key's public part."""
    return same_key(key.public_key(), certificate)


def same_key(key: PublicKey, certificate: x509.Certificate) -> bool:
    """Return whether this public key is the certificate's."""
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*form) == key.public_bytes(*form)


def _read(path: Path, *, private: bool) -> bytes:
    read = read_secret if private else read_bounded
    try:
        return read(path, MAX_KEY_BYTES if private else MAX_CERTIFICATES_BYTES)
    except FileError as error:
        raise KeyFileError(str(error)) from None
