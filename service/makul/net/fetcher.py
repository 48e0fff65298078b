"""Fetch one object over HTTP(S) from an address that the operator set.

An address from a certificate is never used. Size and time are limited. There are no redirects, and
no proxies or credentials from the environment.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

import requests

from makul.language.translation import translate, translate_cause
from makul.net.causes import system_cause

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 120.0
"""Seconds for one object: the longest CRL on the slowest usable line, 64 MB at 0.5 MB a second."""
MAX_CRL_BYTES = 64 * 1024 * 1024
"""The size of some 1.5 million entries with their reasons; a nation's CRL has 10^5."""
MAX_RESPONSE_BYTES = 64 * 1024
_BLOCK = 64 * 1024
_OK = frozenset({200})
_ACCEPTED = frozenset({200, 201, 202, 204})
_REJECTED = frozenset({400, 409, 413, 415, 422})
"""Statuses that are about the message. 401, 403 and 404 are about the settings of both sides."""

Fetch: TypeAlias = Callable[[str, bytes | None, int], bytes]
"""A function that fetches at most so many octets from an address, by GET, or by POST."""


class _Query(NamedTuple):
    """What is fetched, and within which limits."""

    url: str
    request: bytes | None
    max_bytes: int | None
    """None if the answer is not read."""
    seconds: float
    headers: Mapping[str, str]
    accepted: frozenset[int]
    verify: str | bool


class FetchError(Exception):
    """The error for an object that was not fetched.

    The message is ours, and repeats nothing of what was received.
    """


class MissingObjectError(FetchError):
    """The error for an object that the server reports as missing."""


class RejectedRequestError(FetchError):
    """The error for a request that the server refuses as it is. A repetition would not help."""


class Fetcher:
    """A function object that fetches each object within its time, even if the server stalls.

    Only one thread may use it. A server may send its headers octet by octet, for which the HTTP
    library has no total limit. So each fetch has a thread of its own, which is abandoned if it does
    not end in time. Until that thread ends, the server gets no further request. There are never
    more abandoned threads than servers, and no caller waits for a server twice.
    """

    def __init__(
        self,
        seconds: float = TOTAL_SECONDS,
        *,
        media_type: str = "application/ocsp-request",
        ca_file: Path | None = None,
    ) -> None:
        """Limit each object to `seconds`, from the first look-up of a name to the last octet.

        `media_type` is that of what is sent by POST. `ca_file` has the only authorities that may
        certify a server; without it, those of the `certifi` package may.
        """
        self.seconds = seconds
        self._media_type = media_type
        self._verify: str | bool = True if ca_file is None else str(ca_file)
        self._left: dict[str, Thread] = {}

    def __call__(self, url: str, request: bytes | None, max_bytes: int) -> bytes:
        """Return the octets at this address; raises `FetchError`."""
        return self._exchange(url, request, max_bytes, MappingProxyType({}), _OK)

    def post(self, url: str, request: bytes, *, headers: Mapping[str, str]) -> None:
        """Post octets, and return when the server has accepted them. Its answer is not read.

        Raises `RejectedRequestError` and `FetchError`.
        """
        self._exchange(url, request, None, headers, _ACCEPTED)

    def _exchange(
        self,
        url: str,
        request: bytes | None,
        max_bytes: int | None,
        headers: Mapping[str, str],
        accepted: frozenset[int],
    ) -> bytes:
        server = _server_address(url)
        left = self._left.get(server)
        if left is not None and left.is_alive():
            raise FetchError(translate("an earlier answer of that server is still under way"))
        answer: Future[bytes] = Future()
        if request is not None:
            headers = {**headers, "Content-Type": self._media_type}
        query = _Query(url, request, max_bytes, self.seconds, headers, accepted, self._verify)
        # A new thread has no language; the errors of this one are in the caller's.
        work = partial(copy_context().run, _answer, answer, query)
        thread = Thread(target=work, name=f"fetch {server}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            raise FetchError(translate("no thread could be had for it")) from None
        try:
            return answer.result(self.seconds)
        except TimeoutError:
            self._left[server] = thread
            raise FetchError(_too_slow(self.seconds)) from None


def _server_address(url: str) -> str:
    """Return the host and port, so that all addresses of one server count as one."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        raise FetchError(translate("no address")) from None


def _answer(into: "Future[bytes]", query: _Query) -> None:
    try:
        into.set_result(_fetch_untimed(query))
    except FetchError as error:
        into.set_exception(error)
    except Exception as error:  # noqa: BLE001 -- a server's octets may raise any error
        into.set_exception(FetchError(_unanswered(system_cause(error))))


def _unanswered(cause: str | None) -> str:
    if cause is None:
        return translate("no answer")
    return translate("no answer ({cause})", cause=translate_cause(cause))


def _too_slow(seconds: float) -> str:
    return translate("not done within {seconds:g} seconds", seconds=seconds)


def _fetch_untimed(query: _Query) -> bytes:
    """Return the octets at this address. It may exceed its time while the server sends headers."""
    url, request, max_bytes, seconds, headers, accepted, verify = query
    until = time.monotonic() + seconds
    with requests.Session() as session:
        session.trust_env = False
        with session.request(
            "GET" if request is None else "POST",
            url,
            data=request,
            headers={"Accept-Encoding": "identity", **headers},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
            verify=verify,
        ) as response:
            if response.status_code not in accepted:
                raise _unaccepted(response.status_code)
            if max_bytes is None:
                return b""
            return _body(response, max_bytes, until, seconds)


def _unaccepted(status: int) -> FetchError:
    kind: type[FetchError] = FetchError
    if status in (requests.codes.not_found, requests.codes.gone):
        kind = MissingObjectError
    elif status in _REJECTED:
        kind = RejectedRequestError
    return kind(translate("HTTP status {code}", code=status))


def _body(response: requests.Response, max_bytes: int, until: float, seconds: float) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchError(translate("an encoded answer was not asked for"))
    body = bytearray()
    # Read what has arrived, even one octet. A read of a whole block would wait for a server
    # that sends one octet at a time.
    while chunk := response.raw.read1(_BLOCK, decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise FetchError(translate("longer than {number} bytes", number=max_bytes))
        if time.monotonic() > until:
            raise FetchError(_too_slow(seconds))
    return bytes(body)
