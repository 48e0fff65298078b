"""The first to touch a request: raw bytes in, and one complete XML answer out, whatever came.

Judged here, before anything is parsed: address, method, media type, charset, encodings, size,
document type declarations. Whatever goes wrong, here or behind, becomes a SOAP fault: never HTML,
never a broken connection, never a value of the request sent back.
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
"""Bytes. A scan at its limit (10 MiB, 13.4 in base64), an authority's document (1 MiB, 1.4) and a
signed consent (256 KiB, 0.35) leave room to spare. Only RegisterConsent may be as large; for what
holds of all others see `envelope.MAX_ORDINARY`."""

MAX_DRAINED: Final = 20 * 1024 * 1024
"""Bytes of a message too large that are read and thrown away, so that its sender, still writing,
hears the answer rather than a reset. Beyond this, they do not."""

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
    """A WSGI application (PEP 3333) in front of everything."""

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
        """`answer` gets messages that passed; `refused` is told of each that did not.

        `fault_status` is the HTTP status of every fault, where the channel knows one alone.
        """
        self._answer = answer
        self._fault_status = fault_status
        self._path = path
        self._contract = contract
        self._ready = ready
        self._refused = refused
        self._max_message = max_message

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. A HEAD is a GET whose body stays here (RFC 9110, 9.3.2)."""
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
                return self._got(environ)
            self._check_address(environ)
            raw = b""  # whatever comes of it, the body is not read again
            raw = _read(environ, self._max_message)
            _check_encodings(environ)
            return self._answer(version, _checked(raw), Arrival.of(environ))
        except Exception as error:  # noqa: BLE001 - nothing may pass: the fault table knows the rest
            fault = faults.logged(error, during="guard")
            fault = faults.with_request_id(
                fault, lambda: _read_unsafe(environ) if raw is None else raw
            )
            reply = faults.reply(fault, version, status=self._fault_status)
            self._refused(reply, fault)
            return reply

    def _check_address(self, environ: WSGIEnvironment) -> None:
        """A message is posted to the port; raises `HttpError` for any other address or method."""
        path = environ.get("PATH_INFO", "")
        if path in _WATCHED:
            raise _not_allowed("GET")
        if path != self._path:
            raise HttpError(404, Reason(code=Code.REQ_02, field="address"))
        if _method(environ) != "POST":
            raise _not_allowed(PORT_METHODS)

    def _got(self, environ: WSGIEnvironment) -> Reply:
        """The answer to a GET; raises `HttpError` for a file that there is not."""
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
        """For machines that choose where to send requests: which dependency is down, by name."""
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


def _checked(raw: bytes) -> bytes:
    """The same bytes; raises where they are no message in UTF-8 without a document type."""
    if not raw.strip():
        raise HttpError(400, Reason(code=Code.REQ_01, field="Envelope"))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _unsupported("Content-Type") from None
    if b"\0" in raw:
        raise _unsupported("Content-Type")
    # A single byte is found ten times faster, and few messages hold this one at all.
    if b"!" in raw and any(declaration in raw for declaration in _FORBIDDEN):
        reason = Reason(code=Code.REQ_07, field="DOCTYPE")
        raise faults.EnvelopeError(reason, code=faults.FaultCode.SENDER)
    return raw


def _unsupported(header: str) -> HttpError:
    return HttpError(415, Reason(code=Code.REQ_07, field=header))


def _state(status: int, word: str) -> Reply:
    body = f"<state>{word}</state>\n".encode()
    return Reply(status=status, content_type="text/xml; charset=utf-8", chunks=(body,))


def _check_encodings(environ: WSGIEnvironment) -> None:
    """SOAP 1.1 or 1.2 by its media type, in UTF-8 and not compressed (415 else, and for MTOM)."""
    media_type, charset = _media_type(environ.get("CONTENT_TYPE", ""))
    if media_type not in VERSIONS or charset not in ("utf-8", "utf8"):
        raise _unsupported("Content-Type")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise _unsupported("Content-Encoding")


@lru_cache(maxsize=64)
def _media_type(header: str) -> tuple[str, str]:
    """Media type and charset (RFC 9110, section 8.3); UTF-8 where none is named (RFC 7303)."""
    headers = Headers()
    headers["Content-Type"] = header
    if not header:
        return "", ""
    charset = headers.get_param("charset", "utf-8")
    return headers.get_content_type(), charset.lower() if isinstance(charset, str) else ""


def _read(environ: WSGIEnvironment, limit: int) -> bytes:
    """The whole body: by its length, or to its end where it comes in chunks (RFC 9112, 6)."""
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    stated = environ.get("CONTENT_LENGTH") or None
    if chunked and stated is not None:  # two lengths: request smuggling (RFC 9112, section 6.3)
        raise HttpError(400, Reason(code=Code.REQ_07, field="Transfer-Encoding"))
    stream = environ["wsgi.input"]
    if chunked:
        if not environ.get("wsgi.input_terminated"):
            raise HttpError(411, Reason(code=Code.REQ_07, field="Content-Length"))
        return _within(limit, _take(stream, limit + 1), stream)
    length = _length(stated)
    if length > limit:
        _drain(stream, length)
        raise HttpError(413, Reason(code=Code.REQ_07, field="Content-Length"))
    raw = _take(stream, length)
    if len(raw) != length:
        raise HttpError(400, Reason(code=Code.REQ_01, field="Content-Length"))
    return raw


def _length(stated: str | None) -> int:
    if stated is None:
        return 0
    if not stated.isascii() or not stated.isdigit() or len(stated) > _LONGEST_LENGTH:
        raise HttpError(400, Reason(code=Code.REQ_07, field="Content-Length"))
    return int(stated)


def _within(limit: int, raw: bytes, stream: Any) -> bytes:
    if len(raw) > limit:
        _drain(stream, MAX_DRAINED)
        raise HttpError(413, Reason(code=Code.REQ_07, field="Content-Length"))
    return raw


def _take(stream: Any, most: int) -> bytes:
    """Up to `most` bytes. A body that breaks off or is badly chunked is the sender's fault."""
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
    """The body of a message that is refused whatever it holds; empty for a GET."""
    try:
        return b"" if _method(environ) in _GETTING else _read(environ, MAX_ORDINARY)
    except RejectedError:
        return b""
