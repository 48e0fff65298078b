"""The keys and certificates in PEM files, and the signature algorithm of each key."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from signxml.algorithms import SignatureMethod

from makul_client._internal.crypto.certificates import (
    UNREADABLE,
    Certificate,
    CertificateFormError,
    load_certificates_in,
)
from makul_client.errors import ProfileError
from makul_client.toml_table import read_profile_file
from makul_client.translation import translate

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

MIN_RSA_BITS: Final = 2048
"""The minimum size of an RSA modulus (ETSI TS 119 312, clause 9.3)."""

MAX_KEY: Final = 64 * 1024
MAX_CERTIFICATES: Final = 1024 * 1024
MAX_CRL: Final = 64 * 1024 * 1024
"""The maximum sizes of files, in bytes. The CRL of a whole nation has some megabytes."""

_METHOD_BY_CURVE: Final = {
    "secp256r1": SignatureMethod.ECDSA_SHA256,
    "secp384r1": SignatureMethod.ECDSA_SHA384,
    "secp521r1": SignatureMethod.ECDSA_SHA512,
}


class WeakKeyError(ValueError):
    """The error of a key of a kind or size that the service does not accept."""


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """A private key and its certificate."""

    key: PrivateKey
    certificate: x509.Certificate
    exact_der: bytes | None = None
    """The certificate's bytes as they were read, if `certificate` is not made from them."""

    def __post_init__(self) -> None:
        if self.key.public_key() != self.certificate.public_key():
            raise WeakKeyError(translate("the key is not that of the certificate"))

    @property
    def der(self) -> bytes:
        """The certificate's exact bytes."""
        return self.exact_der or self.certificate.public_bytes(Encoding.DER)

    @property
    def method(self) -> SignatureMethod:
        """The signature algorithm for this key."""
        return signature_method(self.key.public_key())


def signature_method(key: object) -> SignatureMethod:
    """Return the signature algorithm for a key. Raises `WeakKeyError`.

    RSA from 2048 bits uses SHA-256. P-256, P-384 and P-521 use the SHA-2 of their size.
    """
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return SignatureMethod.RSA_SHA256
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _METHOD_BY_CURVE:
        return _METHOD_BY_CURVE[key.curve.name]
    raise WeakKeyError(
        translate("the key must be RSA of 2048 bits or more, or ECDSA P-256, P-384, P-521")
    )


def load_credential(key: Path, certificate: Path, *, password_env: str | None = None) -> Credential:
    """Return a key and its certificate. Raises `ProfileError`, which names the file at fault."""
    loaded = load_certificates([certificate])[0]
    try:
        credential = Credential(_key(key, password_env), loaded.x509, loaded.der)
        _ = credential.method
    except WeakKeyError as error:
        raise ProfileError(f"{key}: {error}") from None
    return credential


def _key(file: Path, password_env: str | None) -> PrivateKey:
    password = None
    if password_env is not None:
        password = os.environ.get(password_env, "").encode() or None
        if password is None:
            raise ProfileError(
                translate(
                    "{file}: the environment variable {variable} is not set",
                    file=file,
                    variable=password_env,
                )
            )
    try:
        key = load_pem_private_key(read_profile_file(file, MAX_KEY), password)
    except UNREADABLE:
        raise ProfileError(
            translate("{file}: not a private key in PEM, or a wrong password", file=file)
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ProfileError(translate("{file}: neither an RSA nor an ECDSA key", file=file))
    return key


def load_certificates(files: Iterable[Path]) -> tuple[Certificate, ...]:
    """Return all certificates of these PEM files. Raises `ProfileError`."""
    found: list[Certificate] = []
    for file in files:
        try:
            loaded = load_certificates_in(read_profile_file(file, MAX_CERTIFICATES))
        except CertificateFormError as error:
            raise ProfileError(f"{file}: {error}") from None
        for each in loaded:
            try:
                signature_method(each.x509.public_key())
            except UNREADABLE:
                raise ProfileError(
                    translate(
                        "{file}: algorithm not accepted: the key must be RSA of {bits} bits or"
                        " more, or ECDSA P-256, P-384, P-521",
                        file=file,
                        bits=MIN_RSA_BITS,
                    )
                ) from None
        found += loaded
    return tuple(found)


def load_crls(files: Iterable[Path]) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the certificate revocation lists of these files, PEM or DER. Raises `ProfileError`."""
    found = []
    for file in files:
        try:
            data = read_profile_file(file, MAX_CRL)
            is_pem = data.lstrip().startswith(b"-----BEGIN")
            load = x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl
            found.append(load(data))
        except UNREADABLE:
            raise ProfileError(
                translate("{file}: not a certificate revocation list", file=file)
            ) from None
    return tuple(found)
