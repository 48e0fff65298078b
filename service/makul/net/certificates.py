"""Certificates as people hand them over: PEM or DER, read as strictly as their use allows.

What a certificate says is believed only after its path is verified. Here it is only read: every
defect gives one sentence, never an exception of a parser.
"""

import base64
import binascii
import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

_PEM: Final = re.compile(
    rb"-----BEGIN (?P<label>(?:X509 )?CERTIFICATE)-----(?P<body>[^-]*)"
    rb"-----END (?P=label)-----"
)
_BEGIN: Final = b"-----BEGIN"

MAX_SERIAL_BITS: Final = 160
"""RFC 5280, 4.1.2.2: at most 20 octets."""

UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for a certificate, or a part of it, that it cannot read."""

_SEQUENCE, _SET, _PRINTABLE, _UTF8 = 0x30, 0x31, 0x13, 0x0C
_NAME_DEPTH: Final = 3
"""RFC 5280, 4.1.2.4: a Name is a SEQUENCE of SETs of SEQUENCEs."""
_PRINTABLE_LETTERS: Final = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?]*")
"""X.680, 41.4. Large CAs write `&`, `@`, `_` and `*` there as well."""


class CertificateFormError(ValueError):
    """These bytes are not one certificate that can be read. The message is a clause of ours."""


def split_certificates(content: bytes) -> tuple[bytes, ...]:
    """Return each certificate of a file as DER; raises `CertificateFormError`.

    A file without PEM is one certificate in DER, whatever it is: `load_certificate` tells.
    """
    if _BEGIN not in content:
        return (content,)
    try:
        found = tuple(
            base64.b64decode(b"".join(each["body"].split()), validate=True)
            for each in _PEM.finditer(content)
        )
    except binascii.Error:
        raise CertificateFormError("a certificate in PEM that is not base64") from None
    if not found:
        raise CertificateFormError("PEM without a certificate")
    return found


def load_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate whose form is right; raises `CertificateFormError`.

    Where its name holds a PrintableString with letters that are not of that type, the text is read
    as it stands. Fingerprints and signatures are always of the bytes that were handed over, and
    never of the object that is returned.
    """
    try:
        certificate = _parse(der)
        serial = certificate.serial_number
    except x509.InvalidVersion:
        raise CertificateFormError("a certificate of another version than 1 to 3") from None
    except UNREADABLE:
        raise CertificateFormError("not a certificate in PEM or DER") from None
    if serial < 0 or serial.bit_length() > MAX_SERIAL_BITS:
        raise CertificateFormError(
            "its serial number is negative or longer than 20 octets (RFC 5280, 4.1.2.2)"
        )
    return certificate


def _parse(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        readable = _with_readable_names(der)
        if readable is None:
            raise
        return x509.load_der_x509_certificate(readable)


def _with_readable_names(der: bytes) -> bytes | None:
    """Return the same octets with wrong PrintableStrings of both names tagged UTF8String.

    None if there are none, or if this is not a certificate at all.
    """
    changed = bytearray(der)
    try:
        (_, start, end) = _header(der, 0)
        (_, start, end) = _header(der, start)
        fields = _children(der, start, end)
        if fields and der[fields[0][0]] == 0xA0:  # the version
            fields = fields[1:]
        for issuer_or_subject in (fields[2], fields[4]):
            for place in _wrong_strings(der, *issuer_or_subject):
                changed[place] = _UTF8
    except (IndexError, ValueError):
        return None
    return bytes(changed) if changed != der else None


def _wrong_strings(der: bytes, place: int, end: int, depth: int = _NAME_DEPTH) -> list[int]:
    """Return where in a Name the tags of wrong PrintableStrings are."""
    tag, start, _ = _header(der, place)
    if tag in {_SEQUENCE, _SET}:
        if not depth:
            raise ValueError("nested deeper than a Name is")
        children = _children(der, start, end)
        return [each for child in children for each in _wrong_strings(der, *child, depth - 1)]
    wrong = tag == _PRINTABLE and not _PRINTABLE_LETTERS.fullmatch(der[start:end])
    return [place] if wrong else []


def _children(der: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return where each element begins and ends."""
    found = []
    while start < end:
        _, _, after = _header(der, start)
        if after > end:
            raise ValueError("an element beyond its parent")
        found.append((start, after))
        start = after
    return found


def _header(der: bytes, place: int) -> tuple[int, int, int]:
    """Return an element's tag, and where its content begins and ends (X.690, 8.1)."""
    tag, length, start = der[place], der[place + 1], place + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("a length that DER does not write so")
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > len(der):
        raise ValueError("an element beyond the end")
    return tag, start, start + length
