"""Parse certificates and CRLs, also if their names break the rules of ASN.1's string types.

Large authorities write `&`, `_` or `@` into a PrintableString, which X.680, 41.4, forbids. They
also write Latin-1 into an IA5String or TeletexString. OpenSSL and browsers read such names;
`cryptography` refuses the whole certificate. This module parses a copy in which these strings are
UTF8Strings.

The bytes of the copy differ from those of the certificate. So its `public_bytes()`, its
`fingerprint()` and the check of its signature do not apply to the certificate. A caller must use
the original bytes for these.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from cryptography import x509

_PRINTABLE: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"
)
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_UTF8_STRING: Final = 0x0C
_PRINTABLE_STRING: Final = 0x13
_OTHER_STRINGS: Final = frozenset({0x12, 0x14, 0x16, 0x1A})
"""NumericString, TeletexString, IA5String, VisibleString: `cryptography` reads each as UTF-8."""
_SEQUENCE: Final = 0x30
_CONSTRUCTED: Final = 0x20
_EXTENSIONS: Final = 0xA3
_CRL_EXTENSIONS: Final = 0xA0
_LONG_FORM: Final = 0x80
_LONG_TAG: Final = 0x1F
_MAX_DEPTH: Final = 24
"""Maximum number of levels. A name in the deepest usual extension is on the twelfth level."""
_MAX_LENGTH_OCTETS: Final = 4


class Element(NamedTuple):
    """One element of DER."""

    tag: int
    content: bytes
    encoded: bytes
    """The whole element: tag, length and content."""


def load_certificate(der: bytes) -> x509.Certificate:
    """Return the certificate in these bytes; raises `ValueError` if they contain none.

    The result equals that of `x509.load_der_x509_certificate` for a certificate that it can read.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.issuer
    except ValueError as error:
        readable = _readable_certificate(der)
        if readable is None or readable == der:
            raise error from None
        certificate = x509.load_der_x509_certificate(readable)
        _ = certificate.subject, certificate.issuer
    return certificate


def load_crl(der: bytes) -> x509.CertificateRevocationList:
    """Return the CRL in these bytes; raises `ValueError` if they contain none.

    The result equals that of `x509.load_der_x509_crl` for a CRL that it can read. A caller must
    verify the signature over `signed_part` of the same bytes.
    """
    try:
        crl = x509.load_der_x509_crl(der)
        _ = crl.issuer
    except ValueError as error:
        readable = _readable_crl(der)
        if readable is None or readable == der:
            raise error from None
        crl = x509.load_der_x509_crl(readable)
        _ = crl.issuer
    return crl


def signed_part(der: bytes) -> bytes:
    """Return the exact bytes of a certificate or CRL that were signed; raises `ValueError`."""
    (whole,) = _elements(der)
    return next(_elements(whole.content)).encoded


def read_serial_number(der: bytes) -> int:
    """Return a certificate's serial number; raises `ValueError` (RFC 5280, 4.1.2.2).

    `cryptography` warns of a serial number that is not positive, and will later refuse the
    certificate.
    """
    for part in _elements(next(_elements(next(_elements(der)).content)).content):
        if part.tag == _INTEGER:
            return int.from_bytes(part.content, "big", signed=True)
    raise ValueError("the certificate has no serial number")


def _readable_certificate(der: bytes) -> bytes | None:
    """Return the copy with readable strings; None if this is not DER."""
    try:
        (whole,) = _elements(der)
        signed, *rest = _elements(whole.content)
        parts = [
            _readable_extensions(part) if part.tag == _EXTENSIONS else _correct_strings(part)
            for part in _elements(signed.content)
        ]
    except ValueError:
        return None
    content = _encode(signed.tag, b"".join(parts)) + b"".join(each.encoded for each in rest)
    return _encode(whole.tag, content)


def _readable_crl(der: bytes) -> bytes | None:
    """Return a copy of a CRL with readable strings; None if this is not DER.

    Entries stay unchanged: there may be millions.
    """
    try:
        (whole,) = _elements(der)
        signed, *rest = _elements(whole.content)
        parts = []
        sequences = 0
        for part in _elements(signed.content):
            sequences += part.tag == _SEQUENCE
            if part.tag == _CRL_EXTENSIONS:
                parts.append(_readable_extensions(part))
            elif part.tag == _SEQUENCE and sequences == 2:
                parts.append(_correct_strings(part))
            else:
                parts.append(part.encoded)
    except ValueError:
        return None
    content = _encode(signed.tag, b"".join(parts)) + b"".join(each.encoded for each in rest)
    return _encode(whole.tag, content)


def _readable_extensions(extensions: Element) -> bytes:
    """Return extensions with readable strings inside their OCTET STRINGs.

    An OCTET STRING whose content is not DER stays unchanged.
    """
    (listed,) = _elements(extensions.content)
    parts = []
    for extension in _elements(listed.content):
        inner = []
        for part in _elements(extension.content):
            if part.tag != _OCTET_STRING:
                inner.append(part.encoded)
                continue
            try:
                value = b"".join(_correct_strings(each) for each in _elements(part.content))
            except ValueError:
                value = part.content
            inner.append(_encode(part.tag, value))
        parts.append(_encode(extension.tag, b"".join(inner)))
    return _encode(extensions.tag, _encode(listed.tag, b"".join(parts)))


def _correct_strings(element: Element, depth: int = 0) -> bytes:
    if depth > _MAX_DEPTH:
        raise ValueError("DER that is too deep")
    if element.tag & _CONSTRUCTED:
        parts = [_correct_strings(each, depth + 1) for each in _elements(element.content)]
        return _encode(element.tag, b"".join(parts))
    text = element.content
    if element.tag == _PRINTABLE_STRING and not _PRINTABLE.issuperset(text):
        return _encode(_UTF8_STRING, _decode_as_utf8(text))
    if element.tag in _OTHER_STRINGS and not text.isascii():
        return _encode(_UTF8_STRING, _decode_as_utf8(text))
    return element.encoded


def _decode_as_utf8(text: bytes) -> bytes:
    """Return text as UTF-8; text that is not UTF-8 is read as Latin-1, as OpenSSL does."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1").encode("utf-8")
    return text


def _elements(octets: bytes) -> Iterator[Element]:
    """Yield each element in turn; raises `ValueError` if this is not DER with low tag numbers."""
    at = 0
    while at < len(octets):
        tag = octets[at]
        start, length = _length(octets, at + 1)
        end = start + length
        if tag & _LONG_TAG == _LONG_TAG or end > len(octets):
            raise ValueError("not DER")
        yield Element(tag, octets[start:end], octets[at:end])
        at = end


def _length(octets: bytes, at: int) -> tuple[int, int]:
    """Return where the content begins, and its length in octets (X.690, 8.1.3)."""
    if at >= len(octets):
        raise ValueError("not DER")
    first = octets[at]
    if first < _LONG_FORM:
        return at + 1, first
    count = first - _LONG_FORM
    if not 0 < count <= _MAX_LENGTH_OCTETS or at + 1 + count > len(octets):
        raise ValueError("not DER")
    return at + 1 + count, int.from_bytes(octets[at + 1 : at + 1 + count], "big")


def _encode(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content
