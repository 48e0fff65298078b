# mypy: allow-untyped-calls
"""The service over real HTTP: a client that knows only the served WSDL, and real servers."""

import http.client
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from requests import Session
from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.transports import Transport

from makul.app.ports import RejectedError
from makul.domain.reasons import Code, Reason
from makul.soap.channels import RequestChannel, XRoadChannel
from makul.soap.wsgi_app import build_application
from makul_testing.soap_client import (
    GET_STATUS,
    MEMBER,
    NOW,
    READY,
    REQUEST_ID,
    FakePort,
    Response,
    TrustingChannel,
    assert_typed_fault,
    enveloped,
    sample,
)

_ANSWERS = {
    "GetStatus": "get-status-response",
    "GetAgreement": "get-agreement-response",
    "VerifyPerson": "verify-person-response",
    "GetPersonData": "get-person-data-response",
}


class _Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = False
    block_on_close = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing on stderr."""


class _Listener:
    """The recipient port on a loopback socket, in threads of this process."""

    def __init__(self, channel: RequestChannel) -> None:
        self.fake = FakePort()
        self._server = make_server(
            "127.0.0.1", 0, lambda *_: [], server_class=_Threading, handler_class=_Quiet
        )
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}/v1/recipient"
        self._server.set_app(
            build_application(
                self.fake.port,
                channel,
                public_url=self.url,
                clock=lambda: NOW,
                ready=lambda: READY,
            )
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def plain() -> Iterator[_Listener]:
    """Serve a listener that authenticates every caller."""
    listener = _Listener(TrustingChannel())
    yield listener
    listener.close()


@pytest.fixture
def xroad() -> Iterator[_Listener]:
    """Serve a listener behind a security server."""
    listener = _Listener(XRoadChannel("KG"))
    yield listener
    listener.close()


def _post(address: str, raw: Any, **headers: str) -> Response:
    connection = http.client.HTTPConnection(address, timeout=60)
    chunked = "Transfer-Encoding" in headers
    try:
        connection.request(
            "POST",
            "/v1/recipient",
            body=raw,
            headers={"Content-Type": "text/xml", **headers},
            encode_chunked=chunked,
        )
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.headers.items()), answer.read())
    finally:
        connection.close()


class _Zeep:
    """The reference stack in its strict mode, with a session that is closed."""

    def __init__(self, wsdl: str) -> None:
        self._session = Session()
        self._session.trust_env = False
        settings = Settings(strict=True)
        self.client = Client(wsdl, transport=Transport(session=self._session), settings=settings)

    def __enter__(self) -> Any:
        return self.client

    def __exit__(self, *_: object) -> None:
        self._session.close()


@pytest.mark.parametrize("variant", ["wsdl", "wsdl=soap12"])
@pytest.mark.parametrize("operation", ["GetStatus", "GetAgreement"])
def test_zeep_calls_by_the_served_wsdl(plain: _Listener, variant: str, operation: str) -> None:
    """A client loads the served WSDL, calls, and reads a typed answer, in SOAP 1.1 and 1.2."""
    plain.fake.answer = sample(_ANSWERS[operation]).encode()
    arguments = {"agreementNumber": "A-1"} if operation == "GetAgreement" else {}
    with _Zeep(f"{plain.url}?{variant}") as client:
        answer = client.service[operation](requestId=str(uuid4()), **arguments)

    assert answer.requestId
    assert len(plain.fake.requests) == 1


@pytest.mark.parametrize("variant", ["wsdl", "wsdl=soap12"])
@pytest.mark.parametrize("operation", ["VerifyPerson", "GetPersonData"])
def test_zeep_requests_a_person(plain: _Listener, variant: str, operation: str) -> None:
    """The request is whole, with its document, as a generated client builds it."""
    plain.fake.answer = sample(_ANSWERS[operation]).encode()
    arguments: dict[str, Any] = {
        "requestId": str(uuid4()),
        "agreementNumber": "A-1",
        "purpose": "ACCOUNT_OPENING",
        "probe": {"demographic": {"pin": "23101199000001", "documentNumber": "ID1234567"}},
        "ground": {"consentDocument": b"<consent/>"},
    }
    if operation == "GetPersonData":
        arguments["requestedAttributes"] = {"attribute": ["surname", "faceImage"]}
    with _Zeep(f"{plain.url}?{variant}") as client:
        answer = client.service[operation](**arguments)

    ((request, _),) = plain.fake.requests
    assert request.ground.document == b"<consent/>"
    assert request.probe.pin.digits == "23101199000001"
    assert answer.outcome
    assert answer.receipt


@pytest.mark.parametrize("variant", ["wsdl", "wsdl=soap12"])
def test_zeep_reads_a_typed_fault(plain: _Listener, variant: str) -> None:
    """The detail of every fault is typed."""
    plain.fake.raises = RejectedError(Reason(code=Code.RCP_01), request_id=REQUEST_ID)
    with _Zeep(f"{plain.url}?{variant}") as client, pytest.raises(Fault) as raised:
        client.service.GetStatus(requestId=str(REQUEST_ID))

    assert raised.value.message.startswith("RCP-01: ")
    assert raised.value.detail.findtext(".//{*}code") == "RCP-01"


def test_zeep_calls_as_an_xroad_client(xroad: _Listener) -> None:
    """The X-Road WSDL can be loaded, and its headers are returned."""
    xroad.fake.answer = sample("get-status-response").encode()
    parts = {"xRoadInstance": "KG", "memberClass": "COM", "memberCode": MEMBER.partition("/")[2]}
    with _Zeep(f"{xroad.url}?wsdl=xroad") as client:
        answer = client.service.GetStatus(
            requestId=str(REQUEST_ID),
            _soapheaders={
                "client": {**parts, "objectType": "MEMBER"},
                "service": {**parts, "serviceCode": "GetStatus", "objectType": "SERVICE"},
                "id": str(REQUEST_ID),
                "protocolVersion": "4.0",
                "userId": "KG1010",
                "issue": "case/7",
            },
        )

    ((_, caller),) = xroad.fake.requests
    assert caller.recipient == MEMBER
    assert caller.employee == "KG1010"
    assert answer.header.id == str(REQUEST_ID)
    assert answer.header.userId == "KG1010"
    assert answer.body.environment


def test_oversize_is_answered_and_not_cut_off(plain: _Listener) -> None:
    """REQ-07 at 413 reaches a sender that is still writing; the next message is served."""
    response = _post(plain.address, b"<a>" + b"x" * 9_000_000)

    assert_typed_fault(response)
    assert (response.status, response.codes) == (413, ["REQ-07"])
    assert _post(plain.address, enveloped(GET_STATUS)).status == 200


def test_concurrent_messages_do_not_mix(plain: _Listener) -> None:
    """No part of one request, or of its fault, appears in another."""
    wrong = {
        "requestId": enveloped(GET_STATUS.replace(str(REQUEST_ID), "no")),
        "employee": enveloped(GET_STATUS.replace("</r:GetStatus>", "<r:employee/></r:GetStatus>")),
    }
    seen: list[tuple[str, list[str]]] = []

    def ask(field: str) -> None:
        seen.extend((field, _post(plain.address, wrong[field]).fields) for _ in range(15))

    threads = [threading.Thread(target=ask, args=(field,)) for field in (*wrong, *wrong)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 60
    assert all(fields == [field] for field, fields in seen)


_GUNICORN_APP = """
from makul_testing.soap_client import build
application = build(max_message=100_000)
"""


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run gunicorn with threads, as in production, on a loopback socket."""
    folder = tmp_path_factory.mktemp("gunicorn")
    (folder / "served.py").write_text(_GUNICORN_APP, encoding="utf-8")
    tests = Path(__file__).parents[1]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        command = shlex.split("-m gunicorn -k gthread --threads 2 -w 1 --log-level error --bind")
        server = subprocess.Popen(
            [sys.executable, *command, f"fd://{listening.fileno()}", "served:application"],
            env={**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{folder}"},
            cwd=folder,
            pass_fds=(listening.fileno(),),
        )
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        try:
            _wait_for(address)
            yield address
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if _post(address, enveloped(GET_STATUS)).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


def _chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b"x" * 1000


def test_gunicorn_accepts_a_chunked_message(gunicorn: str) -> None:
    """RFC 9112, section 7.1: the production server accepts a message in chunks."""
    response = _post(gunicorn, iter([enveloped(GET_STATUS)]), **{"Transfer-Encoding": "chunked"})

    assert response.status == 200


def test_gunicorn_refuses_a_large_chunked_message(gunicorn: str) -> None:
    """A body without a stated length has the same limit, and its sender gets the fault."""
    response = _post(gunicorn, _chunks(3_000_000), **{"Transfer-Encoding": "chunked"})

    assert_typed_fault(response)
    assert (response.status, response.codes) == (413, ["REQ-07"])


def test_gunicorn_refuses_a_large_message(gunicorn: str) -> None:
    """The stated length is beyond the limit, and the sender is still writing."""
    response = _post(gunicorn, b"x" * 3_000_000)

    assert_typed_fault(response)
    assert (response.status, response.codes) == (413, ["REQ-07"])


def test_gunicorn_refuses_a_broken_chunk(gunicorn: str) -> None:
    """A chunk whose length is no number gets an answer in XML."""
    host, _, port = gunicorn.partition(":")
    request = (
        b"POST /v1/recipient HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nwhat\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        answer = connection.recv(65536)

    assert re.match(rb"HTTP/1.1 400 ", answer)
    assert b"REQ-01" in answer or b"Transfer-Encoding" not in answer
    assert b"<html" not in answer.lower()
