"""Write XML that is already in exclusive canonical form.

The XML of the service is hashed, signed and compared byte by byte. So it is written directly in the
form of Exclusive XML Canonicalization 1.0 (without comments):

- UTF-8 without an XML declaration;
- start and end tags, with no white space between elements;
- a namespace declared at the element that first uses it;
- the escapes of Canonical XML 1.1, 2.3.

Canonicalisation of these bytes gives the same bytes.

Elements are joined from complete tags. Every value must pass through `text` or `attribute`. These
functions raise `UnwritableError` for a character that XML 1.0 does not allow, so nothing is removed
silently from signed content.
"""

import base64
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

from makul.app.ports import UnwritableError

# XML 1.0, production 2 (Char), excludes control characters, surrogates, U+FFFE and U+FFFF.
_CHAR = r"\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF"
_NOT_XML = re.compile(f"[^{_CHAR}]")


def text(value: str) -> str:
    """Return a value as character data, with `&`, `<`, `>` and carriage return escaped.

    Raises `UnwritableError` for a character that XML cannot carry.
    """
    # Most values need no escape. Neither a carriage return nor a character that XML cannot carry is
    # printable; a test verifies this for every character.
    if value.isprintable() and "&" not in value and "<" not in value and ">" not in value:
        return value
    _refuse_what_xml_cannot_carry(value)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("\r", "&#xD;")


def attribute(value: str) -> str:
    """Return a value for double quotes, with `&`, `<`, `"`, tab and line ends escaped.

    Raises `UnwritableError` for a character that XML cannot carry.
    """
    _refuse_what_xml_cannot_carry(value)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def element(name: str, value: str) -> str:
    """Return an element without attributes that contains this value.

    `name` must be a constant of this code, never a value from a request or document.
    """
    return f"<{name}>{text(value)}</{name}>"


def group(name: str, *content: str) -> str:
    """Return an element that contains XML already written, in order."""
    return f"<{name}>{''.join(content)}</{name}>"


def each(name: str, values: Iterable[str]) -> str:
    """Return one element for each value, sorted, so that equal sets give equal bytes."""
    return "".join(element(name, value) for value in sorted(values))


def optional(name: str, value: str | None) -> str:
    """Return the element, or an empty string if there is no value."""
    return "" if value is None else element(name, value)


def binary(value: bytes) -> str:
    """Return bytes as xs:base64Binary on one line."""
    return base64.b64encode(value).decode("ascii")


def instant(value: datetime) -> str:
    """Return an instant as xs:dateTime in UTC, with `Z`.

    Raises `UnwritableError` for a time without a time zone.
    """
    if value.tzinfo is None:
        raise UnwritableError("an instant must know its zone")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def day(value: date) -> str:
    """Return a date as xs:date without a time zone."""
    return value.isoformat()


def _refuse_what_xml_cannot_carry(value: str) -> None:
    if _NOT_XML.search(value):
        raise UnwritableError("a character that XML cannot carry")
