"""The log line of a request is a closed list of fields, without any text of a caller."""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest

from makul.observability import request_context as accounts
from makul.observability.middleware import (
    RequestObserverMiddleware,
    log_line_fields,
    observe,
    redact_request_id,
)
from makul.observability.request_context import RequestContext, Stage
from makul.soap.wsgi_app import AnswerSummary
from makul_testing.soap_client import (
    GET_STATUS,
    REQUEST_ID,
    FakePort,
    TrustingChannel,
    enveloped,
    send,
)
from makul_testing.soap_client import build as build_port

PIN = "20101199000123"


def get_path(application: Any, path: str = "/v1/recipient", **environ: Any) -> dict[str, Any]:
    """GET a path; return status and headers."""
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        answer.update(status=status, headers=dict(headers))

    request = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": ""} | environ
    answer["body"] = b"".join(application(request, start))
    return answer


def test_each_request_has_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """More is found in the record, by the request id."""
    application = RequestObserverMiddleware(build_port(observe=observe), listener="wsse")
    with caplog.at_level(logging.INFO, "makul.access"):
        answer = send(application, enveloped(GET_STATUS))
    (record,) = caplog.records

    fields: dict[str, Any] = record.fields  # type: ignore[attr-defined]
    assert fields.pop("ms").keys() == {"whole"}
    assert fields.pop("correlation") == answer.headers["X-Request-Id"]
    assert fields == {
        "listener": "wsse",
        "request_id": str(REQUEST_ID),
        "operation": "GetStatus",
        "outcome": "ANSWERED",
        "codes": (),
        "status": 200,
        "bytes_in": len(enveloped(GET_STATUS)),
        "bytes_out": len(answer.body),
    }


def test_every_answer_has_our_id(caplog: pytest.LogCaptureFixture) -> None:
    """The client's own id is not used, because a caller could write into the log by it."""
    application = RequestObserverMiddleware(build_port(observe=observe), listener="wsse")
    with caplog.at_level(logging.INFO, "makul"):
        first, second = (
            get_path(application, "/nowhere", HTTP_X_REQUEST_ID=PIN)["headers"]["X-Request-Id"]
            for _ in range(2)
        )

    assert first != second
    assert len(bytes.fromhex(first)) == accounts.CORRELATION_BYTES
    assert PIN not in caplog.text
    assert all(PIN not in str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(("path", "lines"), [("/healthz", 0), ("/readyz", 0), ("/" + PIN, 1)])
def test_health_checks_are_logged_only_if_they_fail(
    path: str, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    """They come every second and would hide other lines; no path is ever logged."""
    application = RequestObserverMiddleware(build_port(observe=observe), listener="wsse")
    with caplog.at_level(logging.INFO, "makul.access"):
        get_path(application, path)

    assert len(caplog.records) == lines
    assert all(PIN not in str(vars(record)) for record in caplog.records)


class Broken:
    """A metrics writer that fails."""

    def count_begun(self) -> None:
        raise OSError(PIN)

    def count_ended(self, account: RequestContext) -> None:
        raise OSError(PIN)


def test_an_unloggable_request_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """The record is the basis of a disclosure; the log says that it is incomplete."""
    application = RequestObserverMiddleware(
        build_port(observe=observe), listener="w", metrics=Broken()
    )  # type: ignore[arg-type]

    assert send(application, enveloped(GET_STATUS)).status == 200
    assert "a request could not be reported: OSError" in caplog.text
    assert PIN not in caplog.text


def test_a_context_ends_with_its_request() -> None:
    """A thread's next request begins with a new context, and outside of one there is none."""
    seen: list[RequestContext | None] = []

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(accounts.current())
        start_response("200 OK", [])
        return [b""]

    around = RequestObserverMiddleware(application, listener="wsse")
    get_path(around)
    get_path(around)

    assert None not in seen
    assert seen[0] is not seen[1]
    assert accounts.current() is None
    observe(AnswerSummary(operation=None, status=200))  # outside of a request: nothing happens


def test_a_context_ends_with_an_error() -> None:
    """The next use of the thread is another request, after any error."""

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise MemoryError

    with pytest.raises(MemoryError):
        get_path(RequestObserverMiddleware(application, listener="wsse"))
    assert accounts.current() is None


def test_a_request_id_in_the_form_of_a_pin_is_not_logged() -> None:
    """Recipients choose their ids, so a citizen's number in one stays out of the log."""
    assert redact_request_id(REQUEST_ID) == str(REQUEST_ID)
    assert redact_request_id(None) is None
    for start in range(32 - len(PIN) + 1):
        disguised = UUID("f" * start + PIN + "f" * (32 - start - len(PIN)))
        assert redact_request_id(disguised) is None
    assert sum(redact_request_id(uuid4()) is None for _ in range(2000)) < 20


def test_time_is_logged_by_stage() -> None:
    """The line has milliseconds for each stage of the request."""
    account = RequestContext(listener="wsse", took=0.0123)
    account.add(Stage.MESSAGE, 0.001)
    account.add(Stage.MESSAGE, 0.001)

    assert log_line_fields(account)["ms"] == {"whole": 12.3, "message": 2.0}


def test_a_fault_is_logged_by_its_codes(caplog: pytest.LogCaptureFixture) -> None:
    """The line has a status and a code, and not a byte of the message."""
    application = RequestObserverMiddleware(
        build_port(FakePort(), TrustingChannel(), observe=observe), listener="wsse"
    )
    with caplog.at_level(logging.INFO, "makul.access"):
        send(application, f"<!DOCTYPE a [<!ENTITY b '{PIN}'>]><a>&b;</a>".encode())

    (line,) = [record for record in caplog.records if record.name == "makul.access"]
    fields = line.fields  # type: ignore[attr-defined]
    assert (fields["outcome"], fields["codes"], fields["operation"]) == ("FAULT", ("REQ-07",), None)
    assert PIN not in str(fields)
