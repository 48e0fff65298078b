"""Compare the issuer names that ds:X509IssuerName states with X.509 names.

The text follows RFC 4514 (XML Signature 1.1, 4.5.4.1). Tools write it with different keywords,
order, case and escapes. Names are therefore compared by the types and values of their attributes,
in any order.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from cryptography import x509

_KEYWORDS: Final = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "SURNAME": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "S": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "TITLE": "2.5.4.12",
    "POSTALCODE": "2.5.4.17",
    "GN": "2.5.4.42",
    "G": "2.5.4.42",
    "GIVENNAME": "2.5.4.42",
    "DNQ": "2.5.4.46",
    "DNQUALIFIER": "2.5.4.46",
    "ORGANIZATIONIDENTIFIER": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
    "EMAIL": "1.2.840.113549.1.9.1",
    "EMAILADDRESS": "1.2.840.113549.1.9.1",
}
"""The object identifiers of the keywords that Java, OpenSSL, BouncyCastle and .NET write."""
_OID: Final = re.compile(r"(?:OID\.)?([0-2](?:\.[0-9]{1,20}){1,20})", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"""\s*([A-Za-z0-9.]{1,200})\s*=\s*
        (?: \#(?P<hex>(?:[0-9A-Fa-f]{2})+)
          | "(?P<quoted>(?:[^"\\]|\\.)*)"
          | (?P<plain>(?:[^,;+"\\]|\\.)*) )
        \s*(?:[,;+]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_MAX_NAME: Final = 4096
_SHORT_LENGTH: Final = 0x80


def is_name_of(text: str, name: x509.Name) -> bool | None:
    """Return whether this text is the name, or None if the text cannot be read."""
    try:
        stated = Counter(_attributes(text))
    except ValueError:
        return None
    return stated == Counter((each.oid.dotted_string, _fold_value(each.value)) for each in name)


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    if len(text) > _MAX_NAME:
        raise ValueError("too long")
    at = 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None or match.end() == at:
            raise ValueError("not a name")
        at = match.end()
        yield _attribute_type(match[1]), _fold_value(_unescape_value(match))


def _attribute_type(keyword: str) -> str:
    numbers = _OID.fullmatch(keyword)
    dotted = numbers[1] if numbers else _KEYWORDS.get(keyword.upper())
    if dotted is None:
        raise ValueError("an unknown type of attribute")
    return dotted


def _unescape_value(match: re.Match[str]) -> str:
    if match["hex"] is not None:
        return _decode_string(bytes.fromhex(match["hex"]))
    return _ESCAPED.sub(_unescape, match["quoted"] or match["plain"] or "")


def _unescape(match: re.Match[str]) -> str:
    if match[1] is not None:
        return bytes.fromhex(match[1].replace("\\", "")).decode("utf-8")
    return match[2]


def _decode_string(der: bytes) -> str:
    """Return the text of one string in DER (RFC 4514, 2.4).

    Raises `ValueError` if the bytes are not a string shorter than 128 bytes.
    """
    if len(der) < 2 or der[1] >= _SHORT_LENGTH or der[1] != len(der) - 2:
        raise ValueError("not a short string")
    return der[2:].decode("utf-16-be" if der[0] == 0x1E else "utf-8")


def _fold_value(value: str | bytes) -> str:
    """Return a value for comparison, without differences of case and white space.

    This is the part of RFC 5280, 7.1, that matters here.
    """
    text = value if isinstance(value, str) else value.hex()
    return " ".join(text.split()).casefold()
