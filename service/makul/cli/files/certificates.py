"""Certificate files of an operator: read, and refused if they can never serve."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from makul.admin.errors import OperatorError
from makul.admin.requests import CertificateUse
from makul.cli.output import Facts, complain, instant, local_time
from makul.language.translation import mark, translate
from makul.net.certificate_der import load_certificate, read_serial_number
from makul.net.files import read_bounded

if TYPE_CHECKING:
    from makul.admin.installation import Installation

MAX_BYTES = 64 * 1024
"""A certificate with every extension in use is below 10 KiB. A larger file is another file."""

MAX_SERIAL_BYTES = 20
"""RFC 5280, 4.1.2.2."""

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""The exceptions that `cryptography` raises for a certificate, or part, that it cannot read."""

_PEM = re.compile(
    rb"-----BEGIN (?P<label>(?:X509 )?CERTIFICATE)-----(?P<body>[^-]*)-----END (?P=label)-----"
)

MIN_RSA_BITS = 2048
"""NIST SP 800-131A rev. 2 disallows shorter keys for signatures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCertificate:
    """A certificate whose form is valid. Its path is validated again with each message."""

    der: bytes
    fingerprint: bytes
    key_digest: bytes
    """SHA-256 of its public key (SubjectPublicKeyInfo)."""
    not_after: datetime
    facts: Facts


def read_certificate(path: Path, *, at: datetime | None) -> ReadCertificate:
    """Return the only certificate in a file, PEM or DER.

    `at` is None if an expired certificate is acceptable, because it is to be withdrawn. Raises
    `OperatorError` if the certificate cannot serve.
    """
    der, certificate = _parse(path)
    algorithm = describe_algorithm(certificate)
    if algorithm is None:
        raise OperatorError(
            translate(
                "{file}: algorithm not accepted: its key is {key}. Bring a certificate with RSA of"
                " {bits} bits or more, or ECDSA P-256, P-384 or P-521",
                file=path.name,
                key=name_key(certificate),
                bits=MIN_RSA_BITS,
            )
        )
    if at is not None and certificate.not_valid_after_utc <= at:
        raise OperatorError(
            translate(
                "{file}: it expired on {time}; bring its successor",
                file=path.name,
                time=local_time(certificate.not_valid_after_utc),
            )
        )
    fingerprint = sha256(der).digest()
    return ReadCertificate(
        der=der,
        fingerprint=fingerprint,
        key_digest=sha256(
            certificate.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).digest(),
        not_after=certificate.not_valid_after_utc,
        facts={
            "certificate": fingerprint.hex(),
            "issuer": certificate.issuer.rfc4514_string(),
            "algorithm": algorithm,
            "not_before": instant(certificate.not_valid_before_utc),
            "not_after": instant(certificate.not_valid_after_utc),
        },
    )


def describe_unsuitability(
    installation: "Installation", path: Path, read: ReadCertificate, use: CertificateUse
) -> Facts:
    """Return a warning for JSON if the certificate can never be accepted, otherwise nothing."""
    why = installation.find_unsuitability(read.der, use)
    if why is None:
        return {}
    warning = translate(
        "{file}: nothing will be accepted under this certificate: {cause}",
        file=path.name,
        cause=why,
    )
    return {"warning": warning}


def print_warning(warning: Facts) -> None:
    """Print the warning on stderr, after the registration or its preview."""
    if warning:
        complain(translate("warning: {warning}", warning=warning["warning"]))


def read_fingerprint(path: Path) -> bytes:
    """Return the fingerprint of a certificate that is to be withdrawn, even if expired or weak."""
    return sha256(_parse(path)[0]).digest()


def read_encryption_certificate(path: Path, *, at: datetime) -> ReadCertificate:
    """Return a certificate to which data can be encrypted: RSA, for keyEncipherment.

    See RFC 5280, 4.2.1.3. Its path is validated again with each answer. Raises `OperatorError` if
    the certificate cannot serve.
    """
    read = read_certificate(path, at=at)
    certificate = load_certificate(read.der)
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise OperatorError(
            translate(
                "{file}: data are encrypted to RSA keys alone; bring such a one", file=path.name
            )
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        encrypts = usage.key_encipherment or usage.data_encipherment
    except (x509.ExtensionNotFound, *UNREADABLE):
        encrypts = False
    if not encrypts:
        raise OperatorError(
            translate(
                "{file}: its key usage does not state keyEncipherment; ask its authority for a"
                " certificate for encryption",
                file=path.name,
            )
        )
    return read


def describe_algorithm(certificate: x509.Certificate) -> str | None:
    """Return `RSA-2048`, `P-256`, …, or None for a key that no signature may use here."""
    try:
        key = certificate.public_key()
    except UNREADABLE:  # GOST R 34.10, or explicit curve parameters
        return None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name)
    return None


def name_key(certificate: x509.Certificate) -> str:
    """Return the common name of a key that is not accepted, or its OID if the name is unknown."""
    oid = certificate.public_key_algorithm_oid
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return _name_algorithm(oid.dotted_string)
    if isinstance(key, rsa.RSAPublicKey):
        return translate("RSA of {number} bits", number=key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return translate("ECDSA on {curve}", curve=key.curve.name)
    return _name_algorithm(oid.dotted_string)


def _name_algorithm(oid: str) -> str:
    if oid in _KEYS:
        return translate(_KEYS[oid])
    return translate("of the algorithm {oid}", oid=oid)


_KEYS = {
    "1.2.643.2.2.19": "GOST R 34.10-2001",
    "1.2.643.7.1.1.1.1": mark("GOST R 34.10-2012 of 256 bits"),
    "1.2.643.7.1.1.1.2": mark("GOST R 34.10-2012 of 512 bits"),
    "1.2.398.3.10.1.1.1.1": "GOST 34.310-2004",
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.10045.2.1": mark("on a curve whose parameters are written out"),
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def _parse(path: Path) -> tuple[bytes, x509.Certificate]:
    content = read_bounded(path, MAX_BYTES)
    if b"PRIVATE KEY" in content:
        raise OperatorError(
            translate("{file} holds a private key; bring the certificate alone", file=path.name)
        )
    certificates = _split(path, content)
    if len(certificates) != 1:
        raise OperatorError(
            translate(
                "{file} holds {number} certificates; bring the signer's alone",
                file=path.name,
                number=len(certificates),
            )
        )
    try:
        # `cryptography` warns of a serial number that is not positive, so it is checked first.
        if not 0 < read_serial_number(certificates[0]) < 1 << 8 * MAX_SERIAL_BYTES:
            raise OperatorError(
                translate(
                    "{file}: its serial number is not positive, or longer than {max_bytes} octets"
                    " (RFC"
                    " 5280, 4.1.2.2); ask its authority for another certificate",
                    file=path.name,
                    max_bytes=MAX_SERIAL_BYTES,
                )
            )
        return certificates[0], load_certificate(certificates[0])
    except (*UNREADABLE, StopIteration):
        raise OperatorError(
            translate("{file}: not a certificate in PEM or DER", file=path.name)
        ) from None


def _split(path: Path, content: bytes) -> list[bytes]:
    """Return each certificate of a file as DER. A file without PEM counts as one certificate."""
    if b"-----BEGIN" not in content:
        return [content]
    try:
        certificates = [
            base64.b64decode(b"".join(each["body"].split()), validate=True)
            for each in _PEM.finditer(content)
        ]
    except binascii.Error:
        raise OperatorError(
            translate("{file}: a certificate in PEM that is not base64", file=path.name)
        ) from None
    if not certificates:
        raise OperatorError(translate("{file}: PEM without a certificate", file=path.name))
    return certificates
