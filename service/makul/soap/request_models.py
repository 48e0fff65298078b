# mypy: allow-untyped-calls
"""The models of requests, by which Spyne routes and `body_parser` reads: built from the contract.

The published WSDL of a port names its operations. The published schemas describe their requests.
Both are read at start-up, so that no model can differ from them. A Body is validated against the
schema before a model reads it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import makul_schemas
import makul_wsdl
from lxml import etree

from makul.net.xml_parser import own_parser
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

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"

_PRIMITIVES: Final[Mapping[str, Any]] = {
    f"{_XS}base64Binary": ByteArray,
    f"{_XS}boolean": Boolean,
    f"{_XS}date": Date,
    f"{_XS}dateTime": DateTime,
    f"{_XS}int": Integer32,
    f"{_XS}long": Integer64,
    f"{_XS}token": Unicode,
}
"""The built-in types of which requests consist."""

_LENGTHS: Final = {
    "minLength": ("min_len",),
    "maxLength": ("max_len",),
    "length": ("min_len", "max_len"),
}
_BOUNDS: Final = {"minInclusive": "ge", "maxInclusive": "le"}


@dataclass(frozen=True, slots=True)
class PublishedOperations:
    """The operations of one port."""

    namespace: str
    """The namespace of their requests."""
    models: Mapping[str, Any]
    """The model of each request, by the name of the operation."""


@cache
def published_operations(port: str) -> PublishedOperations:
    """Return the operations that `<port>.wsdl` publishes (`recipient`).

    Raises `TypeError` for a construct of the schemas that no model can express: a contract that
    could not be read is found when the service starts.
    """
    wsdl = etree.fromstring(makul_wsdl.read(f"{port}.wsdl"), own_parser())
    schemas = Schemas(f"{port}.xsd")
    messages = {each.get("name"): each for each in wsdl.iter(f"{_WSDL}message")}
    models = {}
    for operation in wsdl.iterfind(f"{_WSDL}portType/{_WSDL}operation"):
        name = operation.get("name", "")
        message = operation.find(f"{_WSDL}input", None)
        part = messages[_local(message, "message")].find(f"{_WSDL}part")
        models[name] = schemas.request(_resolve_name(part, "element"))
    return PublishedOperations(wsdl.get("targetNamespace", ""), MappingProxyType(models))


class Schemas:
    """The global components of a schema and of those that it imports, and the models of them."""

    def __init__(self, name: str, read: Callable[[str], bytes] = makul_schemas.read) -> None:
        """`read` returns the bytes of a schema by its file name."""
        self._file = read
        self._elements: dict[str, Element] = {}
        self._types: dict[str, Element] = {}
        self._models: dict[str, Any] = {}
        self._read: set[str] = set()
        self._add(name)

    def _add(self, name: str) -> None:
        if name in self._read:
            return
        self._read.add(name)
        root = etree.fromstring(self._file(name), own_parser())
        for each in root:
            if each.tag in {f"{_XS}import", f"{_XS}include"}:
                self._add(each.get("schemaLocation", ""))
            elif each.tag == f"{_XS}element":
                self._elements[_require_name(each)] = each
            elif each.tag in {f"{_XS}complexType", f"{_XS}simpleType"}:
                self._types[_require_name(each)] = each

    def request(self, name: str) -> Any:
        """Return the model of a global element, by its Clark name. Raises `TypeError`."""
        return self._find_model(self._elements[name])

    def _find_model(self, element: "Element") -> Any:
        """Return the model of an element's type, without its occurrences."""
        if element.get("ref") is not None:
            raise TypeError(f"a request consists of local elements: {element.get('ref')}")
        if element.get("type") is None:
            inner = element.find(f"{_XS}complexType")
            return self._complex(element.get("name", ""), inner)
        return self._named(_resolve_name(element, "type"))

    def _named(self, name: str) -> Any:
        if name in _PRIMITIVES:
            return _PRIMITIVES[name]
        if name not in self._types:
            raise TypeError(f"no request consists of {name}")
        if name not in self._models:
            declared = self._types[name]
            simple = declared.tag == f"{_XS}simpleType"
            build = self._simple if simple else self._complex
            self._models[name] = build(declared.get("name", ""), declared)
        return self._models[name]

    def _simple(self, name: str, declared: "Element") -> Any:
        restriction = declared.find(f"{_XS}restriction")
        if restriction is None:
            raise TypeError(f"{name} is no restriction")
        facets: dict[str, Any] = {}
        values = []
        for each in restriction:
            facet, value = etree.QName(each).localname, each.get("value", "")
            if facet == "pattern":
                facets["xsd_pattern"] = value
            elif facet == "enumeration":
                values.append(value)
            elif facet in _LENGTHS:
                facets |= dict.fromkeys(_LENGTHS[facet], int(value))
            elif facet in _BOUNDS:
                facets[_BOUNDS[facet]] = int(value)
        if values:
            facets["values"] = values
        return self._named(_resolve_name(restriction, "base")).customize(**facets)

    def _complex(self, name: str, declared: "Element | None") -> Any:
        """Return the model of a complex type: a sequence or a choice of elements."""
        if declared is None:
            raise TypeError(f"{name} has no complex type")
        groups = [each for each in declared if each.tag != f"{_XS}annotation"]
        if len(groups) != 1:
            raise TypeError(f"{name} is not one group of elements")
        return ComplexModel.produce(_namespace(declared), name, dict(self._members(groups[0])))

    def _members(self, group: "Element", *, optional: bool = False) -> Iterator[tuple[str, Any]]:
        """Yield the name and the model of each member. For Spyne a choice is optional members."""
        if (
            group.tag not in {f"{_XS}sequence", f"{_XS}choice"}
            or group.get("maxOccurs", "1") != "1"
        ):
            raise TypeError(f"{group.tag} is no single sequence or choice")
        optional |= group.tag == f"{_XS}choice" or group.get("minOccurs") == "0"
        for each in group:
            if each.tag == f"{_XS}annotation":
                continue
            if each.tag != f"{_XS}element":
                yield from self._members(each, optional=optional)
                continue
            least = 0 if optional else int(each.get("minOccurs", "1"))
            most = each.get("maxOccurs", "1")
            bounds = {"min_occurs": least, "max_occurs": most if most == "unbounded" else int(most)}
            yield each.get("name", ""), self._find_model(each).customize(**bounds)


def _namespace(component: "Element") -> str:
    return component.getroottree().getroot().get("targetNamespace", "")


def _require_name(component: "Element") -> str:
    return f"{{{_namespace(component)}}}{component.get('name')}"


def _resolve_name(element: "Element | None", attribute: str) -> str:
    """Return the Clark name in an attribute, whose prefix is declared by the document."""
    if element is None:
        raise TypeError("the contract is incomplete")
    prefix, _, local = element.get(attribute, "").rpartition(":")
    return f"{{{element.nsmap.get(prefix or None, '')}}}{local}"


def _local(element: "Element | None", attribute: str) -> str:
    return _resolve_name(element, attribute).rpartition("}")[2]
