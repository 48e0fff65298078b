"""Reading values from an element that has passed its schema.

The schema has fixed which elements there are, in what order, and the form of each value; what it
cannot say (a PIN's date exists, an instant can be told in UTC) is found here and raises
`DocumentError` with the element's name. White space is collapsed as xs:token does it, and only
XML's own: other spaces belong to the value.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from makul.documents.schemas import malformed
from makul.domain.identifiers import MalformedIdentifierError, Pin

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ValueT = TypeVar("ValueT")

_SPACE = re.compile(r"[ \t\r\n]+")


class Reader:
    """The children of one element, those in its own namespace, by local name."""

    def __init__(self, node: "Element") -> None:
        end = node.tag.index("}") + 1
        own = node.tag[:end]
        self._children: dict[str, list[Element]] = {}
        for child in node:
            tag = child.tag
            if tag[:end] == own:
                self._children.setdefault(tag[end:], []).append(child)

    def inside(self, name: str) -> "Reader":
        """The child that the schema requires; `DocumentError` where it is not there after all."""
        return Reader(self._child(name))

    def inside_if_any(self, name: str) -> "Reader | None":
        """The child, or None where it is absent."""
        return self.inside(name) if self.has(name) else None

    def has(self, name: str) -> bool:
        """Is there such a child?"""
        return name in self._children

    def each_inside(self, name: str) -> "list[Reader]":
        """Every child of this name, in order."""
        return [Reader(child) for child in self._children.get(name, ())]

    def read_all(self, name: str, parse: Callable[[str], ValueT]) -> frozenset[ValueT]:
        """The values of all children of this name, parsed; what cannot be parsed is malformed."""
        try:
            return frozenset(parse(value) for value in self.texts(name))
        except ValueError:
            raise malformed(name) from None

    def texts(self, name: str) -> frozenset[str]:
        """The values of all children of this name."""
        return frozenset(_value(child) for child in self._children.get(name, ()))

    def text(self, name: str) -> str:
        """The child's value."""
        return _value(self._child(name))

    def read(self, name: str, parse: Callable[[str], ValueT]) -> ValueT:
        """The child's value, parsed; what cannot be parsed is malformed."""
        value = self.text(name)
        try:
            return parse(value)
        except (ValueError, OverflowError):
            raise malformed(name) from None

    def read_if_any(self, name: str, parse: Callable[[str], ValueT]) -> ValueT | None:
        """Likewise, or None where there is no such child."""
        return self.read(name, parse) if self.has(name) else None

    def _child(self, name: str) -> "Element":
        """The one child of this name; two, which no schema here allows, are as bad as none."""
        match self._children.get(name):
            case [child]:
                return child
        raise malformed(name)


def subject_pin(subject: Reader) -> Pin:
    """The PIN inside a `subject`; a bad one is a fault of the subject, without the value."""
    try:
        return Pin(subject.text("pin"))
    except MalformedIdentifierError:
        raise malformed("subject") from None


def uuid(value: str) -> UUID:
    """Upper and lower case are the same id (RFC 9562, 4)."""
    return UUID(value)


def instant(value: str) -> datetime:
    """An aware instant in UTC. Fractions are cut at microseconds, never rounded up.

    Raises `ValueError` or `OverflowError` for what xs:dateTime allows and no clock shows: hour 24,
    or an offset that leaves the calendar.
    """
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("an instant must know its zone")
    return found.astimezone(UTC)


def day(value: str) -> date:
    """xs:date without a zone, as types.xsd has it."""
    return date.fromisoformat(value)


def binary(value: str) -> bytes:
    """xs:base64Binary, which may hold spaces between its characters."""
    return base64.b64decode(value.replace(" ", ""), validate=True)


def _value(node: "Element") -> str:
    text = node.text or ""
    if " " in text or "\n" in text or "\t" in text or "\r" in text:
        return _SPACE.sub(" ", text).strip(" ")
    return text
