"""The HTTP guard, which turns raw bytes of any request into one complete XML answer.

It checks address, method, media type, charset, encodings, size and document type declarations
before anything is parsed. Every error, here or in later stages, becomes a SOAP fault. The answer is
never HTML, never a broken connection, and never repeats a value of the request.
"""

import json
from collections.abc import Callable, Iterable
from email.message import Message as Headers
from functools import lru_cache
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from makul.app.ports import RejectedError
from makul.app.ports.health import Readiness
from makul.domain.reasons import Code, Reason
from makul.soap import faults, pages
from makul.soap.contract import ServedContract
from makul.soap.envelope import MAX_ORDINARY
from makul.soap.faults import HttpError
from makul.soap.pages import PORT_METHODS
from makul.soap.transport_metadata import Arrival
from makul.soap.versions import SOAP_11, VERSIONS, Reply, SoapVersion

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Maximum size of a message in bytes.

It exceeds the sum of the largest parts. These are a scan (10 MiB, 13.4 in base64), an authority's
document (1 MiB, 1.4) and a signed consent (256 KiB, 0.35). Only RegisterConsent may be this large.
`envelope.MAX_ORDINARY` limits all other messages.
"""

MAX_DRAINED: Final = 20 * 1024 * 1024
"""Bytes of an oversized message that are read and discarded.

The sender, which is still writing, then receives the answer rather than a reset. Beyond this limit
it receives a reset.
"""

_BLOCK: Final = 64 * 1024
_LONGEST_LENGTH: Final = 18  # digits; an exabyte
_GETTING: Final = ("GET", "HEAD")
_WATCHED: Final = ("/healthz", "/readyz")
_FORBIDDEN: Final = (b"<!DOCTYPE", b"<!ENTITY")
_SECURITY_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)

Answer = Callable[[SoapVersion, bytes, Arrival], Reply]


class Guard:
    """A WSGI application (PEP 3333) in front of all others."""

    def __init__(
        self,
        answer: Answer,
        *,
        path: str,
        contract: ServedContract,
        ready: Callable[[], Readiness],
        refused: Callable[[Reply, faults.FaultReport], None],
        max_message: int = MAX_MESSAGE,
        fault_status: int | None = None,
    ) -> None:
        """`answer` receives accepted messages. `refused` receives each reply to a refused one.

        `fault_status` is the HTTP status of every fault, if the channel knows only one.
        """
        self._answer = answer
        self._fault_status = fault_status
        self._path = path
        self._contract = contract
        self._ready = ready
        self._refused = refused
        self._max_message = max_message

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. A HEAD is a GET without the body of its answer (RFC 9110, 9.3.2)."""
        reply = self._reply(environ)
        length = sum(len(chunk) for chunk in reply.chunks)
        start_response(
            reply.status_line,
            [
                ("Content-Type", reply.content_type),
                ("Content-Length", str(length)),
                *_SECURITY_HEADERS,
                *reply.headers,
            ],
        )
        return () if _method(environ) == "HEAD" else reply.chunks

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        version = SOAP_11
        raw: bytes | None = None
        try:
            version = VERSIONS.get(_media_type(environ.get("CONTENT_TYPE", ""))[0], SOAP_11)
            if _method(environ) in _GETTING:
                return self._answer_get(environ)
            self._check_address(environ)
            raw = b""  # after an error the body must not be read again
            raw = _read(environ, self._max_message)
            _check_encodings(environ)
            return self._answer(version, _require_utf8(raw), Arrival.of(environ))
        except Exception as error:  # noqa: BLE001 - nothing may pass: the fault table knows the rest
            fault = faults.log_fault(error, during="guard")
            fault = faults.with_request_id(
                fault, lambda: _read_unsafe(environ) if raw is None else raw
            )
            reply = faults.reply(fault, version, status=self._fault_status)
            self._refused(reply, fault)
            return reply

    def _check_address(self, environ: WSGIEnvironment) -> None:
        """Check that a message is posted to the port.

        Raises `HttpError` for any other address or method.
        """
        path = environ.get("PATH_INFO", "")
        if path in _WATCHED:
            raise _not_allowed("GET")
        if path != self._path:
            raise HttpError(404, Reason(code=Code.REQ_02, field="address"))
        if _method(environ) != "POST":
            raise _not_allowed(PORT_METHODS)

    def _answer_get(self, environ: WSGIEnvironment) -> Reply:
        """Answer a GET. Raises `HttpError` for an unknown file."""
        path = environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING", "")
        served = {
            "/": self._home,
            "/healthz": self._healthy,
            "/readyz": self._readiness,
        }.get(path)
        if served is not None:
            return served()
        if path != self._path:
            return pages.nowhere()
        return self._file(query) if query else pages.only_posted()

    def _home(self) -> Reply:
        return pages.home(self._path, ready=self._ready().ready)

    def _file(self, query: str) -> Reply:
        document = self._contract.find(query)
        if document is None:
            raise HttpError(404, Reason(code=Code.REQ_02, field="address"))
        return Reply(status=200, content_type="text/xml; charset=utf-8", chunks=(document,))

    def _healthy(self) -> Reply:
        return _state(200, "alive")

    def _readiness(self) -> Reply:
        """Report readiness to load balancers, with the name of the dependency that is down."""
        found = self._ready()
        body = {"state": found.state.value, "checks": dict(found.checks)}
        return Reply(
            status=200 if found.ready else 503,
            content_type="application/json",
            chunks=(json.dumps(body).encode() + b"\n",),
        )


def _method(environ: WSGIEnvironment) -> str:
    method: str = environ.get("REQUEST_METHOD", "")
    return method


def _not_allowed(methods: str) -> HttpError:
    return HttpError(405, Reason(code=Code.REQ_01, field="method"), headers=(("Allow", methods),))


def _require_utf8(raw: bytes) -> bytes:
    """Return the bytes unchanged. Raises an error unless they are UTF-8 without a DOCTYPE."""
    if not raw.strip():
        raise HttpError(400, Reason(code=Code.REQ_01, field="Envelope"))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _unsupported_media_type("Content-Type") from None
    if b"\0" in raw:
        raise _unsupported_media_type("Content-Type")
    # The search for a single byte is ten times faster, and few messages contain this byte.
    if b"!" in raw and any(declaration in raw for declaration in _FORBIDDEN):
        reason = Reason(code=Code.REQ_07, field="DOCTYPE")
        raise faults.EnvelopeError(reason, code=faults.FaultCode.SENDER)
    return raw


def _unsupported_media_type(header: str) -> HttpError:
    return HttpError(415, Reason(code=Code.REQ_07, field=header))


def _state(status: int, word: str) -> Reply:
    body = f"<state>{word}</state>\n".encode()
    return Reply(status=status, content_type="text/xml; charset=utf-8", chunks=(body,))


def _check_encodings(environ: WSGIEnvironment) -> None:
    """Require the media type of SOAP 1.1 or 1.2, UTF-8, and no compression.

    Otherwise, and for MTOM, the status is 415.
    """
    media_type, charset = _media_type(environ.get("CONTENT_TYPE", ""))
    if media_type not in VERSIONS or charset not in ("utf-8", "utf8"):
        raise _unsupported_media_type("Content-Type")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise _unsupported_media_type("Content-Encoding")


@lru_cache(maxsize=64)
def _media_type(header: str) -> tuple[str, str]:
    """Return media type and charset (RFC 9110, section 8.3); default UTF-8 (RFC 7303)."""
    headers = Headers()
    headers["Content-Type"] = header
    if not header:
        return "", ""
    charset = headers.get_param("charset", "utf-8")
    return headers.get_content_type(), charset.lower() if isinstance(charset, str) else ""


def _read(environ: WSGIEnvironment, limit: int) -> bytes:
    """Read the whole body by its length, or to its end if it is chunked (RFC 9112, 6)."""
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    header = environ.get("CONTENT_LENGTH") or None
    if chunked and header is not None:  # two lengths: request smuggling (RFC 9112, section 6.3)
        raise HttpError(400, Reason(code=Code.REQ_07, field="Transfer-Encoding"))
    stream = environ["wsgi.input"]
    if chunked:
        if not environ.get("wsgi.input_terminated"):
            raise HttpError(411, Reason(code=Code.REQ_07, field="Content-Length"))
        return _require_within(limit, _read_up_to(stream, limit + 1), stream)
    length = _parse_length(header)
    if length > limit:
        _drain(stream, length)
        raise HttpError(413, Reason(code=Code.REQ_07, field="Content-Length"))
    raw = _read_up_to(stream, length)
    if len(raw) != length:
        raise HttpError(400, Reason(code=Code.REQ_01, field="Content-Length"))
    return raw


def _parse_length(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_LENGTH:
        raise HttpError(400, Reason(code=Code.REQ_07, field="Content-Length"))
    return int(text)


def _require_within(limit: int, raw: bytes, stream: Any) -> bytes:
    if len(raw) > limit:
        _drain(stream, MAX_DRAINED)
        raise HttpError(413, Reason(code=Code.REQ_07, field="Content-Length"))
    return raw


def _read_up_to(stream: Any, most: int) -> bytes:
    """Read up to `most` bytes. A truncated or badly chunked body is the sender's error."""
    blocks: list[bytes] = []
    missing = most
    try:
        while missing > 0 and (block := stream.read(min(_BLOCK, missing))):
            blocks.append(block)
            missing -= len(block)
    except Exception:  # noqa: BLE001 - gunicorn's ParseException, OSError; each server's own
        raise HttpError(400, Reason(code=Code.REQ_01)) from None
    return b"".join(blocks)


def _drain(stream: Any, length: int) -> None:
    left = min(length, MAX_DRAINED)
    try:
        while left > 0 and (block := stream.read(min(_BLOCK, left))):
            left -= len(block)
    except Exception:  # noqa: BLE001 - it was to be thrown away
        return


def _read_unsafe(environ: WSGIEnvironment) -> bytes:
    """Return the body of a message that is already refused; empty for a GET."""
    try:
        return b"" if _method(environ) in _GETTING else _read(environ, MAX_ORDINARY)
    except RejectedError:
        return b""
