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

from makul.app.ports.health import Readiness
from makul.domain.reasons import Code, Reason
from makul.soap import faults
from makul.soap.arrivals import Arrival
from makul.soap.contract import ServedContract
from makul.soap.faults import HttpError
from makul.soap.messages import SOAP_11, VERSIONS, Reply, SoapVersion

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes. A scan at its limit (10 MiB, 13.4 in base64), an authority's document (1 MiB, 1.4) and a
signed consent (256 KiB, 0.35) leave room to spare. Only RegisterConsent may be as large; for what
holds of all others see `envelope.MAX_ORDINARY`."""

MAX_DRAINED: Final = 20 * 1024 * 1024
"""Bytes of a message too large that are read and thrown away, so that its sender, still writing,
hears the answer rather than a reset. Beyond this, they do not."""

_BLOCK: Final = 64 * 1024
_LONGEST_LENGTH: Final = 18  # digits; an exabyte
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
    ) -> None:
        """`answer` gets messages that passed; `refused` is told of each that did not."""
        self._answer = answer
        self._path = path
        self._contract = contract
        self._ready = ready
        self._refused = refused
        self._max_message = max_message

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
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
        return reply.chunks

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        version = SOAP_11
        try:
            got = self._got(environ)
            if got is not None:
                return got
            version = _version(environ)
            return self._answer(version, self._message(environ), Arrival.of(environ))
        except Exception as error:  # noqa: BLE001 - nothing may pass: the fault table knows the rest
            fault = faults.logged(error, during="guard")
            reply = faults.reply(fault, version)
            self._refused(reply, fault)
            return reply

    def _got(self, environ: WSGIEnvironment) -> Reply | None:
        """The answer to a GET; None for a POST to this port. Raises `HttpError` for the rest."""
        path = environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING", "")
        served = {"/healthz": self._healthy, "/readyz": self._readiness}.get(path)
        if path != self._path and served is None:
            raise HttpError(404, Reason(code=Code.REQ_02))
        method = environ.get("REQUEST_METHOD", "")
        if method == "GET" and served is not None:
            return served()
        if method == "GET" and query:
            return self._file(query)
        if method != "POST" or served is not None:
            allowed = "POST" if served is None else "GET"
            raise HttpError(405, Reason(code=Code.REQ_01), headers=(("Allow", allowed),))
        return None

    def _file(self, query: str) -> Reply:
        document = self._contract.find(query)
        if document is None:
            raise HttpError(404, Reason(code=Code.REQ_02))
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

    def _message(self, environ: WSGIEnvironment) -> bytes:
        raw = _read(environ, self._max_message)
        if not raw.strip():
            raise HttpError(400, Reason(code=Code.REQ_01, field="Envelope"))
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            raise HttpError(415, Reason(code=Code.REQ_07)) from None
        if b"\0" in raw:
            raise HttpError(415, Reason(code=Code.REQ_07))
        # A single byte is found ten times faster, and few messages hold this one at all.
        if b"!" in raw and any(declaration in raw for declaration in _FORBIDDEN):
            raise faults.EnvelopeError(Reason(code=Code.REQ_07), code=faults.FaultCode.SENDER)
        return raw


def _state(status: int, word: str) -> Reply:
    body = f"<state>{word}</state>\n".encode()
    return Reply(status=status, content_type="text/xml; charset=utf-8", chunks=(body,))


def _version(environ: WSGIEnvironment) -> SoapVersion:
    """Which SOAP this is, by its media type alone (415 for any other, and for MTOM)."""
    media_type, charset = _media_type(environ.get("CONTENT_TYPE", ""))
    version = VERSIONS.get(media_type)
    if version is None or charset not in ("utf-8", "utf8"):
        raise HttpError(415, Reason(code=Code.REQ_07))
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise HttpError(415, Reason(code=Code.REQ_07))
    return version


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
        raise HttpError(400, Reason(code=Code.REQ_07))
    stream = environ["wsgi.input"]
    if chunked:
        if not environ.get("wsgi.input_terminated"):
            raise HttpError(411, Reason(code=Code.REQ_07))
        return _within(limit, _take(stream, limit + 1), stream)
    length = _length(stated)
    if length > limit:
        _drain(stream, length)
        raise HttpError(413, Reason(code=Code.REQ_07))
    raw = _take(stream, length)
    if len(raw) != length:
        raise HttpError(400, Reason(code=Code.REQ_01))
    return raw


def _length(stated: str | None) -> int:
    if stated is None:
        return 0
    if not stated.isascii() or not stated.isdigit() or len(stated) > _LONGEST_LENGTH:
        raise HttpError(400, Reason(code=Code.REQ_07))
    return int(stated)


def _within(limit: int, raw: bytes, stream: Any) -> bytes:
    if len(raw) > limit:
        _drain(stream, MAX_DRAINED)
        raise HttpError(413, Reason(code=Code.REQ_07))
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
