"""One object over HTTP(S), from an address that the operator set. Never from a certificate's own.

Bounded in size and time, without redirects, proxies or credentials from the environment.
"""

import time
from collections.abc import Callable
from typing import TypeAlias

import requests
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 120.0
"""The longest CRL at the slowest line that still keeps up: 64 MB at half a megabyte a second."""
MAX_CRL_BYTES = 64 * 1024 * 1024
"""Some 1.5 million entries with their reasons; a nation's CRL has 10^5."""
MAX_RESPONSE_BYTES = 64 * 1024
_BLOCK = 64 * 1024

Fetch: TypeAlias = Callable[[str, bytes | None, int], bytes]
"""From an address, by GET, or by POST of an OCSP request; at most so many octets."""


class FetchError(Exception):
    """It could not be had. The message is ours, and repeats nothing of what was received."""


class MissingObjectError(FetchError):
    """The server says that it does not have it."""


def fetch(
    url: str, request: bytes | None, max_bytes: int, *, total_seconds: float | None = None
) -> bytes:
    """The octets at this address, within `total_seconds`, or else `TOTAL_SECONDS`.

    Raises `FetchError`.
    """
    seconds = TOTAL_SECONDS if total_seconds is None else total_seconds
    until = time.monotonic() + seconds
    headers = {"Accept-Encoding": "identity"}
    if request is not None:
        headers["Content-Type"] = "application/ocsp-request"
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.request(
                "GET" if request is None else "POST",
                url,
                data=request,
                headers=headers,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
                verify=True,
            ) as response:
                return _body(response, max_bytes, until, seconds)
    except (requests.RequestException, HTTPError) as error:
        raise FetchError(f"no answer ({type(error).__name__})") from None


def _body(response: requests.Response, max_bytes: int, until: float, seconds: float) -> bytes:
    if response.status_code in (requests.codes.not_found, requests.codes.gone):
        raise MissingObjectError(f"HTTP status {response.status_code}")
    if response.status_code != requests.codes.ok:
        raise FetchError(f"HTTP status {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchError("an encoded answer was not asked for")
    body = bytearray()
    # What has come, be it one octet: who waits for a whole block is held by a drop at a time.
    while chunk := response.raw.read1(_BLOCK, decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise FetchError(f"longer than {max_bytes} bytes")
        if time.monotonic() > until:
            raise FetchError(f"not done within {seconds:.0f} seconds")
    return bytes(body)
