"""Compiled parsers for a verified Body, one for each model of `request_models`.

Spyne's own parser walks its class hierarchy again for every element of every message. That cost
more than parsing, validating and hashing the message together. A plan is the model as one table of
tags. It reads what the published schema has accepted. It refuses an element that it does not know,
because a model may lag behind its schema.
"""

from binascii import a2b_base64
from collections.abc import Callable
from datetime import date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from makul.app.ports import RejectedError
from makul.domain.reasons import Code, Reason
from makul.soap.envelope import collapse, local_name
from makul.soap.spyne_setup import (
    Boolean,
    ByteArray,
    ComplexModel,
    Date,
    DateTime,
    Integer32,
    Integer64,
    Unicode,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Read = Callable[["Element"], Any]
"""A function from an element to its value."""

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def _parse_boolean(text: str) -> bool:
    try:
        return _BOOLEANS[collapse(text)]
    except KeyError:
        raise ValueError("no boolean") from None


_PRIMITIVES: Final[tuple[tuple[Any, Callable[[str], Any]], ...]] = (
    (Boolean, _parse_boolean),
    (Date, lambda text: date.fromisoformat(collapse(text))),
    (DateTime, lambda text: datetime.fromisoformat(collapse(text))),
    (Integer32, lambda text: int(collapse(text))),
    (Integer64, lambda text: int(collapse(text))),
    (ByteArray, a2b_base64),
    (Unicode, collapse),
)
"""The types of which requests consist.

All of them collapse white space (XML Schema part 2, 4.3.6). In base64Binary white space has no
meaning.
"""


class _BodyPart(NamedTuple):
    """One member of a model."""

    name: str
    read: Read
    repeated: bool


class _Plan:
    """A parser of elements of one complex model.

    Members become attributes of the same names: a list if the member may be repeated, None if it is
    absent.
    """

    def __init__(self, model: Any) -> None:
        members = model.get_flat_type_info(model)
        self._parts = {
            f"{{{model.get_namespace()}}}{name}": _BodyPart(
                name, compile_parser(member), member.Attributes.max_occurs > 1
            )
            for name, member in members.items()
        }
        self._absent = dict.fromkeys(members)
        self._required = [n for n, member in members.items() if member.Attributes.min_occurs > 0]

    def __call__(self, element: "Element") -> SimpleNamespace:
        values: dict[str, Any] = self._absent.copy()
        for child in element:
            part = self._parts.get(child.tag)
            if part is None:
                raise TypeError("an element that the schema passed and no model knows")
            name, read, repeated = part
            if values[name] is None:
                values[name] = [read(child)] if repeated else read(child)
            elif repeated:
                values[name].append(read(child))
            else:
                raise TypeError(f"a second {name}, which the schema passed and the model does not")
        for name in self._required:
            if values[name] is None:
                raise TypeError(f"no {name}, which the model requires and the schema does not")
        return SimpleNamespace(**values)


def compile_parser(model: Any) -> Read:
    """Return the parser of a model. Raises `TypeError` for a type that no request uses."""
    if issubclass(model, ComplexModel):
        return _Plan(model)
    for primitive, parse in _PRIMITIVES:
        if issubclass(model, primitive):
            return _text(parse)
    raise TypeError(f"{model.get_type_name()} is of a type that no request is made of")


def _text(parse: Callable[[str], Any]) -> Read:
    """Return a parser of elements that contain only text."""

    def read(element: "Element") -> Any:
        if len(element):  # a comment too, which would silently cut the text short
            raise TypeError("an element within a text, which the schema passed")
        try:
            return parse(element.text or "")
        except ValueError:
            raise RejectedError(Reason(code=Code.REQ_01, field=local_name(element))) from None

    return read
