"""Models of requests are built from the published WSDL and schemas, and equal them."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import makul_schemas
import pytest
from lxml import etree

from makul.app.acts import find_operations, wire_name
from makul.soap.act_operations import build_act_service
from makul.soap.request_models import Schemas, published_operations
from makul.soap.spyne_setup import (
    Boolean,
    ByteArray,
    ComplexModel,
    Date,
    DateTime,
    Integer32,
    Unicode,
)
from makul.soap.wsgi_app import OVERSIGHT_CONTRACT, RECIPIENT_CONTRACT, PortContract
from makul_testing.contract_files import OPERATIONS, OPERATIONS_OF_PORTS

PORTS = {port: published_operations(port) for port in OPERATIONS}
_XSD = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t"'
    ' elementFormDefault="qualified">{}</xs:schema>'
)


def model_of(content: str, **imported: str) -> Any:
    """Return the model of the element `Ask` of a schema, which may import other files."""
    files = {"ask.xsd": content} | {f"{name}.xsd": text for name, text in imported.items()}
    return Schemas("ask.xsd", lambda name: _XSD.format(files[name]).encode()).request("{urn:t}Ask")


def ask(members: str) -> str:
    """Return a global element with an anonymous type."""
    return f'<xs:element name="Ask"><xs:complexType>{members}</xs:complexType></xs:element>'


def occurrences(model: Any) -> dict[str, tuple[int, Any]]:
    """Return the least and the most occurrences of each member, in order."""
    return {
        name: (int(member.Attributes.min_occurs), member.Attributes.max_occurs)
        for name, member in model.get_flat_type_info(model).items()
    }


def test_members_have_the_order_and_occurrences_of_the_schema() -> None:
    """XML Schema part 1, 3.8: a sequence."""
    model = model_of(
        ask(
            "<xs:sequence><xs:annotation/>"
            '<xs:element name="b" type="xs:token"/>'
            '<xs:element name="a" type="xs:token" minOccurs="0"/>'
            '<xs:element name="many" type="xs:token" maxOccurs="unbounded"/>'
            "</xs:sequence>"
        )
    )

    assert occurrences(model) == {"b": (1, 1), "a": (0, 1), "many": (1, Decimal("inf"))}


def test_a_member_of_a_choice_may_be_absent() -> None:
    """Spyne has no choice; the schema has checked it before. A group in a group is the same."""
    inner = '<xs:choice><xs:element name="{}" type="xs:token"/></xs:choice>'
    optional = '<xs:sequence minOccurs="0"><xs:element name="c" type="xs:int"/></xs:sequence>'
    model = model_of(
        ask(f"<xs:sequence>{inner.format('a')}{inner.format('b')}{optional}</xs:sequence>")
    )

    assert occurrences(model) == {"a": (0, 1), "b": (0, 1), "c": (0, 1)}


@pytest.mark.parametrize(
    ("base", "facets", "primitive", "attributes"),
    [
        ("token", '<xs:pattern value="[A-Z]"/>', Unicode, {"xsd_pattern": "[A-Z]"}),
        ("token", '<xs:enumeration value="M"/>', Unicode, {"values": ["M"]}),
        ("base64Binary", '<xs:length value="32"/>', ByteArray, {"min_len": 32, "max_len": 32}),
        ("base64Binary", '<xs:maxLength value="9"/>', ByteArray, {"max_len": 9}),
        ("int", '<xs:minInclusive value="1"/><xs:maxInclusive value="9"/>', Integer32, {"le": 9}),
        ("boolean", '<xs:pattern value="true|false"/>', Boolean, {"xsd_pattern": "true|false"}),
        ("date", "", Date, {}),
        ("dateTime", "", DateTime, {}),
    ],
)
def test_a_simple_type_is_a_primitive_with_its_facets(
    base: str, facets: str, primitive: Any, attributes: dict[str, Any]
) -> None:
    """A type may restrict another one, of the same file or of an imported file."""
    declared = f'<xs:simpleType name="S"><xs:restriction base="xs:{base}">{facets}</xs:restriction>'
    derived = '<xs:simpleType name="D"><xs:restriction base="t:S"/></xs:simpleType>'
    model = model_of(
        '<xs:import schemaLocation="other.xsd"/>'
        + ask('<xs:sequence><xs:element name="a" type="t:D"/></xs:sequence>'),
        other=f"{declared}</xs:simpleType>{derived}",
    )
    member = model.get_flat_type_info(model)["a"]

    assert issubclass(member, primitive)
    assert {each: getattr(member.Attributes, each) for each in attributes} == attributes


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ('<xs:sequence><xs:element name="a" type="xs:anyURI"/></xs:sequence>', "anyURI"),
        ('<xs:sequence><xs:element name="a" type="t:Missing"/></xs:sequence>', "Missing"),
        ('<xs:sequence><xs:element ref="t:Ask"/></xs:sequence>', "t:Ask"),
        ("<xs:sequence><xs:any/></xs:sequence>", "any"),
        ("<xs:all/>", "all"),
        ('<xs:sequence maxOccurs="2"/>', "sequence"),
        ('<xs:sequence/><xs:attribute name="a"/>', "Ask"),
        ("<xs:complexContent/>", "complexContent"),
    ],
)
def test_a_construct_without_a_model_stops_the_start(members: str, named: str) -> None:
    """A contract that cannot be read is found when the service starts, not by a message."""
    with pytest.raises(TypeError, match=named):
        model_of(ask(members))


@pytest.mark.parametrize(("port", "operation"), OPERATIONS_OF_PORTS)
def test_no_element_is_nillable(port: str, operation: str) -> None:
    """types.xsd: no element is ever nil; Spyne's default is the opposite."""
    waiting, seen = [PORTS[port].models[operation]], 0
    while waiting:
        model = waiting.pop()
        seen += 1
        assert not model.Attributes.nullable
        if issubclass(model, ComplexModel):
            waiting.extend(model.get_flat_type_info(model).values())
    assert seen > 2


@pytest.mark.parametrize("port", PORTS)
def test_every_published_request_is_an_operation(port: str) -> None:
    """The wrapper has the name of the operation, the answer is <op>Response, and both exist."""
    root = etree.fromstring(makul_schemas.read(f"{port}.xsd"))
    elements = {each.get("name") for each in root.iterfind("{*}element")}
    requests = {name for name in elements if f"{name}Response" in elements}

    assert set(PORTS[port].models) == requests


@pytest.mark.parametrize(
    "contract", [RECIPIENT_CONTRACT, OVERSIGHT_CONTRACT], ids=lambda each: str(each.name)
)
def test_every_published_operation_has_a_method(contract: PortContract) -> None:
    """Spyne routes by the name of the request in the namespace of the port."""
    operations = PORTS[contract.name]
    methods = [
        method.name
        for service in contract.services
        for method in service.public_methods.values()  # type: ignore[attr-defined]
    ]

    assert sorted(methods) == sorted(operations.models)
    assert {model.get_namespace() for model in operations.models.values()} == {operations.namespace}


def test_an_operation_that_is_not_published_stops_the_start() -> None:
    """Nothing is served without a contract."""
    with pytest.raises(TypeError, match=r"oversight\.wsdl does not publish"):
        build_act_service("oversight", "makul.app.recipient_acts", lambda port: port.acts)


ACTS = [
    each
    for package in ("makul.app.oversight", "makul.app.recipient_acts")
    for each in find_operations(package)
]


@pytest.mark.parametrize("operation", ACTS, ids=lambda each: str(each.name))
def test_a_request_of_an_act_has_the_fields_of_its_schema(operation: Any) -> None:
    """A field of the schema that no request class has would be dropped without a word."""
    model: Any = PORTS[operation.port].models[operation.name]
    published = set(model.get_flat_type_info(model)) - {"requestId"}
    named = {wire_name(each.name) for each in fields(operation.request)}

    assert named == published | {"requestId", "digest"}
