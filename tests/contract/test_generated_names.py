"""Code generators can turn the names of the contract into names of a program.

The schemas of the messages (what a WSDL imports) and of each document are compared as one set. A
generator may ignore namespaces, or put all names into one package. It may write a name with a
capital (Go) or ignore its case (file names on Windows and macOS).
"""

from collections import defaultdict
from pathlib import PurePosixPath

import makul_schemas
import pytest
from lxml import etree

from makul_testing.contract_files import XS, elements, schema_root, wsdl_root

PORTS = ("recipient", "oversight", "subject")
DOCUMENTS = ("consent.xsd", "basis.xsd", "agreement.xsd", "notice.xsd", "receipt.xsd", "month.xsd")

TAKEN = {
    "attributes": "node-soap and SOAP::Lite take it for the XML attributes of an element",
    "any": "the member for open content in JAXB, gSOAP and .NET",
    "class": "a keyword of most languages",
    "default": "a keyword of most languages",
    "package": "a keyword of Java and Go",
    "return": "a keyword of all",
    "type": "a keyword of Go",
    "xmlname": "the member for an element's name in Go",
    "xsitype": "a parameter of node-soap and suds",
}
"""Element names of messages that generated code uses for something else."""

RESERVED_CLASS_NAMES = {
    "abstract", "array", "class", "date", "default", "enum", "error", "exception", "final", "float",
    "function", "interface", "list", "match", "mixed", "namespace", "never", "null", "object",
    "parent", "readonly", "resource", "self", "static", "string", "thread", "trait", "void",
}  # fmt: skip
"""Names that a class cannot have in PHP, or that hide a class of java.lang or java.util."""

UNKNOWN_TO_GOWSDL = {"ID", "IDREF", "duration", "anySimpleType", "NMTOKEN", "language", "QName"}
"""Built-in types without a Go type in gowsdl 0.5.0: code with one of them does not compile."""


def _closure(*names: str) -> dict[str, etree._Element]:
    """Return schemas and what they import, by file name."""
    found: dict[str, etree._Element] = {}
    waiting = list(names)
    while waiting:
        file = waiting.pop()
        if file not in found:
            root = found[file] = schema_root(file)
            imports = elements(root, "xs:import")
            waiting += [str(each.get("schemaLocation")) for each in imports]
    return found


def _messages(port: str) -> list[etree._Element]:
    """Return the schemas that the WSDLs of a port import: of its messages and of headers."""
    imported = {
        PurePosixPath(str(each.get("schemaLocation"))).name
        for variant in ("", "-soap12", "-xroad")
        for each in elements(wsdl_root(f"{port}{variant}.wsdl"), "//xs:import")
    }
    return list(_closure(*imported).values())


def _all_messages() -> list[etree._Element]:
    return [root for port in PORTS for root in _messages(port)]


@pytest.mark.parametrize("port", PORTS)
def test_a_wsdl_imports_no_document(port: str) -> None:
    """It imports types and headers."""
    namespaces = {str(root.get("targetNamespace")) for root in _messages(port)}

    assert f"urn:makul:{port}:1" in namespaces
    assert not namespaces & {str(schema_root(name).get("targetNamespace")) for name in DOCUMENTS}


@pytest.mark.parametrize("name", [*PORTS, *DOCUMENTS, "delivery.xsd", "case.xsd"])
def test_no_two_global_names_differ_only_in_namespace_or_case(name: str) -> None:
    """Gowsdl declared X-Road's memberCode and userId again under types of ours."""
    roots = _messages(name) if name in PORTS else list(_closure(name).values())
    declared: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        for each in elements(root, "/xs:schema/xs:*[@name]"):
            if each.tag == f"{{{XS}}}attribute":
                continue
            # for a generator, an element whose type has its name is one thing: person, Person
            own = str(each.get("type", "")).rpartition(":")[2]
            spelled = str(each.get("name"))
            same = own.lower() == spelled.lower()
            declared[spelled.lower()].add(
                f"{root.get('targetNamespace')} {own if same else spelled}"
            )

    assert not {key: found for key, found in declared.items() if len(found) > 1}


def test_no_element_of_a_message_has_a_name_that_generated_code_uses() -> None:
    """The table gives the reason for each name."""
    names = {
        str(each.get("name")).lower()
        for root in _all_messages()
        for each in elements(root, "//xs:element[@name]")
    }

    assert not names & set(TAKEN)


def test_no_class_is_named_by_a_reserved_word() -> None:
    """Complex types and enumerations become classes; `Match` cannot be one in PHP 8."""
    names = {
        str(each.get("name")).lower()
        for root in _all_messages()
        for each in elements(root, "//xs:complexType[@name] | //xs:simpleType[.//xs:enumeration]")
    }

    assert not names & RESERVED_CLASS_NAMES


def test_messages_use_no_built_in_type_that_generators_lack() -> None:
    """Only documents use such types, and no WSDL imports them."""
    bases = {
        str(each.get("base")).rpartition(":")[2]
        for root in _all_messages()
        for each in elements(root, "//xs:restriction")
    }

    assert not bases & UNKNOWN_TO_GOWSDL


def test_no_sequence_is_nested() -> None:
    """Zeep requires the elements of a sequence in a sequence, also if it is optional."""
    nested = [
        str(each.getroottree().getpath(each))
        for root in _all_messages()
        for each in elements(root, "//xs:sequence/xs:sequence")
    ]

    assert nested == []


def test_requests_are_of_one_namespace() -> None:
    """Gowsdl and people who fill templates write one `xmlns` at the top for the whole request."""
    root = schema_root("recipient.xsd")
    waiting = [
        each
        for each in elements(root, "xs:element[xs:complexType]")
        if not str(each.get("name")).endswith("Response")
    ]
    assert waiting
    while waiting:
        for element in elements(waiting.pop(), ".//xs:element"):
            prefix, _, local = str(element.get("type") or element.get("ref")).partition(":")
            complex_type = elements(root, f"xs:complexType[@name='{local}']")
            foreign = elements(schema_root("types.xsd"), f"xs:complexType[@name='{local}']")
            assert element.get("ref") is None
            assert not (prefix == "t" and foreign), element.get("name")
            waiting += complex_type if prefix == "r" else []


def test_ids_of_documents_have_one_form() -> None:
    """xs:ID is in each document's own schema, and allows the same in each."""
    patterns = {
        name: [str(each.get("value")) for each in elements(schema_root(name), path)]
        for path in ["//xs:simpleType[@name='ElementId']/xs:restriction[@base='xs:ID']/xs:pattern"]
        for name in (*DOCUMENTS, "delivery.xsd")
    }

    assert set(patterns) <= set(makul_schemas.names())
    assert all(found == [r"[A-Za-z_][0-9A-Za-z_.\-]{0,79}"] for found in patterns.values())
