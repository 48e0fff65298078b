"""WSGI middleware that creates a request context and reports the request after its answer.

It writes one access log line for each request, its metrics, and its security events. If a request
cannot be reported, it is answered nevertheless: a disclosure depends on the record, not on the log.
"""

import logging
import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Final
from uuid import UUID
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from makul.observability import request_context
from makul.observability.metrics import Metrics
from makul.observability.request_context import RequestContext
from makul.observability.security_log import emit_request_events
from makul.soap.wsgi_app import AnswerSummary

CORRELATION_HEADER: Final = "X-Request-Id"
"""The header on every answer. A value that a client sends is ignored."""

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Paths that machines query every few seconds. They are logged only if the answer is not 200."""

_PIN_WITHIN: Final = re.compile(
    r"(?=[012](0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{9})", re.ASCII
)
"""Fourteen digits that could be a PIN, at any position; see `domain.identifiers.Pin`."""

access = logging.getLogger("makul.access")
log = logging.getLogger(__name__)


class RequestObserverMiddleware:
    """A WSGI application (PEP 3333) around the guard of one listener."""

    def __init__(
        self, application: WSGIApplication, *, listener: str, metrics: Metrics | None = None
    ) -> None:
        self._application = application
        self._listener = listener
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, and report it."""
        began = perf_counter()
        context = RequestContext(listener=self._listener)
        request_context.activate(context)
        self._report_safely(self._count_begun)
        try:
            chunks = tuple(self._application(environ, _note_response(context, start_response)))
            context.sent = sum(len(chunk) for chunk in chunks)
            return chunks
        finally:
            context.took = perf_counter() - began
            is_logged = context.status != 200 or environ.get("PATH_INFO") not in PROBES
            self._report_safely(lambda: self._report_end(context, is_logged=is_logged))
            request_context.clear()

    def _count_begun(self) -> None:
        if self._metrics is not None:
            self._metrics.count_begun()

    def _report_end(self, context: RequestContext, *, is_logged: bool) -> None:
        if self._metrics is not None:
            self._metrics.count_ended(context)
        if is_logged:
            access.info("request", extra={"fields": log_line_fields(context)})
            emit_request_events(context)

    def _report_safely(self, report: Callable[[], None]) -> None:
        # The decision is already committed, and an error here would replace its answer. The error
        # may have any type, because metric files, log handlers and the contents of a request
        # context meet here.
        try:
            report()
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("a request could not be reported: %s", type(error).__name__)


def observe(answered: AnswerSummary) -> None:
    """Note what the SOAP adapter reports of the request that this thread answers."""
    context = request_context.current()
    if context is None:
        return
    context.operation = answered.operation
    context.request_id = answered.request_id
    context.caller = answered.caller
    context.faults = answered.faults
    context.received = answered.received


def log_line_fields(context: RequestContext) -> dict[str, Any]:
    """Return the fields of a request's log line, which are a closed list."""
    stages = {stage.value: _milliseconds(seconds) for stage, seconds in context.seconds.items()}
    return {
        "correlation": context.correlation,
        "listener": context.listener,
        "request_id": redact_request_id(context.request_id),
        "operation": context.operation,
        "outcome": context.outcome,
        "codes": context.codes,
        "status": context.status,
        "bytes_in": context.received,
        "bytes_out": context.sent,
        "ms": {"whole": _milliseconds(context.took), **stages},
    }


def redact_request_id(request_id: UUID | None) -> str | None:
    """Return a recipient's request id, or None if it could contain a PIN in the form of a UUID.

    One random id in some thousands looks like a PIN and is omitted too. Its line is found by
    `correlation`.
    """
    if request_id is None or _PIN_WITHIN.search(request_id.hex):
        return None
    return str(request_id)


def _note_response(context: RequestContext, start_response: StartResponse) -> StartResponse:
    def started(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        context.status = int(status[:3])
        return start_response(status, [*headers, (CORRELATION_HEADER, context.correlation)], *error)

    return started


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
