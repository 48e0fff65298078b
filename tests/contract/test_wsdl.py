"""The published WSDLs keep the rules that foreign SOAP clients and X-Road need."""

import logging
import re
import warnings

import makul_schemas
import makul_wsdl
import pytest
import zeep
from lxml import etree

from makul_testing.contract_files import (
    OPERATIONS,
    XML_LANG,
    elements,
    port_of,
    prefix_of,
    schema_root,
    wsdl_root,
)

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
"""Service codes of X-Road's own meta, monitoring and management services."""


# ------------------------------------------------------------------ the WSDLs


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_wsdl_loads_in_strict_zeep_without_a_warning(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Loading from the file system gives no warning and no log line at WARNING or above."""
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("error")
        client = zeep.Client(  # type: ignore[no-untyped-call]
            str(makul_wsdl.location() / name),
            settings=zeep.Settings(strict=True, xml_huge_tree=False),
        )

    assert not caplog.records
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert set(port.binding.all()) == set(OPERATIONS[port_of(name)])
    for operation in port.binding.all().values():
        assert set(operation.faults) == {"Fault"}


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_imports_are_simple_and_resolve(name: str) -> None:
    """A relative path leads to a published schema; the server rewrites exactly these."""
    locations = [
        str(each.get("schemaLocation")) for each in elements(wsdl_root(name), "//xs:import")
    ]

    assert locations
    for location in locations:
        assert re.fullmatch(r"\.\./\.\./schemas/v1/[a-z]+\.xsd", location)
        assert location.rpartition("/")[2] in makul_schemas.names()


@pytest.mark.parametrize("name", makul_schemas.names())
def test_schemas_import_their_neighbours_by_name(name: str) -> None:
    """A schemaLocation between schemas is a bare file name."""
    for each in elements(schema_root(name), "//xs:import"):
        assert each.get("schemaLocation") in makul_schemas.names()


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_wsdl_has_one_document_literal_binding(name: str) -> None:
    """Clients confuse two ports in one WSDL."""
    root = wsdl_root(name)
    soap = "soap12" if "soap12" in name else "soap"

    for kind in ("portType", "binding", "service", "service/wsdl:port"):
        assert len(elements(root, f"/*/wsdl:{kind}")) == 1, kind
    assert {
        each.get("style") for each in elements(root, f"//{soap}:binding | //{soap}:operation")
    } == {"document"}
    assert {each.get("use") for each in elements(root, f"//wsdl:binding//{soap}:*[@use]")} == {
        "literal"
    }
    assert {each.get("soapAction") for each in elements(root, f"//{soap}:operation")} == {""}
    assert len(elements(root, f"//{soap}:address")) == 1


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_messages_are_wrapped_with_one_part(name: str) -> None:
    """Wrappers are named OPERATION and OPERATIONResponse; each part has element=."""
    root, port = wsdl_root(name), port_of(name)
    prefix, operations = prefix_of(port), set(OPERATIONS[port])
    schema = schema_root(f"{port}.xsd")
    declared = {each.get("name") for each in elements(schema, "/*/xs:element")}

    assert not elements(root, "//wsdl:part[@type]")
    assert {
        each.get("name") for each in elements(root, "//wsdl:portType/wsdl:operation")
    } == operations
    answers = {f"{operation}Response" for operation in operations}
    encrypted = {"person"} if port == "recipient" else set()  # also the root of a delivery
    assert declared == operations | answers | encrypted
    for operation in operations:
        way = f"//wsdl:portType/wsdl:operation[@name='{operation}']"
        for side, wrapper in (("input", operation), ("output", f"{operation}Response")):
            assert elements(root, f"{way}/wsdl:{side}")[0].get("message") == f"{prefix}:{wrapper}"
            parts = elements(root, f"/*/wsdl:message[@name='{wrapper}']/wsdl:part")
            assert [part.get("element") for part in parts] == [f"{prefix}:{wrapper}"]


@pytest.mark.parametrize("name", makul_wsdl.names())
def test_every_operation_has_the_typed_fault(name: str) -> None:
    """The fault is in the portType and in the binding, under the same name."""
    root = wsdl_root(name)
    (part,) = elements(root, "/*/wsdl:message[@name='Fault']/wsdl:part")

    assert part.get("element") == "t:Fault"
    for operation in elements(root, "//wsdl:portType/wsdl:operation"):
        faults = elements(operation, "wsdl:fault")
        assert [(each.get("name"), each.get("message")) for each in faults] == [
            ("Fault", f"{prefix_of(port_of(name))}:Fault")
        ]
    for operation in elements(root, "//wsdl:binding/wsdl:operation"):
        (fault,) = elements(operation, "wsdl:fault")
        (body,) = elements(fault, "soap:fault | soap12:fault")
        assert fault.get("name") == body.get("name") == "Fault"


@pytest.mark.parametrize("port", OPERATIONS)
def test_the_wsdls_of_a_port_differ_only_in_the_binding(port: str) -> None:
    """Namespace, messages and operations are the same, so a client changes only the URL."""
    forms = []
    for name in makul_wsdl.names():
        if port_of(name) != port:
            continue
        root = wsdl_root(name)
        for documentation in elements(root, "//wsdl:documentation"):
            documentation.getparent().remove(documentation)  # type: ignore[union-attr]
        messages = elements(root, "/*/wsdl:message[@name != 'requiredHeaders'] | /*/wsdl:portType")
        forms.append(
            [re.sub(rb' xmlns:\w+="[^"]*"|\s', b"", etree.tostring(each)) for each in messages]
        )

    assert len(forms) == 3
    assert forms[0] == forms[1] == forms[2]


@pytest.mark.parametrize("name", [each for each in makul_wsdl.names() if "xroad" not in each])
def test_plain_wsdls_have_no_headers(name: str) -> None:
    """ASMX-style clients fail on several header parts."""
    assert not elements(wsdl_root(name), "//soap:header | //soap12:header | //xrd:*")


# ------------------------------------------------------------------ X-Road


@pytest.mark.parametrize("port", OPERATIONS)
def test_xroad_wsdl_has_titles_in_three_languages_and_a_version(port: str) -> None:
    """Titles are in the portType's documentation, the version is in the binding's operation."""
    root = wsdl_root(f"{port}-xroad.wsdl")
    seen: set[str] = set()

    for operation in elements(root, "//wsdl:portType/wsdl:operation"):
        titles = elements(operation, "wsdl:documentation/xrd:title")
        assert [each.get(XML_LANG) for each in titles] == ["ky", "ru", "en"]
        texts = {each.text or "" for each in titles}
        assert all(text.strip() for text in texts)
        assert not texts & seen, "a title names one operation"
        seen |= texts
    for operation in elements(root, "//wsdl:binding/wsdl:operation"):
        assert [each.text for each in elements(operation, "xrd:version")] == ["v1"]


@pytest.mark.parametrize("port", OPERATIONS)
def test_xroad_headers_are_in_requests_and_answers(port: str) -> None:
    """The security server refuses an answer whose headers are not those of the request."""
    root = wsdl_root(f"{port}-xroad.wsdl")
    parts = elements(root, "/*/wsdl:message[@name='requiredHeaders']/wsdl:part")
    declared = {each.get("name") for each in elements(schema_root("xroad.xsd"), "/*/xs:element")}

    assert [part.get("name") for part in parts] == XROAD_HEADERS
    assert [part.get("element") for part in parts] == [f"xrd:{header}" for header in XROAD_HEADERS]
    assert set(XROAD_HEADERS) <= declared
    for way in elements(
        root, "//wsdl:binding/wsdl:operation/*[self::wsdl:input or self::wsdl:output]"
    ):
        headers = elements(way, "soap:header")
        assert [each.get("part") for each in headers] == XROAD_HEADERS
        assert {each.get("message") for each in headers} == {f"{prefix_of(port)}:requiredHeaders"}
        (body,) = elements(way, "soap:body")
        assert body.get("parts") == "parameters"


@pytest.mark.parametrize("port", OPERATIONS)
def test_service_codes_are_free_and_unique(port: str) -> None:
    """X-Road answers its own codes itself; rights are granted by code, so no two may look alike.

    Each port is a subsystem of its own (docs/operating/subject.md).
    """
    operations = elements(wsdl_root(f"{port}-xroad.wsdl"), "//wsdl:binding/wsdl:operation")
    codes = [str(each.get("name")).lower() for each in operations]

    assert len(set(codes)) == len(codes)
    assert not set(codes) & XROAD_RESERVED
