"""Read values from an element that has passed its schema.

The schema has checked the elements, their order and the form of each value. This module checks what
a schema cannot express. Examples are that the date in a PIN exists, and that an instant can be
written in UTC. It raises `DocumentError` with the name of the element. White space of XML is
collapsed as in xs:token; other spaces belong to the value.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from makul.documents.schemas import malformed_document_error
from makul.domain.identifiers import MalformedIdentifierError, Pin

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ValueT = TypeVar("ValueT")

_SPACE = re.compile(r"[ \t\r\n]+")


class Reader:
    """The children of one element that are in its own namespace, by local name."""

    def __init__(self, node: "Element") -> None:
        end = node.tag.index("}") + 1
        own = node.tag[:end]
        self._children: dict[str, list[Element]] = {}
        for child in node:
            tag = child.tag
            if tag[:end] == own:
                self._children.setdefault(tag[end:], []).append(child)

    def inside(self, name: str) -> "Reader":
        """Return a reader of the child that the schema requires.

        Raises `DocumentError` if the child is nevertheless missing.
        """
        return Reader(self._child(name))

    def inside_if_any(self, name: str) -> "Reader | None":
        """Return a reader of the child, or None if it is absent."""
        return self.inside(name) if self.has(name) else None

    def has(self, name: str) -> bool:
        """Return whether there is a child of this name."""
        return name in self._children

    def each_inside(self, name: str) -> "list[Reader]":
        """Return readers of all children of this name, in order."""
        return [Reader(child) for child in self._children.get(name, ())]

    def read_all(self, name: str, parse: Callable[[str], ValueT]) -> frozenset[ValueT]:
        """Return the parsed values of all children of this name.

        Raises `DocumentError` if a value cannot be parsed.
        """
        try:
            return frozenset(parse(value) for value in self.texts(name))
        except ValueError:
            raise malformed_document_error(name) from None

    def texts(self, name: str) -> frozenset[str]:
        """Return the values of all children of this name."""
        return frozenset(_value(child) for child in self._children.get(name, ()))

    def values(self, name: str, parse: Callable[[str], ValueT]) -> tuple[ValueT, ...]:
        """Return the parsed values of all children of this name, in order.

        Raises `DocumentError` if a value cannot be parsed.
        """
        try:
            return tuple(parse(_value(child)) for child in self._children.get(name, ()))
        except ValueError:
            raise malformed_document_error(name) from None

    def text(self, name: str) -> str:
        """Return the value of the child. Raises `DocumentError` if the child is missing."""
        return _value(self._child(name))

    def read(self, name: str, parse: Callable[[str], ValueT]) -> ValueT:
        """Return the parsed value of the child.

        Raises `DocumentError` if the child is missing or its value cannot be parsed.
        """
        value = self.text(name)
        try:
            return parse(value)
        except (ValueError, OverflowError):
            raise malformed_document_error(name) from None

    def read_if_any(self, name: str, parse: Callable[[str], ValueT]) -> ValueT | None:
        """Return the parsed value of the child, or None if the child is absent.

        Raises `DocumentError` if the value cannot be parsed.
        """
        return self.read(name, parse) if self.has(name) else None

    def _child(self, name: str) -> "Element":
        """Return the one child of this name.

        Raises `DocumentError` if there is none, or if there are two, which no schema here allows.
        """
        match self._children.get(name):
            case [child]:
                return child
        raise malformed_document_error(name)


def subject_pin(subject: Reader) -> Pin:
    """Return the PIN inside a `subject`.

    Raises `DocumentError` with the field `subject` for a malformed PIN, without its value.
    """
    try:
        return Pin(subject.text("pin"))
    except MalformedIdentifierError:
        raise malformed_document_error("subject") from None


def uuid(value: str) -> UUID:
    """Parse an id, for which upper and lower case are the same (RFC 9562, 4)."""
    return UUID(value)


def instant(value: str) -> datetime:
    """Parse an xs:dateTime as a timezone-aware instant in UTC.

    Fractions are cut at microseconds and never rounded up. Raises `ValueError` or `OverflowError`
    for values that xs:dateTime allows and no clock shows: hour 24, or an offset that leaves the
    calendar.
    """
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("an instant must know its zone")
    return moment.astimezone(UTC)


def day(value: str) -> date:
    """Parse an xs:date without a time zone (types.xsd)."""
    return date.fromisoformat(value)


def binary(value: str) -> bytes:
    """Parse xs:base64Binary, which may contain spaces between its characters."""
    return base64.b64decode(value.replace(" ", ""), validate=True)


def _value(node: "Element") -> str:
    text = node.text or ""
    if " " in text or "\n" in text or "\t" in text or "\r" in text:
        return _SPACE.sub(" ", text).strip(" ")
    return text
