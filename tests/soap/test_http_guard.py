"""The HTTP guard: which requests it accepts, and what each address serves."""

import io
import json
import time
from importlib.metadata import version
from typing import Any

import pytest

from makul.app.ports.health import Readiness, ReadinessState
from makul.domain.reason_texts import text
from makul.domain.reasons import Code
from makul.soap.versions import SOAP_11, SOAP_12, SoapVersion
from makul_testing.soap_client import (
    GET_STATUS,
    REQUEST_ID,
    FakePort,
    Response,
    assert_typed_fault,
    build,
    enveloped,
    send,
)

_CHUNKED: dict[str, Any] = {
    "CONTENT_LENGTH": None,
    "HTTP_TRANSFER_ENCODING": "chunked",
    "wsgi.input_terminated": True,
}


def _get(path: str, query: str = "", **settings: Any) -> Response:
    return send(build(**settings), b"", REQUEST_METHOD="GET", PATH_INFO=path, QUERY_STRING=query)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml",
        "text/xml; charset=utf-8",
        'TEXT/XML;charset="UTF-8"',
        "application/soap+xml",
        'application/soap+xml; charset=utf-8; action="urn:any"',
    ],
)
def test_the_media_type_selects_the_soap_version(content_type: str) -> None:
    """The content type selects the SOAP version at every URL; SOAPAction is not needed."""
    version = SOAP_12 if "soap+xml" in content_type.lower() else SOAP_11
    response = send(
        build(), enveloped(GET_STATUS, version), content_type=content_type, HTTP_SOAPACTION='"x"'
    )

    assert response.status == 200
    assert response.headers["Content-Type"] == version.content_type
    assert response.root.tag == version.qualified("Envelope")


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "post", "get", ""]
)
def test_other_methods_are_405(method: str) -> None:
    """RFC 9110, section 15.5.6: 405 lists the allowed methods."""
    response = send(build(), enveloped(GET_STATUS), REQUEST_METHOD=method)

    assert_typed_fault(response)
    assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
    assert response.fields == ["method"]


def test_get_without_a_query_is_405() -> None:
    """The port itself accepts only POST; GET needs a query."""
    response = _get("/v1/recipient")

    assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/", ""),
        ("/healthz", ""),
        ("/readyz", ""),
        ("/v1/recipient", "wsdl"),
        ("/v1/recipient", "xsd=types"),
        ("/v1/recipient", ""),
        ("/v1/recipient", "wsdl=nothing"),
        ("/nothing", ""),
    ],
)
def test_head_is_get_without_its_body(path: str, query: str) -> None:
    """RFC 9110, 9.3.2: status and headers are the same, with the length of the body."""
    got = _get(path, query)
    head = send(build(), b"", REQUEST_METHOD="HEAD", PATH_INFO=path, QUERY_STRING=query)

    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
    assert head.headers["Content-Length"] == str(len(got.body))


@pytest.mark.parametrize("path", ["/", "/v2/recipient", "/v1/recipient/", "/v1", "", "/healthz/x"])
def test_other_addresses_are_404(path: str) -> None:
    """There is one address; another version of it would be REQ-02."""
    response = send(build(), enveloped(GET_STATUS), PATH_INFO=path)

    assert_typed_fault(response)
    assert (response.status, response.codes) == (404, ["REQ-02"])
    assert path in ("/", "") or path.encode() not in response.body.replace(b"w3.org", b"")


@pytest.mark.parametrize("path", ["/v2/recipient", "/v1/recipient/", "", "/index.html", "/MARK"])
def test_an_unknown_address_has_a_page(path: str) -> None:
    """The page says in three languages that nothing is there, links to `/`, and repeats nothing."""
    response = _get(path, "MARK=1")

    assert response.status == 404
    assert_a_safe_page(response)
    assert b'href="/"' in response.body
    assert b"MARK" not in response.body


@pytest.mark.parametrize("worst", [ReadinessState.OK, ReadinessState.DOWN])
def test_the_page_for_people_describes_the_service(worst: ReadinessState) -> None:
    """`GET /` names the service, its WSDLs and its state, and no version of software."""
    response = _get("/", ready=lambda: _standing(worst))

    assert response.status == 200
    assert_a_safe_page(response)
    for query in ("wsdl", "wsdl=soap12", "wsdl=xroad"):
        assert f'href="/v1/recipient?{query}"'.encode() in response.body
        assert _get("/v1/recipient", query).status == 200
    assert (b"the service takes requests" in response.body) is (worst is ReadinessState.OK)
    assert version("makul").encode() not in response.body
    assert b"signer" not in response.body, "which dependency is down is for the inside"


def assert_a_safe_page(response: Response) -> None:
    """Assert that the page has ky, ru and en, loads nothing and runs nothing."""
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    for language in ("ky", "ru", "en"):
        assert f'<section lang="{language}">'.encode() in response.body
    for active in (b"<script", b"<style", b" style=", b" on", b"javascript:", b"http:", b"https:"):
        assert active not in response.body.replace(b" on a consent", b"").replace(b" only", b"")


def test_health_and_readiness_are_reported() -> None:
    """The service is alive while the process answers, and ready while its dependencies work."""
    assert _get("/healthz", ready=lambda: _standing(ReadinessState.DOWN)).status == 200
    assert _get("/readyz").status == 200
    assert _get("/readyz", ready=lambda: _standing(ReadinessState.DEGRADED)).status == 200
    assert _get("/readyz", ready=lambda: _standing(ReadinessState.DOWN)).status == 503
    assert send(build(), b"", PATH_INFO="/healthz").headers["Allow"] == "GET"


def test_readiness_names_what_is_down() -> None:
    """Operators see the name of the dependency, and not its address."""
    response = _get("/readyz", ready=lambda: _standing(ReadinessState.DOWN))

    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.body) == {
        "state": "down",
        "checks": {"store": "ok", "signer": "down", "trust": "degraded"},
    }


def _standing(worst: ReadinessState) -> Readiness:
    return Readiness(
        {"store": ReadinessState.OK, "signer": worst, "trust": ReadinessState.DEGRADED}
    )


def test_a_readiness_check_that_breaks_is_a_fault() -> None:
    """The guard also turns errors of the service into faults."""

    def broken() -> Readiness:
        raise OSError("down")

    response = _get("/readyz", ready=broken)
    assert_typed_fault(response)
    assert response.codes == ["OPS-99"]


def test_chunked_message_is_accepted() -> None:
    """RFC 9112, section 7.1: a body in chunks has no stated length, and is read to its end."""
    assert send(build(), enveloped(GET_STATUS), **_CHUNKED).status == 200


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 413)])
def test_the_limit_is_exact(spare: int, status: int) -> None:
    """REQ-07: a message of exactly the limit is accepted, one byte more is not; chunked or not."""
    raw = enveloped(GET_STATUS)
    application = build(max_message=len(raw) + spare)

    assert send(application, raw).status == status
    assert send(application, raw, **_CHUNKED).status == status


class _Breaking(io.RawIOBase):
    """A connection that is reset while it is read."""

    def read(self, size: int = -1) -> bytes:
        raise OSError("reset by peer")


def test_a_connection_that_breaks_is_answered() -> None:
    """Any exception of the server for a broken or badly chunked body is the sender's fault."""
    broken: dict[str, Any] = {"wsgi.input": _Breaking()}
    response = send(build(), b"x", **broken)

    assert_typed_fault(response)
    assert response.status == 400


def test_a_byte_order_mark_is_accepted() -> None:
    """XML 1.0, section 4.3.3: UTF-8 may begin with a byte order mark."""
    assert send(build(), b"\xef\xbb\xbf" + enveloped(GET_STATUS)).status == 200
    declared = b'<?xml version="1.0" encoding="utf-8"?>' + enveloped(GET_STATUS)
    assert send(build(), declared).status == 200


def test_answers_forbid_caching() -> None:
    """docs/architecture.md, invariant 7: no personal data remain in a cache."""
    response = send(build(), enveloped(GET_STATUS))

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_headers_for_other_actors_may_be_unknown() -> None:
    """SOAP 1.1, section 4.2.2: the service need not understand a block for another actor."""
    header = '<x s:mustUnderstand="1" s:actor="urn:somebody:else"/><y s:mustUnderstand="0"/><z/>'
    fake = FakePort()

    assert send(build(fake), enveloped(GET_STATUS, header=header)).status == 200


@pytest.mark.parametrize("role", ["next", "ultimateReceiver"], ids=["next", "ultimate"])
def test_headers_for_our_role_must_be_understood(role: str) -> None:
    """SOAP 1.2 part 1, section 2.2: next and ultimateReceiver mean the service."""
    header = (
        f'<x s:mustUnderstand="true" s:role="http://www.w3.org/2003/05/soap-envelope/role/{role}"/>'
    )
    response = send(
        build(), enveloped(GET_STATUS, SOAP_12, header), content_type=SOAP_12.content_type
    )
    assert response.fault_code == "MustUnderstand"


UTF_16 = enveloped(GET_STATUS).decode().encode("utf-16")
TEXT_XML = "text/xml; charset=utf-8"
IN_XROAD = {"fault_status": 500}

FAULTY_HTTP: dict[str, tuple[int, str, str, bytes, dict[str, Any]]] = {
    "no content type": (415, "Content-Type", "", enveloped(GET_STATUS), {}),
    "plain text": (415, "Content-Type", "text/plain", enveloped(GET_STATUS), {}),
    "generic XML": (415, "Content-Type", "application/xml", enveloped(GET_STATUS), {}),
    "JSON": (415, "Content-Type", "application/json", b"{}", {}),
    "MTOM": (
        415,
        "Content-Type",
        'multipart/related; type="application/xop+xml"; boundary=b',
        b"--b--",
        {},
    ),
    "two media types": (415, "Content-Type", "text/xml, text/xml", enveloped(GET_STATUS), {}),
    "another charset": (
        415,
        "Content-Type",
        "text/xml; charset=windows-1251",
        enveloped(GET_STATUS),
        {},
    ),
    "UTF-16 named": (415, "Content-Type", "text/xml; charset=utf-16", UTF_16, {}),
    "UTF-16 that says UTF-8": (415, "Content-Type", TEXT_XML, UTF_16, {}),
    "octets that are no UTF-8": (415, "Content-Type", TEXT_XML, b"<a>\xff</a>", {}),
    "gzip": (
        415,
        "Content-Encoding",
        TEXT_XML,
        enveloped(GET_STATUS),
        {"HTTP_CONTENT_ENCODING": "gzip"},
    ),
    "two lengths": (
        400,
        "Transfer-Encoding",
        TEXT_XML,
        enveloped(GET_STATUS),
        {"HTTP_TRANSFER_ENCODING": "chunked"},
    ),
    "no length": (400, "Envelope", TEXT_XML, b"", {"CONTENT_LENGTH": None}),
    "a negative length": (400, "Content-Length", TEXT_XML, b"", {"CONTENT_LENGTH": "-1"}),
    "too long": (413, "Content-Length", TEXT_XML, b" " * 3000, {}),
    "too long, in chunks": (413, "Content-Length", TEXT_XML, b" " * 3000, _CHUNKED),
    "an address that is not": (
        404,
        "address",
        TEXT_XML,
        enveloped(GET_STATUS),
        {"PATH_INFO": "/v2/recipient"},
    ),
    "a method that is not": (
        405,
        "method",
        TEXT_XML,
        enveloped(GET_STATUS),
        {"REQUEST_METHOD": "PUT"},
    ),
    "a message to the watch": (
        405,
        "method",
        TEXT_XML,
        enveloped(GET_STATUS),
        {"PATH_INFO": "/readyz"},
    ),
}


@pytest.mark.parametrize("xroad", [False, True], ids=["wsse", "xroad"])
@pytest.mark.parametrize(
    ("status", "field", "content_type", "raw", "environ"), FAULTY_HTTP.values(), ids=FAULTY_HTTP
)
def test_each_fault_of_http_names_its_header(
    *,
    status: int,
    field: str,
    content_type: str,
    raw: bytes,
    environ: dict[str, Any],
    xroad: bool,
) -> None:
    """`field` names the header, or the part of the request; the text says what is expected.

    A security server reads only HTTP 200 and 500, so on xroad every fault is 500.
    """
    application = build(max_message=2048, **(IN_XROAD if xroad else {}))
    response = send(application, raw, content_type=content_type, **environ)

    assert_typed_fault(response)
    assert response.status == (500 if xroad else status)
    assert response.fields == [field]
    plain = text(Code(response.codes[0]))
    for language, sentence in (("ky", plain.ky), ("ru", plain.ru), ("en", plain.en)):
        message = response.text(f".//t:reason/t:text/t:{language}")
        assert message is not None
        assert sentence not in message, "it is true of other faults, and not of this one"
        assert len(message) > 40, "what is expected"
    if (
        raw == enveloped(GET_STATUS) and field != "Transfer-Encoding"
    ):  # the status depends on the channel
        assert response.text(".//t:Fault/t:requestId") == str(REQUEST_ID)


def test_a_document_type_is_named() -> None:
    """REQ-07: the fault names the declaration and says what is expected."""
    response = send(build(), b"<!DOCTYPE a>" + enveloped(GET_STATUS))

    assert (response.codes, response.fields) == (["REQ-07"], ["DOCTYPE"])
    assert "DOCTYPE" in (response.text(".//t:reason/t:text/t:en") or "")


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_on_xroad_a_sender_fault_is_500_as_well(version: SoapVersion) -> None:
    """SOAP 1.2 part 2, table 20, has 400 for the sender; a security server does not read 400."""
    for wrong in ("<a/>", "not XML", f"{GET_STATUS}<b/>"):
        response = send(
            build(**IN_XROAD), enveloped(wrong, version), content_type=version.media_type
        )
        assert_typed_fault(response)
        assert response.status == 500


def test_on_xroad_get_has_its_own_status() -> None:
    """A security server fetches the WSDL; people and programs read pages and states."""
    for path, query, status in (
        ("/v1/recipient", "wsdl=xroad", 200),
        ("/", "", 200),
        ("/healthz", "", 200),
        ("/nothing", "", 404),
        ("/v1/recipient", "", 405),
    ):
        assert _get(path, query, **IN_XROAD).status == status


REQUEST_IDS = {
    "an operation that is not": enveloped(GET_STATUS.replace("GetStatus", "GetNothing")),
    "a schema that is broken": enveloped(GET_STATUS.replace("</r:GetS", "<r:more/></r:GetS")),
    "a comment": enveloped(f"<!-- -->{GET_STATUS}"),
    "a processing instruction": enveloped(f"<?a b?>{GET_STATUS}"),
    "two children": enveloped(f"{GET_STATUS}{GET_STATUS}"),
    "XML that breaks off": enveloped(GET_STATUS)[:-20],
    "a document type": b"<!DOCTYPE a>" + enveloped(GET_STATUS),
    "a default namespace": enveloped(
        GET_STATUS.replace("r:", "").replace("xmlns:r", "xmlns") + "<a/>"
    ),
    "a section of characters": enveloped(
        GET_STATUS.replace("requestId>7", "requestId> <![CDATA[ 7").replace(
            "</r:requestId>", " ]]> </r:requestId>"
        )
        + "<a/>"
    ),
    "spaces and an attribute": enveloped(
        GET_STATUS.replace("<r:requestId>", "<r:requestId\n xml:lang='en'>\n ") + "<a/>"
    ),
}


@pytest.mark.parametrize("raw", REQUEST_IDS.values(), ids=REQUEST_IDS)
def test_a_fault_has_the_id_of_its_request(raw: bytes) -> None:
    """The fault has the id if it can be read, for any sender and any other error."""
    response = send(build(), raw)

    assert_typed_fault(response)
    assert response.text(".//t:Fault/t:requestId") == str(REQUEST_ID)


@pytest.mark.parametrize(
    "content", ["x", "20101199000123", f"{REQUEST_ID}1", f"<a>{REQUEST_ID}</a>"]
)
def test_an_invalid_id_is_not_repeated(content: str) -> None:
    """A fault repeats no value of the request except a UUID in its own element."""
    response = send(build(), enveloped(GET_STATUS.replace(str(REQUEST_ID), content)))

    assert_typed_fault(response)
    assert response.text(".//t:Fault/t:requestId") is None
    assert content.encode() not in response.body.replace(b"xmlns", b"") or content == "x"


def test_an_id_is_found_in_linear_time() -> None:
    """CWE-1333: a message of elements that almost match is refused at once."""
    raw = b"<a>" + b"<r:requestId " * 150_000
    began = time.process_time()
    response = send(build(), raw)

    assert_typed_fault(response)
    assert time.process_time() - began < 20
