"""The reading of certificates from files and signatures: PEM or DER."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from makul_client.translation import translate

UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""The errors of `cryptography` for a certificate, or a part of it, that it cannot read."""

MAX_SERIAL_BITS: Final = 160
"""The maximum length of a serial number: 20 octets (RFC 5280, 4.1.2.2)."""

_PEM: Final = re.compile(
    rb"-----BEGIN (?P<label>(?:X509 )?CERTIFICATE)-----(?P<body>[^-]*)"
    rb"-----END (?P=label)-----"
)
_PRINTABLE, _UTF8 = 0x13, 0x0C
_CONSTRUCTED: Final = frozenset({0x30, 0x31})
_NAME_DEPTH: Final = 3
"""The nesting of a Name: a SEQUENCE of SETs of SEQUENCEs (RFC 5280, 4.1.2.4)."""
_PRINTABLE_LETTERS: Final = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?]*")
"""The letters of a PrintableString (X.680, 41.4). Large CAs also write `&`, `@` and `_`."""


class CertificateFormError(ValueError):
    """The error of bytes that are no readable certificate. The message states what they are."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, as its exact bytes and in a readable form.

    If a PrintableString of a name contains letters that it may not, `x509` has that name as
    UTF8String. Use `x509` only for reading, never for fingerprints or signatures.
    """

    der: bytes
    x509: x509.Certificate

    @property
    def fingerprint(self) -> bytes:
        """The SHA-256 of the certificate's bytes."""
        return hashlib.sha256(self.der).digest()


def load_certificate(der: bytes) -> Certificate:
    """Return a certificate. Raises `CertificateFormError`."""
    try:
        # `cryptography` warns of a serial number that is not positive, so it is checked first.
        serial = _serial_number(der)
        read = _load_certificate(der) if 0 < serial < 1 << MAX_SERIAL_BITS else None
    except x509.InvalidVersion:
        raise CertificateFormError(
            translate("a certificate of another version than 1 to 3")
        ) from None
    except (*UNREADABLE, IndexError):
        raise CertificateFormError(translate("not a certificate in PEM")) from None
    if read is None:
        raise CertificateFormError(
            translate(
                "its serial number is not positive or longer than 20 octets (RFC 5280, 4.1.2.2)"
            )
        )
    return Certificate(der, read)


def load_certificates_in(content: bytes) -> tuple[Certificate, ...]:
    """Return every certificate of a PEM file, at least one. Raises `CertificateFormError`."""
    try:
        certificates = [
            base64.b64decode(b"".join(each["body"].split()), validate=True)
            for each in _PEM.finditer(content)
        ]
    except binascii.Error:
        raise CertificateFormError(translate("a certificate in PEM that is not base64")) from None
    if not certificates:
        raise CertificateFormError(translate("not a certificate in PEM"))
    return tuple(map(load_certificate, certificates))


def _load_certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        readable = _correct_name_strings(der)
        if readable is None:
            raise
        return x509.load_der_x509_certificate(readable)


def _fields(der: bytes) -> list[tuple[int, int]]:
    """Return the position of each signed field from the serial number on (RFC 5280, 4.1)."""
    _, start, _ = _header(der, 0)
    _, start, end = _header(der, start)
    fields = _children(der, start, end)
    return fields[1:] if der[fields[0][0]] == 0xA0 else fields  # the version is optional


def _serial_number(der: bytes) -> int:
    tag, start, end = _header(der, _fields(der)[0][0])
    if tag != 0x02:
        raise ValueError("no serial number")
    return int.from_bytes(der[start:end], "big", signed=True)


def _correct_name_strings(der: bytes) -> bytes | None:
    """Return the DER with wrong PrintableStrings of both names as UTF8String, or None if none."""
    changed = bytearray(der)
    try:
        fields = _fields(der)
        for name in (fields[2], fields[4]):
            for offset in _find_wrong_strings(der, *name):
                changed[offset] = _UTF8
    except (IndexError, ValueError):
        return None
    return bytes(changed) if changed != der else None


def _find_wrong_strings(der: bytes, offset: int, end: int, depth: int = _NAME_DEPTH) -> list[int]:
    """Return the positions of the tags of wrong PrintableStrings in a Name."""
    tag, start, _ = _header(der, offset)
    if tag in _CONSTRUCTED:
        if not depth:
            raise ValueError("nested deeper than a Name is")
        children = _children(der, start, end)
        return [at for child in children for at in _find_wrong_strings(der, *child, depth - 1)]
    wrong = tag == _PRINTABLE and not _PRINTABLE_LETTERS.fullmatch(der[start:end])
    return [offset] if wrong else []


def _children(der: bytes, start: int, end: int) -> list[tuple[int, int]]:
    offsets = []
    while start < end:
        _, _, after = _header(der, start)
        if after > end:
            raise ValueError("an element beyond its parent")
        offsets.append((start, after))
        start = after
    return offsets


def _header(der: bytes, offset: int) -> tuple[int, int, int]:
    """Return an element's tag, and the start and the end of its content (X.690, 8.1)."""
    tag, length, start = der[offset], der[offset + 1], offset + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("a length that DER does not write so")
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > len(der):
        raise ValueError("an element beyond the end")
    return tag, start, start + length
