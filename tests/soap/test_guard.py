"""The guard: what HTTP lets in, and what stands at which address."""

import io
import json
from typing import Any

import pytest

from makul.app.ports.health import Readiness, State
from makul.soap.messages import SOAP_11, SOAP_12
from support.soap import (
    GET_STATUS,
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
def test_the_media_type_tells_the_soap_version(content_type: str) -> None:
    """Contract, ports: SOAP version by content type at every URL; SOAPAction is not needed."""
    version = SOAP_12 if "soap+xml" in content_type.lower() else SOAP_11
    response = send(
        build(), enveloped(GET_STATUS, version), content_type=content_type, HTTP_SOAPACTION='"x"'
    )

    assert response.status == 200
    assert response.headers["Content-Type"] == version.content_type
    assert response.root.tag == version.qualified("Envelope")


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", ""]
)
def test_other_methods_are_405(method: str) -> None:
    """RFC 9110, section 15.5.6: 405 says what is allowed."""
    response = send(build(), enveloped(GET_STATUS), REQUEST_METHOD=method)

    assert_typed_fault(response)
    assert (response.status, response.headers["Allow"]) == (405, "POST")


def test_get_without_a_question_is_405() -> None:
    """The port itself is POST alone."""
    assert _get("/v1/recipient").status == 405


@pytest.mark.parametrize("path", ["/", "/v2/recipient", "/v1/recipient/", "/v1", "", "/healthz/x"])
def test_other_addresses_are_404(path: str) -> None:
    """There is one address; another version of it would be REQ-02."""
    response = send(build(), enveloped(GET_STATUS), PATH_INFO=path)

    assert_typed_fault(response)
    assert (response.status, response.codes) == (404, ["REQ-02"])


def test_health_and_readiness() -> None:
    """Alive while the process answers; ready while its dependencies do."""
    assert _get("/healthz", ready=lambda: _standing(State.DOWN)).status == 200
    assert _get("/readyz").status == 200
    assert _get("/readyz", ready=lambda: _standing(State.DEGRADED)).status == 200
    assert _get("/readyz", ready=lambda: _standing(State.DOWN)).status == 503
    assert send(build(), b"", PATH_INFO="/healthz").headers["Allow"] == "GET"


def test_readiness_names_what_is_down() -> None:
    """For whoever mends it: the dependency by its name, and nothing of where it lies."""
    response = _get("/readyz", ready=lambda: _standing(State.DOWN))

    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.body) == {
        "state": "down",
        "checks": {"store": "ok", "signer": "down", "trust": "degraded"},
    }


def _standing(worst: State) -> Readiness:
    return Readiness({"store": State.OK, "signer": worst, "trust": State.DEGRADED})


def test_a_readiness_check_that_breaks_is_a_fault() -> None:
    """Nothing passes the guard, not even our own mistakes."""

    def broken() -> Readiness:
        raise OSError("down")

    response = _get("/readyz", ready=broken)
    assert_typed_fault(response)
    assert response.codes == ["OPS-99"]


def test_chunked_message() -> None:
    """RFC 9112, section 7.1: a body in chunks has no stated length, and is read to its end."""
    assert send(build(), enveloped(GET_STATUS), **_CHUNKED).status == 200


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 413)])
def test_the_limit_is_exact(spare: int, status: int) -> None:
    """REQ-07: a message as long as the limit is taken, one byte more is not; chunked or not."""
    raw = enveloped(GET_STATUS)
    application = build(max_message=len(raw) + spare)

    assert send(application, raw).status == status
    assert send(application, raw, **_CHUNKED).status == status


class _Breaking(io.RawIOBase):
    """A connection that is reset while it is read."""

    def read(self, size: int = -1) -> bytes:
        raise OSError("reset by peer")


def test_a_connection_that_breaks_is_answered() -> None:
    """Whatever the server raises for a broken or badly chunked body is the sender's fault."""
    broken: dict[str, Any] = {"wsgi.input": _Breaking()}
    response = send(build(), b"x", **broken)

    assert_typed_fault(response)
    assert response.status == 400


def test_a_byte_order_mark_is_no_obstacle() -> None:
    """UTF-8 with a byte order mark is UTF-8 (XML 1.0, section 4.3.3)."""
    assert send(build(), b"\xef\xbb\xbf" + enveloped(GET_STATUS)).status == 200
    declared = b'<?xml version="1.0" encoding="utf-8"?>' + enveloped(GET_STATUS)
    assert send(build(), declared).status == 200


def test_answers_are_not_kept_by_caches() -> None:
    """Invariant 7: no personal data where nobody looks after them."""
    response = send(build(), enveloped(GET_STATUS))

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_headers_meant_for_others_may_stay_unknown() -> None:
    """SOAP 1.1, section 4.2.2: a block for another actor is not ours to understand."""
    header = '<x s:mustUnderstand="1" s:actor="urn:somebody:else"/><y s:mustUnderstand="0"/><z/>'
    fake = FakePort()

    assert send(build(fake), enveloped(GET_STATUS, header=header)).status == 200


@pytest.mark.parametrize("role", ["next", "ultimateReceiver"], ids=["next", "ultimate"])
def test_headers_for_our_role_must_be_understood(role: str) -> None:
    """SOAP 1.2 part 1, section 2.2: next and ultimateReceiver mean us."""
    header = (
        f'<x s:mustUnderstand="true" s:role="http://www.w3.org/2003/05/soap-envelope/role/{role}"/>'
    )
    response = send(
        build(), enveloped(GET_STATUS, SOAP_12, header), content_type=SOAP_12.content_type
    )
    assert response.fault_code == "MustUnderstand"
