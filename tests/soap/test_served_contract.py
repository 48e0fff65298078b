"""`?wsdl` and `?xsd=` serve the published files, with the right addresses."""

import makul_schemas
import makul_wsdl
import pytest
from lxml import etree

from makul_testing.soap_client import PUBLIC_URL, Response, build, send

_WSDLS = {"wsdl": "recipient", "wsdl=soap12": "recipient-soap12", "wsdl=xroad": "recipient-xroad"}
_MOVED = ("location", "schemaLocation")


def _get(query: str, **environ: str) -> Response:
    return send(
        build(),
        b"",
        REQUEST_METHOD="GET",
        QUERY_STRING=query,
        HTTP_HOST="evil.test",
        HTTP_X_FORWARDED_HOST="evil.test",
        **environ,
    )


@pytest.mark.parametrize(("query", "name"), _WSDLS.items())
def test_wsdl_states_its_configured_address(query: str, name: str) -> None:
    """soap:address comes from the settings, and a Host header does not change it."""
    response = _get(query)
    addresses = [each.get("location") for each in response.root.iter("{*}address")]

    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/xml")
    assert addresses == [PUBLIC_URL]
    assert b"evil.test" not in response.body
    assert _but_for_addresses(response.body) == _but_for_addresses(makul_wsdl.read(name))


@pytest.mark.parametrize("name", makul_schemas.names())
def test_schema_is_served_as_published(name: str) -> None:
    """`?xsd=NAME` serves the file, and its imports lead to the served files."""
    response = _get(f"xsd={name.removesuffix('.xsd')}")

    assert response.body == _get(f"xsd={name}").body
    assert _but_for_addresses(response.body) == _but_for_addresses(makul_schemas.read(name))


@pytest.mark.parametrize("query", _WSDLS)
def test_every_import_can_be_fetched(query: str) -> None:
    """A client follows schemaLocation unchanged."""
    waiting, seen = [query], set[str]()
    while waiting:
        current = waiting.pop()
        response = _get(current)
        assert response.status == 200
        seen.add(current)
        locations = [each.get("schemaLocation") for each in response.root.iter("{*}import")]
        for location in filter(None, locations):
            address, _, further = str(location).partition("?")
            assert address == PUBLIC_URL
            if further not in seen:
                waiting.append(further)
    assert "xsd=types" in seen


@pytest.mark.parametrize(
    "query",
    [
        "wsdl=nothing",
        "xsd",
        "xsd=",
        "xsd=../setup.cfg",
        "xsd=..%2f..%2fsetup.cfg",
        "xsd=types&xsd=receipt",
        "wsdl&x=1",
        "singleWsdl",
        "xsd=" + "x" * 100_000,
        "%00",
        "=",
        "&&&",
    ],
)
def test_nothing_else_is_served(query: str) -> None:
    """A name is looked up among the published files, and never used as a path."""
    response = _get(query)

    assert response.status == 404
    assert response.codes == ["REQ-02"]


def test_wsdl_in_capitals_is_served() -> None:
    """.NET requests `?WSDL` in capitals."""
    assert _get("WSDL").body == _get("wsdl").body


def _but_for_addresses(document: bytes) -> bytes:
    root = etree.fromstring(document)
    for element in root.iter(etree.Element):
        for name in _MOVED:
            if name in element.attrib:
                element.set(name, "moved")
    return etree.tostring(root, method="c14n")
