"""The source of the log as published or exported: tiles over HTTP(S), or in a directory."""

import time
from pathlib import Path
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from makul_client._internal.files import UnreadableFileError, read_bounded
from makul_client.errors import TransportError
from makul_client.translation import translate
from makul_client.transparency.merkle import Fetch

TIMEOUTS: Final = (5.0, 15.0)
SECONDS: Final = 30.0
"""The time limit for one tile of 8 KiB, in seconds."""


def is_address(location: str) -> bool:
    """Return whether the location is an address to fetch from, and not a directory."""
    return location.startswith(("https://", "http://"))


def open_log(location: str) -> Fetch:
    """Return the function that reads tiles from an https address or a directory.

    The directory must have the form that `makul ledger export` writes.
    """
    if is_address(location):
        return lambda path, at_most: _download(f"{location.rstrip('/')}/{path}", at_most)
    directory = Path(location)
    return lambda path, at_most: _read_file(directory / path, at_most)


def _download(url: str, at_most: int) -> bytes | None:
    until = time.monotonic() + SECONDS
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(
                url,
                headers={"Accept-Encoding": "identity", "User-Agent": "makul-client"},
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as answer:
                if answer.status_code == requests.codes.not_found:
                    return None
                if answer.status_code != requests.codes.ok:
                    raise TransportError(
                        translate("the log answered {status}", status=answer.status_code),
                        passing=True,
                    )
                return _body(answer, at_most, until)
    except (requests.RequestException, HTTPError):
        raise TransportError(translate("the log cannot be reached"), passing=True) from None


def _body(answer: requests.Response, at_most: int, until: float) -> bytes:
    body = bytearray()
    while chunk := answer.raw.read1(at_most + 1, decode_content=False):
        body += chunk
        if len(body) > at_most or time.monotonic() > until:
            raise TransportError(translate("the log sends too much, or too slowly"), passing=False)
    return bytes(body)


def _read_file(file: Path, at_most: int) -> bytes | None:
    try:
        return read_bounded(file, at_most)
    except FileNotFoundError:
        return None
    except UnreadableFileError as error:
        raise TransportError(str(error), passing=False) from None
