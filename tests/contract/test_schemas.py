"""The published schemas keep the rules that foreign SOAP clients need, and all files are tidy."""

import re

import makul_schemas
import makul_wsdl
import pytest

from makul_testing.contract_files import (
    CLAUSES,
    NS,
    OPERATIONS,
    OPERATIONS_OF_PORTS,
    XS,
    compile_schema,
    elements,
    place,
    schema_root,
)

MAY_GROW = {
    "AttributeName",
    "ChannelName",
    "DeliveryForm",
    "MatchMethod",
    "MatchResult",
    "OperationName",
    "ProvisionCode",
    "PurposeCode",
    "ReasonCode",
    "RuleVerdict",
    "SampleFormat",
    "StateCode",
}
"""Lists that may grow: an enumeration would break clients that were generated before."""

FORBIDDEN = (
    "extension",
    "redefine",
    "include",
    "all",
    "union",
    "list",
    "group",
    "attributeGroup",
    "anyAttribute",
    "notation",
    "key",
    "keyref",
    "unique",
    "simpleContent",
    "complexContent",
)
"""Constructs that some present client generates wrongly, or that would admit unknown content."""


UNCOMMON = re.compile(r"\\[pPiIcCwWdDbB]|\[[^\]]*-\[|\(\?|[\^$]|&&")
"""Constructs that some engine of regular expressions reads differently from XML Schema, or not."""


# ------------------------------------------------------------------ the packages


def test_published_names_are_the_files() -> None:
    """Every file of the folder is published, and nothing else."""
    assert set(makul_schemas.names()) == {
        "agreement.xsd",
        "basis.xsd",
        "case.xsd",
        "consent.xsd",
        "delivery.xsd",
        "identifiers.xsd",
        "month.xsd",
        "notice.xsd",
        "oversight.xsd",
        "pdu.xsd",
        "receipt.xsd",
        "recipient.xsd",
        "subject.xsd",
        "undertaking.xsd",
        "types.xsd",
        "xroad.xsd",
    }
    assert set(makul_wsdl.names()) == {
        f"{port}{binding}.wsdl" for port in OPERATIONS for binding in ("", "-soap12", "-xroad")
    }


def test_suffix_may_be_omitted() -> None:
    """A URL says `?xsd=types`; the file is types.xsd."""
    assert makul_schemas.read("types") == makul_schemas.read("types.xsd")
    assert makul_wsdl.read("recipient") == makul_wsdl.read("recipient.wsdl")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "nothing",
        "../__init__.py",
        "v1/types.xsd",
        "types.xsd\0",
        "types.XSD",
        "/etc/passwd",
    ],
)
def test_unknown_name_is_an_error_that_lists_the_names(name: str) -> None:
    """A name is looked up, and never used as a path."""
    with pytest.raises(makul_schemas.UnknownSchemaError, match=r"types\.xsd"):
        makul_schemas.read(name)
    with pytest.raises(makul_wsdl.UnknownWsdlError, match=r"recipient\.wsdl"):
        makul_wsdl.read(name)


# ------------------------------------------------------------------ the schemas


@pytest.mark.parametrize("name", makul_schemas.names())
def test_schema_compiles(name: str) -> None:
    """The schema compiles with the relative imports that it has on disk."""
    compile_schema(name)


@pytest.mark.parametrize("name", makul_schemas.names())
def test_every_simple_type_has_facets(name: str) -> None:
    """A type states its permitted values; only a rule for white space states nothing."""
    root = schema_root(name)

    for simple in elements(root, "//xs:simpleType"):
        facets = elements(simple, "xs:restriction/xs:*[@value][not(self::xs:whiteSpace)]")
        assert facets, place(simple)
        assert simple.get("name"), f"unnamed: {place(simple)}"


@pytest.mark.parametrize("name", makul_schemas.names())
def test_nothing_has_a_bare_built_in_type(name: str) -> None:
    """Elements and attributes use our named types, so each value's facets are known."""
    root = schema_root(name)

    for node in elements(root, "//xs:element[@name] | //xs:attribute[@name]"):
        type_name = node.get("type")
        if type_name is None:
            assert elements(node, "xs:complexType"), place(node)
        else:
            prefix = type_name.partition(":")[0]
            assert node.nsmap[prefix] != XS, place(node)


@pytest.mark.parametrize("name", makul_schemas.names())
def test_everything_is_documented(name: str) -> None:
    """Types, elements, attributes and wildcards each have a documentation."""
    root = schema_root(name)
    named = (
        "//xs:simpleType | //xs:complexType[@name] | //xs:element[@name] | //xs:attribute[@name]"
    )

    for node in [root, *elements(root, f"{named} | //xs:any")]:
        texts = [
            (each.text or "").strip() for each in elements(node, "xs:annotation/xs:documentation")
        ]
        assert texts, place(node)
        assert all(text.endswith((".", "?", "!")) for text in texts), place(node)


@pytest.mark.parametrize("name", makul_schemas.names())
def test_schemas_avoid_what_generators_cannot_read(name: str) -> None:
    """There is no derivation, substitution, nil, default, or open content but the signature."""
    root = schema_root(name)

    for construct in FORBIDDEN:
        assert not elements(root, f"//xs:{construct}"), construct
    for attribute in (
        "nillable",
        "substitutionGroup",
        "abstract",
        "mixed",
        "default",
        "fixed",
        "form",
    ):
        assert not elements(root, f"//xs:*[@{attribute}]"), attribute
    for wildcard in elements(root, "//xs:any"):
        assert wildcard.get("namespace") == NS["ds"]
        assert wildcard.get("processContents") == "skip"
        assert wildcard.get("maxOccurs") is None
        assert wildcard.getnext() is None, "the signature is the last child"
    assert root.get("elementFormDefault") == "qualified"
    assert root.get("attributeFormDefault") is None


@pytest.mark.parametrize("name", makul_schemas.names())
def test_patterns_are_read_by_every_regular_expression_engine(name: str) -> None:
    """Generators compile patterns with the engine of their own language.

    All engines support literals, classes with ranges, groups, alternatives and counts. Categories
    (soap4r), XML names, class subtraction and anchors (all engines except XSD's own) are not
    common. A range beyond U+FFFF is one of surrogates in .NET and JavaScript.
    """
    for pattern in elements(schema_root(name), "//xs:pattern"):
        value = str(pattern.get("value"))

        assert not UNCOMMON.search(value.replace("[^", "[")), value
        assert all(ord(each) <= 0xFFFF for each in value), value


def test_lists_that_may_grow_are_patterns() -> None:
    """A growing list as a pattern does not break generated clients."""
    root = schema_root("types.xsd")
    enumerated = {each.get("name") for each in elements(root, "//xs:simpleType[.//xs:enumeration]")}

    assert not enumerated & MAY_GROW
    for name in MAY_GROW:
        assert elements(root, f"//xs:simpleType[@name='{name}']//xs:pattern"), name


def test_requests_are_bounded() -> None:
    """What a caller can send is bounded; only answers may have any length."""
    for name, path in (
        ("oversight.xsd", "//xs:element[not(substring-after(@name, 'Response'))][xs:complexType]"),
        ("subject.xsd", "//xs:element[not(substring-after(@name, 'Response'))][xs:complexType]"),
        ("recipient.xsd", "//xs:element[not(substring-after(@name, 'Response'))][xs:complexType]"),
        ("recipient.xsd", "//xs:complexType[contains(@name, 'Probe') or @name = 'Ground']"),
        ("consent.xsd", "/*"),
        ("basis.xsd", "/*"),
        ("agreement.xsd", "/*"),
        ("notice.xsd", "/*"),
    ):
        for node in elements(schema_root(name), path):
            if not node.get("name", "").endswith("Response"):
                assert not elements(node, ".//*[@maxOccurs = 'unbounded']"), place(node)


@pytest.mark.parametrize(("port", "operation"), OPERATIONS_OF_PORTS)
def test_request_cites_its_clauses(port: str, operation: str) -> None:
    """The table of operations and clauses is that of the published files."""
    path = f"/*/xs:element[@name='{operation}']/xs:annotation/xs:documentation"
    (documentation,) = elements(schema_root(f"{port}.xsd"), path)
    flat = " ".join((documentation.text or "").split())

    assert re.findall(r"Procedure, cl\. ([0-9., and]*[0-9])", flat) == [OPERATIONS[port][operation]]


@pytest.mark.parametrize(("port", "operation"), OPERATIONS_OF_PORTS)
def test_request_begins_with_its_id_and_answer_repeats_it(port: str, operation: str) -> None:
    """Every request carries requestId."""
    root = schema_root(f"{port}.xsd")

    for wrapper in (operation, f"{operation}Response"):
        first = elements(
            root, f"/*/xs:element[@name='{wrapper}']/xs:complexType/xs:sequence/xs:*[1]"
        )[0]
        assert (first.get("name"), first.get("type"), first.get("minOccurs")) == (
            "requestId",
            "t:RequestId",
            None,
        )


@pytest.mark.parametrize(
    "operation", ["VerifyPerson", "GetPersonData", "ExplainDecision", "RegisterConsent"]
)
def test_answers_of_decisions_have_one_form(operation: str) -> None:
    """The head is the same in each, and the receipt is last."""
    root = schema_root("recipient.xsd")
    path = f"/*/xs:element[@name='{operation}Response']/xs:complexType/xs:sequence/xs:element"
    names = [each.get("name") for each in elements(root, path)]

    assert names[:5] == ["requestId", "outcome", "reason", "disclosureId", "decidedAt"]
    assert names[-1] == "receipt"


@pytest.mark.parametrize(
    ("port", "operation"),
    [(port, operation) for port in ("oversight", "subject") for operation in OPERATIONS[port]],
)
def test_answers_of_acts_have_one_form(port: str, operation: str) -> None:
    """The head is the same in each, and the receipt is last."""
    path = f"/*/xs:element[@name='{operation}Response']/xs:complexType/xs:sequence/xs:element"
    names = [each.get("name") for each in elements(schema_root(f"{port}.xsd"), path)]

    assert names[:5] == ["requestId", "outcome", "reason", "actId", "decidedAt"]
    assert names[-1] == "receipt"


def test_person_elements_are_the_attribute_names() -> None:
    """Person can carry every attribute of AttributeName, in the same order."""
    types, recipient = schema_root("types.xsd"), schema_root("recipient.xsd")
    text = elements(types, "//xs:simpleType[@name='AttributeName']//xs:documentation")[0].text or ""
    listed = re.findall(r"\w+", text.partition("Now:")[2].partition(".")[0])
    carried = elements(recipient, "//xs:complexType[@name='Person']/xs:sequence/xs:element")

    assert [each.get("name") for each in carried] == listed
    assert all(each.get("minOccurs") == "0" for each in carried)


# ------------------------------------------------------------------ the writing


FILES = {
    **{name: makul_schemas.read(name).decode("utf-8") for name in makul_schemas.names()},
    **{name: makul_wsdl.read(name).decode("utf-8") for name in makul_wsdl.names()},
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_tidy(name: str) -> None:
    """Two blanks for each level, no tabs, no line beyond 120 columns, one newline at the end."""
    text = FILES[name]

    assert "\t" not in text
    assert "\r" not in text
    assert text.endswith(">\n")
    for number, line in enumerate(text.splitlines(), start=1):
        assert line == line.rstrip(), f"{name}:{number}"
        # a pattern cannot be broken into lines, because white space is part of it
        assert len(line) <= 120 or "<xs:pattern " in line, f"{name}:{number}"


@pytest.mark.parametrize("name", FILES)
def test_cited_clauses_exist(name: str) -> None:
    """The form is `Procedure, cl. N`, and N exists."""
    flat = " ".join(FILES[name].split())

    for cited in re.findall(r"Procedure, cl\. ([0-9., and]*[0-9])", flat):
        for clause in re.findall(r"[0-9]+(?:\.[0-9]+)?", cited):
            assert clause in CLAUSES, f"{name}: {clause}"
