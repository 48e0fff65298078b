"""Writing XML that is already in exclusive canonical form.

What the service says is hashed, signed and compared byte by byte, so it is written directly as
Exclusive XML Canonicalization 1.0 (without comments) would write it: UTF-8, no declaration, start
and end tags, no white space between elements, a namespace declared where it is first used, and
the escapes of Canonical XML 1.1, 2.3. Canonicalising such bytes gives the same bytes again.

Elements are joined from ready-made tags; a value passes through `text` or `attribute` and no other
way. A character that XML 1.0 cannot carry raises `UnwritableError`: nothing is silently dropped
from what is signed.
"""

import base64
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

from makul.app.ports import UnwritableError

# XML 1.0, production 2 (Char): neither controls, nor surrogates, nor U+FFFE and U+FFFF.
_CHAR = r"\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF"
_NOT_XML = re.compile(f"[^{_CHAR}]")


def text(value: str) -> str:
    """A value as character data: `&`, `<`, `>` and carriage return escaped."""
    # Most values need no escape. What XML cannot carry is not printable, and no more is a carriage
    # return; a test says so of every character there is.
    if value.isprintable() and "&" not in value and "<" not in value and ">" not in value:
        return value
    _refuse_what_xml_cannot_carry(value)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("\r", "&#xD;")


def attribute(value: str) -> str:
    """A value between double quotes: `&`, `<`, `"`, tab and line ends escaped."""
    _refuse_what_xml_cannot_carry(value)
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def element(name: str, value: str) -> str:
    """An element of no attributes that holds this value; `name` is ours, never a value."""
    return f"<{name}>{text(value)}</{name}>"


def group(name: str, *content: str) -> str:
    """An element that holds what is already written, in order."""
    return f"<{name}>{''.join(content)}</{name}>"


def each(name: str, values: Iterable[str]) -> str:
    """One element a value, sorted, so that the same set is always the same bytes."""
    return "".join(element(name, value) for value in sorted(values))


def optional(name: str, value: str | None) -> str:
    """The element, or nothing where there is no value."""
    return "" if value is None else element(name, value)


def binary(value: bytes) -> str:
    """xs:base64Binary on one line."""
    return base64.b64encode(value).decode("ascii")


def instant(value: datetime) -> str:
    """xs:dateTime in UTC, written with `Z`; raises `UnwritableError` for a time without zone."""
    if value.tzinfo is None:
        raise UnwritableError("an instant must know its zone")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def day(value: date) -> str:
    """xs:date without a zone."""
    return value.isoformat()


def _refuse_what_xml_cannot_carry(value: str) -> None:
    if _NOT_XML.search(value):
        raise UnwritableError("a character that XML cannot carry")
