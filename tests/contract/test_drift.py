"""Spyne's models of the requests equal the published schemas.

Names, order, occurrence, base types and facets are compared at every level. The XSDs are the
contract. These models read what the schemas accept, so a model that differs would misread or refuse
what a client may send.
"""

from typing import Any

import makul_schemas
import pytest
from lxml import etree

from makul.soap import spyne_models as types
from makul.soap.spyne_setup import ByteArray, ComplexModel, Date, DateTime, Integer32, Unicode

_XS = "{http://www.w3.org/2001/XMLSchema}"
_PRIMITIVES = (
    (Date, "date"),
    (DateTime, "dateTime"),
    (Integer32, "int"),
    (ByteArray, "base64Binary"),
    (Unicode, "token"),
)
_FACETS = {
    "xsd_pattern": "pattern",
    "min_len": "minLength",
    "max_len": "maxLength",
    "ge": "minInclusive",
    "le": "maxInclusive",
}

Tree = dict[str, Any]


def _declarations() -> dict[str, etree._Element]:
    """Return the global types and elements of the two schemas of requests, by name."""
    roots = [etree.fromstring(makul_schemas.read(name)) for name in ("types", "recipient")]
    return {
        f"{etree.QName(each).localname} {each.get('name')}": each
        for root in roots
        for each in root
        if each.get("name")
    }


_DECLARED = _declarations()


def _published(type_name: str) -> Any:
    """Return a named type of the schemas: a simple type's base and facets, or a complex
    one's tree.
    """
    simple = _DECLARED.get(f"simpleType {type_name}")
    if simple is None:
        return _published_members(_DECLARED[f"complexType {type_name}"])
    restriction = simple.find(f"{_XS}restriction")
    assert restriction is not None
    facets: Tree = {}
    for facet in restriction:
        name = etree.QName(facet).localname
        if name == "enumeration":
            facets.setdefault("enumeration", set()).add(facet.get("value"))
        else:
            facets[str(name)] = facet.get("value")
    return _local(restriction.get("base")), facets


def _published_members(holder: etree._Element) -> Tree:
    """Return the elements of a complex type, in order. An element of a choice may be absent."""
    (group,) = (each for each in holder if each.tag in (f"{_XS}sequence", f"{_XS}choice"))
    chosen = group.tag == f"{_XS}choice"
    return {
        str(element.get("name")): (
            "0" if chosen else element.get("minOccurs", "1"),
            element.get("maxOccurs", "1"),
            _published(_local(element.get("type"))),
        )
        for element in group
    }


def _local(name: object) -> str:
    return str(name).rpartition(":")[2]


def _modelled(model: Any) -> Any:
    """Describe a Spyne model in the same form."""
    if issubclass(model, ComplexModel):
        return {
            name: (
                _number(of.Attributes.min_occurs),
                _number(of.Attributes.max_occurs),
                _modelled(of),
            )
            for name, of in model._type_info.items()
        }
    primitive, base = next(each for each in _PRIMITIVES if issubclass(model, each[0]))
    facets: Tree = {}
    for attribute, facet in _FACETS.items():
        value = getattr(model.Attributes, attribute, None)
        if value != getattr(primitive.Attributes, attribute, None):
            facets[facet] = str(value)
    if "minLength" in facets and facets["minLength"] == facets.get("maxLength"):
        facets = {name: facets[name] for name in facets if not name.endswith("Length")} | {
            "length": facets["minLength"]
        }
    if model.Attributes.values:
        facets["enumeration"] = set(model.Attributes.values)
    return base, facets


def _number(occurs: Any) -> str:
    return "unbounded" if occurs == float("inf") else str(int(occurs))


@pytest.mark.parametrize("operation", types.OPERATIONS)
def test_model_equals_the_schema(operation: str) -> None:
    """The models equal the XSDs, with the order of elements."""
    element = _DECLARED[f"element {operation}"]
    published = _published_members(element[-1])
    modelled = _modelled(types.OPERATIONS[operation])

    assert list(modelled) == list(published)
    assert modelled == published


@pytest.mark.parametrize("operation", types.OPERATIONS)
def test_nothing_is_nillable(operation: str) -> None:
    """types.xsd: no element is ever nil; Spyne's default is the opposite."""
    waiting, seen = [types.OPERATIONS[operation]], 0
    while waiting:
        model = waiting.pop()
        seen += 1
        assert not model.Attributes.nullable
        if issubclass(model, ComplexModel):
            waiting.extend(model._type_info.values())
    assert seen > 2


def test_every_published_request_is_an_operation() -> None:
    """The wrapper has the name of the operation, the answer is <op>Response, and both exist."""
    elements = {name.removeprefix("element ") for name in _DECLARED if name.startswith("element ")}
    requests = {name for name in elements if f"{name}Response" in elements}

    assert set(types.OPERATIONS) == requests


def test_models_have_the_published_namespaces() -> None:
    """A wrapper's namespace routes it, and a part's namespace is that of its schema."""
    for model in types.OPERATIONS.values():
        assert model.get_namespace() == types.NAMESPACE
    for part in (types.Probe, types.DemographicProbe, types.Ground):
        assert part.get_namespace() == types.NAMESPACE
