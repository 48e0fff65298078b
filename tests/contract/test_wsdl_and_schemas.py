"""The published WSDLs and schemas keep the rules that foreign SOAP clients and X-Road live by."""

import base64
import copy
import logging
import re
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import makul_schemas
import makul_wsdl
import pytest
import zeep
from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
XRD = "http://x-road.eu/xsd/xroad.xsd"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NS = {
    "xs": XS,
    "wsdl": WSDL,
    "soap": SOAP11,
    "soap12": SOAP12,
    "xrd": XRD,
    "id": "http://x-road.eu/xsd/identifiers",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "t": "urn:makul:types:1",
    "r": "urn:makul:recipient:1",
    "c": "urn:makul:consent:1",
    "b": "urn:makul:basis:1",
    "p": "urn:makul:receipt:1",
    "d": "urn:makul:delivery:1",
}

OPERATIONS = {
    "VerifyPerson",
    "GetPersonData",
    "ExplainDecision",
    "RegisterConsent",
    "GetConsentStatus",
    "GetAgreement",
    "GetReceipt",
    "GetStatus",
}

XROAD_HEADERS = ["client", "service", "id", "protocolVersion", "userId", "issue"]

XROAD_RESERVED = {
    "listmethods",
    "allowedmethods",
    "getwsdl",
    "getopenapi",
    "getsecurityservermetrics",
    "getsecurityserverhealthdata",
    "getsecurityserveroperationaldata",
    "clientreg",
    "clientdeletion",
    "authcertreg",
    "authcertdeletion",
    "ownerchange",
}
"""Service codes that X-Road's own meta, monitoring and management services answer to."""

CLAUSES = {str(number) for number in range(1, 17)} | {"5.1", "5.2", "5.3", "5.4"}
"""The clauses that the Procedure has."""

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
"""Lists that may grow: an enumeration would break clients generated before they did."""

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
"""What some client of the day generates badly, or what would let unknown content in."""

SAMPLES = Path(__file__).parent / "samples"
GOOD = sorted(path.stem for path in SAMPLES.glob("*.xml"))
REFUSED: list[dict[str, Any]] = tomllib.loads((SAMPLES / "refused.toml").read_text("utf-8"))["case"]


def _schema_root(name: str) -> etree._Element:
    return etree.fromstring(makul_schemas.read(name))


def _wsdl_root(name: str) -> etree._Element:
    return etree.fromstring(makul_wsdl.read(name))


def _elements(root: etree._Element, path: str) -> list[etree._Element]:
    found = root.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, etree._Element)]


def _compile(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(makul_schemas.location() / name))


def _place(node: etree._Element) -> str:
    return f"line {node.sourceline}: {etree.QName(node).localname} {node.get('name', '')}"


COMPILED = {
    namespace: _compile(name)
    for name in makul_schemas.names()
    if (namespace := _schema_root(name).get("targetNamespace", ""))
}


def _sample(name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.parse(SAMPLES / f"{name}.xml", parser).getroot()


def _errors(document: etree._Element) -> list[str]:
    schema = COMPILED[str(etree.QName(document).namespace)]
    schema.validate(document)
    return [entry.type_name for entry in schema.error_log]  # type: ignore[attr-defined]


# ------------------------------------------------------------------ the packages


def test_names_are_the_files() -> None:
    """Everything in the folder is published, and nothing else."""
    assert set(makul_schemas.names()) == {
        "basis.xsd",
        "consent.xsd",
        "delivery.xsd",
        "identifiers.xsd",
        "receipt.xsd",
        "recipient.xsd",
        "types.xsd",
        "xroad.xsd",
    }
    assert set(makul_wsdl.names()) == {
        "recipient.wsdl",
        "recipient-soap12.wsdl",
        "recipient-xroad.wsdl",
    }


def test_suffix_may_be_left_out() -> None:
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
def test_unknown_name_is_an_error_that_says_what_there_is(name: str) -> None:
    """A name is looked up, never used as a path."""
    with pytest.raises(makul_schemas.UnknownSchemaError, match=r"types\.xsd"):
        makul_schemas.read(name)
    with pytest.raises(makul_wsdl.UnknownWsdlError, match=r"recipient\.wsdl"):
        makul_wsdl.read(name)


# ------------------------------------------------------------------ the schemas


@pytest.mark.parametrize("name", makul_schemas.names())
def test_schema_compiles(name: str) -> None:
    """With the relative imports that it has on disk."""
    _compile(name)


@pytest.mark.parametrize("name", makul_schemas.names())
def test_every_simple_type_has_facets(name: str) -> None:
    """A type says what may stand in it; white space handling alone says nothing."""
    root = _schema_root(name)

    for simple in _elements(root, "//xs:simpleType"):
        facets = _elements(simple, "xs:restriction/xs:*[@value][not(self::xs:whiteSpace)]")
        assert facets, _place(simple)
        assert simple.get("name"), f"unnamed: {_place(simple)}"


@pytest.mark.parametrize("name", makul_schemas.names())
def test_nothing_is_of_a_naked_built_in_type(name: str) -> None:
    """Elements and attributes use named types of ours, so each value's facets are known."""
    root = _schema_root(name)

    for node in _elements(root, "//xs:element[@name] | //xs:attribute[@name]"):
        type_name = node.get("type")
        if type_name is None:
            assert _elements(node, "xs:complexType"), _place(node)
        else:
            prefix = type_name.partition(":")[0]
            assert node.nsmap[prefix] != XS, _place(node)


@pytest.mark.parametrize("name", makul_schemas.names())
def test_everything_is_documented(name: str) -> None:
    """Types, elements, attributes and wildcards each say what they are for."""
    root = _schema_root(name)
    named = (
        "//xs:simpleType | //xs:complexType[@name] | //xs:element[@name] | //xs:attribute[@name]"
    )

    for node in [root, *_elements(root, f"{named} | //xs:any")]:
        texts = [
            (each.text or "").strip() for each in _elements(node, "xs:annotation/xs:documentation")
        ]
        assert texts, _place(node)
        assert all(text.endswith((".", "?", "!")) for text in texts), _place(node)


@pytest.mark.parametrize("name", makul_schemas.names())
def test_nothing_that_generators_stumble_over(name: str) -> None:
    """No derivation, no substitution, no nil, no defaults, no open content but the signature."""
    root = _schema_root(name)

    for construct in FORBIDDEN:
        assert not _elements(root, f"//xs:{construct}"), construct
    for attribute in (
        "nillable",
        "substitutionGroup",
        "abstract",
        "mixed",
        "default",
        "fixed",
        "form",
    ):
        assert not _elements(root, f"//xs:*[@{attribute}]"), attribute
    for wildcard in _elements(root, "//xs:any"):
        assert wildcard.get("namespace") == NS["ds"]
        assert wildcard.get("processContents") == "skip"
        assert wildcard.get("maxOccurs") is None
        assert wildcard.getnext() is None, "the signature is the last child"
    assert root.get("elementFormDefault") == "qualified"
    assert root.get("attributeFormDefault") is None


def test_lists_that_may_grow_are_patterns() -> None:
    """CONTRACT: so that generated clients do not break."""
    root = _schema_root("types.xsd")
    enumerated = {
        each.get("name") for each in _elements(root, "//xs:simpleType[.//xs:enumeration]")
    }

    assert not enumerated & MAY_GROW
    for name in MAY_GROW:
        assert _elements(root, f"//xs:simpleType[@name='{name}']//xs:pattern"), name


def test_requests_are_bounded() -> None:
    """What a caller can send has an end; only answers may be as long as they need to be."""
    for name, path in (
        ("recipient.xsd", "//xs:element[not(substring-after(@name, 'Response'))][xs:complexType]"),
        ("types.xsd", "//xs:complexType[contains(@name, 'Probe') or @name = 'Ground']"),
        ("consent.xsd", "/*"),
        ("basis.xsd", "/*"),
    ):
        for node in _elements(_schema_root(name), path):
            if not node.get("name", "").endswith("Response"):
                assert not _elements(node, ".//*[@maxOccurs = 'unbounded']"), _place(node)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_request_begins_with_its_id_and_answer_repeats_it(operation: str) -> None:
    """CONTRACT: every request carries requestId."""
    root = _schema_root("recipient.xsd")

    for wrapper in (operation, f"{operation}Response"):
        first = _elements(
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
def test_decisions_are_answered_alike(operation: str) -> None:
    """The head is the same in each, and the receipt stands last."""
    root = _schema_root("recipient.xsd")
    path = f"/*/xs:element[@name='{operation}Response']/xs:complexType/xs:sequence/xs:element"
    names = [each.get("name") for each in _elements(root, path)]

    assert names[:5] == ["requestId", "outcome", "reason", "disclosureId", "decidedAt"]
    assert names[-1] == "receipt"


def test_person_elements_are_the_attribute_names() -> None:
    """What AttributeName documents, Person can carry, in the same order."""
    types, recipient = _schema_root("types.xsd"), _schema_root("recipient.xsd")
    text = (
        _elements(types, "//xs:simpleType[@name='AttributeName']//xs:documentation")[0].text or ""
    )
    listed = re.findall(r"\w+", text.partition("Now:")[2].partition(".")[0])
    carried = _elements(recipient, "//xs:complexType[@name='Person']/xs:sequence/xs:element")

    assert [each.get("name") for each in carried] == listed
    assert all(each.get("minOccurs") == "0" for each in carried)


# ------------------------------------------------------------------ the writing


FILES = {
    **{name: makul_schemas.read(name).decode("utf-8") for name in makul_schemas.names()},
    **{name: makul_wsdl.read(name).decode("utf-8") for name in makul_wsdl.names()},
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_tidy(name: str) -> None:
    """Two blanks a level, no tabs, no line beyond 120 columns, one newline at the end."""
    text = FILES[name]

    assert "\t" not in text
    assert "\r" not in text
    assert text.endswith(">\n")
    for number, line in enumerate(text.splitlines(), start=1):
        assert line == line.rstrip(), f"{name}:{number}"
        assert len(line) <= 120, f"{name}:{number}"


@pytest.mark.parametrize("name", FILES)
def test_clauses_are_cited_as_the_procedure_has_them(name: str) -> None:
    """`Procedure, cl. N`, and N exists."""
    flat = " ".join(FILES[name].split())

    for cited in re.findall(r"Procedure, cl\. ([0-9., and]*[0-9])", flat):
        for clause in re.findall(r"[0-9]+(?:\.[0-9]+)?", cited):
            assert clause in CLAUSES, f"{name}: {clause}"


# ------------------------------------------------------------------ the WSDLs


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_wsdl_loads_in_strict_zeep_without_a_word(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """From the file system, with nothing warned and nothing logged at WARNING or above."""
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("error")
        client = zeep.Client(  # type: ignore[no-untyped-call]
            str(makul_wsdl.location() / name),
            settings=zeep.Settings(strict=True, xml_huge_tree=False),
        )

    assert not caplog.records
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert set(port.binding.all()) == OPERATIONS
    for operation in port.binding.all().values():
        assert set(operation.faults) == {"Fault"}


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_imports_are_simple_and_lead_somewhere(name: str) -> None:
    """A relative path to a published schema: the server rewrites exactly these."""
    locations = [
        str(each.get("schemaLocation")) for each in _elements(_wsdl_root(name), "//xs:import")
    ]

    assert locations
    for location in locations:
        assert re.fullmatch(r"\.\./\.\./schemas/v1/[a-z]+\.xsd", location)
        assert location.rpartition("/")[2] in makul_schemas.names()


@pytest.mark.parametrize("name", makul_schemas.names())
def test_schemas_import_their_neighbours_by_name(name: str) -> None:
    """Between schemas, a schemaLocation is a bare file name."""
    for each in _elements(_schema_root(name), "//xs:import"):
        assert each.get("schemaLocation") in makul_schemas.names()


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_one_binding_document_literal(name: str) -> None:
    """With two ports in one WSDL, clients mix them up."""
    root = _wsdl_root(name)
    soap = "soap12" if "soap12" in name else "soap"

    for kind in ("portType", "binding", "service", "service/wsdl:port"):
        assert len(_elements(root, f"/*/wsdl:{kind}")) == 1, kind
    assert {
        each.get("style") for each in _elements(root, f"//{soap}:binding | //{soap}:operation")
    } == {"document"}
    assert {each.get("use") for each in _elements(root, f"//wsdl:binding//{soap}:*[@use]")} == {
        "literal"
    }
    assert {each.get("soapAction") for each in _elements(root, f"//{soap}:operation")} == {""}
    assert len(_elements(root, f"//{soap}:address")) == 1


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_messages_are_wrapped_with_one_part(name: str) -> None:
    """Wrappers are named OPERATION and OPERATIONResponse; each part has element=."""
    root = _wsdl_root(name)
    declared = {
        each.get("name") for each in _elements(_schema_root("recipient.xsd"), "/*/xs:element")
    }

    assert not _elements(root, "//wsdl:part[@type]")
    assert {
        each.get("name") for each in _elements(root, "//wsdl:portType/wsdl:operation")
    } == OPERATIONS
    answers = {f"{operation}Response" for operation in OPERATIONS}
    assert declared == OPERATIONS | answers | {"person"}  # which a sealed delivery holds too
    for operation in OPERATIONS:
        way = f"//wsdl:portType/wsdl:operation[@name='{operation}']"
        for side, wrapper in (("input", operation), ("output", f"{operation}Response")):
            assert _elements(root, f"{way}/wsdl:{side}")[0].get("message") == f"r:{wrapper}"
            parts = _elements(root, f"/*/wsdl:message[@name='{wrapper}']/wsdl:part")
            assert [part.get("element") for part in parts] == [f"r:{wrapper}"]


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_every_operation_has_the_typed_fault(name: str) -> None:
    """In the portType and in the binding, by the same name."""
    root = _wsdl_root(name)
    (part,) = _elements(root, "/*/wsdl:message[@name='Fault']/wsdl:part")

    assert part.get("element") == "t:Fault"
    for operation in _elements(root, "//wsdl:portType/wsdl:operation"):
        faults = _elements(operation, "wsdl:fault")
        assert [(each.get("name"), each.get("message")) for each in faults] == [
            ("Fault", "r:Fault")
        ]
    for operation in _elements(root, "//wsdl:binding/wsdl:operation"):
        (fault,) = _elements(operation, "wsdl:fault")
        (body,) = _elements(fault, "soap:fault | soap12:fault")
        assert fault.get("name") == body.get("name") == "Fault"


def test_the_three_differ_in_the_binding_only() -> None:
    """Same namespace, same messages, same operations: a client moves by changing the URL."""
    told = []
    for name in makul_wsdl.names():
        root = _wsdl_root(name)
        for documentation in _elements(root, "//wsdl:documentation"):
            documentation.getparent().remove(documentation)  # type: ignore[union-attr]
        messages = _elements(root, "/*/wsdl:message[@name != 'requiredHeaders'] | /*/wsdl:portType")
        told.append(
            [re.sub(rb' xmlns:\w+="[^"]*"|\s', b"", etree.tostring(each)) for each in messages]
        )

    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("name", [each for each in makul_wsdl.names() if "xroad" not in each])
def test_plain_wsdls_know_no_headers(name: str) -> None:
    """ASMX-style clients fail on several header parts."""
    assert not _elements(_wsdl_root(name), "//soap:header | //soap12:header | //xrd:*")


# ------------------------------------------------------------------ X-Road


def test_xroad_titles_in_three_languages_and_a_version() -> None:
    """Titles stand in the portType's documentation, the version in the binding's operation."""
    root = _wsdl_root("recipient-xroad.wsdl")
    seen: set[str] = set()

    for operation in _elements(root, "//wsdl:portType/wsdl:operation"):
        titles = _elements(operation, "wsdl:documentation/xrd:title")
        assert [each.get(XML_LANG) for each in titles] == ["ky", "ru", "en"]
        texts = {each.text or "" for each in titles}
        assert all(text.strip() for text in texts)
        assert not texts & seen, "a title names one operation"
        seen |= texts
    for operation in _elements(root, "//wsdl:binding/wsdl:operation"):
        assert [each.text for each in _elements(operation, "xrd:version")] == ["v1"]


def test_xroad_headers_stand_on_both_ways() -> None:
    """The security server refuses an answer whose headers are not those of the request."""
    root = _wsdl_root("recipient-xroad.wsdl")
    parts = _elements(root, "/*/wsdl:message[@name='requiredHeaders']/wsdl:part")
    declared = {each.get("name") for each in _elements(_schema_root("xroad.xsd"), "/*/xs:element")}

    assert [part.get("name") for part in parts] == XROAD_HEADERS
    assert [part.get("element") for part in parts] == [f"xrd:{header}" for header in XROAD_HEADERS]
    assert set(XROAD_HEADERS) <= declared
    for way in _elements(
        root, "//wsdl:binding/wsdl:operation/*[self::wsdl:input or self::wsdl:output]"
    ):
        headers = _elements(way, "soap:header")
        assert [each.get("part") for each in headers] == XROAD_HEADERS
        assert {each.get("message") for each in headers} == {"r:requiredHeaders"}
        (body,) = _elements(way, "soap:body")
        assert body.get("parts") == "parameters"


def test_service_codes_are_free_and_unique() -> None:
    """X-Road answers its own codes itself; rights are granted by code, so no two look alike."""
    codes = [
        str(each.get("name")).lower()
        for each in _elements(_wsdl_root("recipient-xroad.wsdl"), "//wsdl:binding/wsdl:operation")
    ]

    assert len(set(codes)) == len(codes)
    assert not set(codes) & XROAD_RESERVED


# ------------------------------------------------------------------ samples


@pytest.mark.parametrize("name", GOOD)
def test_good_sample_is_accepted(name: str) -> None:
    """Synthetic people, every element somewhere."""
    assert _errors(_sample(name)) == []


def test_every_root_has_a_good_sample() -> None:
    """Each request, answer and document; and of the headers, those with something to get wrong."""
    shown = {_sample(name).tag for name in GOOD}

    for schema in ("recipient", "consent", "basis", "receipt", "delivery"):
        root = _schema_root(schema)
        for element in _elements(root, "/*/xs:element"):
            assert f"{{{root.get('targetNamespace')}}}{element.get('name')}" in shown
    assert "{urn:makul:types:1}Fault" in shown


def test_samples_are_in_the_documented_order_and_show_every_element() -> None:
    """No element of a request, answer or document goes without an example."""
    shown = {
        str(etree.QName(node).localname) for name in GOOD for node in _sample(name).iter("{*}*")
    }

    for schema in ("types", "recipient", "consent", "basis", "receipt", "delivery"):
        for element in _elements(_schema_root(schema), "//xs:element[@name]"):
            assert element.get("name") in shown, f"{schema}: {element.get('name')}"


def _fragment(xml: str) -> etree._Element:
    declarations = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    return etree.fromstring(f"<wrap {declarations}>{xml}</wrap>")[0]


def _change(document: etree._Element, case: dict[str, Any]) -> None:
    (node,) = _elements(document, case["at"])
    parent = node.getparent()
    if "text" in case:
        node.text = case["text"]
    elif "attribute" in case:
        node.set(*case["attribute"])
    elif "add" in case:
        node.append(_fragment(case["add"]))
    elif "before" in case:
        node.addprevious(_fragment(case["before"]))
    elif "remove" in case and parent is not None:
        parent.remove(node)
    elif "repeat" in case:
        node.addnext(copy.deepcopy(node))
    else:
        pytest.fail(f"nothing to change: {case}")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: str(case["why"]))
def test_refused_by_the_schema(case: dict[str, Any]) -> None:
    """One change to a good sample, and the error that it must meet."""
    document = _sample(case["sample"])
    _change(document, case)

    assert case["error"] in _errors(document)


@pytest.mark.parametrize("text", ["QUJD!!!!", "<QUJD>", "QU-JD_", "QUЖJD"])
def test_libxml2_skips_what_is_not_base64(text: str) -> None:
    """So whoever reads a document decodes it strictly; a pattern here would cost 0.1 ms per KB.

    Should this fail one day, libxml2 has become strict and the reader's own check may go.
    """
    document = _sample("register-consent")
    _elements(document, "//r:consentDocument")[0].text = text

    assert _errors(document) == []


@pytest.mark.parametrize(
    ("sample", "path", "limit"),
    [
        ("register-consent", "//r:consentDocument", 262_144),
        ("verify-person", "//t:image", 1_048_576),
    ],
)
def test_sizes_count_bytes_not_characters(sample: str, path: str, limit: int) -> None:
    """The largest passes, line breaks included; one byte more does not."""
    document = _sample(sample)
    (node,) = _elements(document, path)

    node.text = base64.encodebytes(bytes(limit)).decode()
    assert _errors(document) == []

    node.text = base64.b64encode(bytes(limit + 1)).decode()
    assert "SCHEMAV_CVC_MAXLENGTH_VALID" in _errors(document)


def _swaps(name: str) -> Iterator[etree._Element]:
    """Yield the sample with each two neighbours of different names put the other way round."""
    count = sum(1 for _ in _sample(name).iter("{*}*"))
    for index in range(count):
        document = _sample(name)
        node = list(document.iter("{*}*"))[index]
        follower = node.getnext()
        if index and follower is not None and follower.tag != node.tag:
            follower.addnext(node)
            yield document


@pytest.mark.parametrize("name", GOOD)
def test_any_other_order_is_refused(name: str) -> None:
    """The documented order is the only one."""
    for document in _swaps(name):
        assert "SCHEMAV_ELEMENT_CONTENT" in _errors(document)


@pytest.mark.parametrize("name", GOOD)
def test_nil_is_refused_everywhere(name: str) -> None:
    """What there is not to say is left out."""
    for index in range(sum(1 for _ in _sample(name).iter("{*}*"))):
        document = _sample(name)
        node = list(document.iter("{*}*"))[index]
        if etree.QName(node).namespace != NS["ds"]:
            node.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
            assert _errors(document)


def test_samples_show_no_real_person() -> None:
    """Synthetic by sight: names that mean test and sample, numbers full of zeros."""
    for name in GOOD:
        for node in _sample(name).iter("{*}pin"):
            assert re.fullmatch(r"[012]0101\d{4}0000\d", node.text or "")
        for node in _sample(name).iter("{*}documentNumber"):
            assert (node.text or "").startswith("ID000")
