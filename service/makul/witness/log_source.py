"""Sources of the log: an address over HTTP(S), or a directory that it publishes into.

Every read is bounded in size and time and fetches one object. The content is returned unverified,
and `consistency` trusts none of it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from makul.language.translation import translate
from makul.ledger.merkle import HASH_BYTES
from makul.ledger.signed_note import MAX_NOTE
from makul.ledger.tile_proofs import ReadTile
from makul.ledger.tiles import TILE_BYTES, TILE_WIDTH, Tile
from makul.net.fetcher import Fetcher, FetchError, MissingObjectError
from makul.net.files import FileError, MissingFileError, read_bounded

CHECKPOINT = "checkpoint"
"""The path of the checkpoint (C2SP tlog-tiles, Checkpoints)."""

OBJECT_SECONDS = 30.0
"""Time limit for one object of at most 64 KiB.

A log cannot be followed over a line of 2 KiB a second.
"""


class SourceError(Exception):
    """An object of the log could not be fetched.

    The message is ours and repeats nothing received.
    """


class MissingError(SourceError):
    """The log reports that it does not have the object."""


Source: TypeAlias = Callable[[str, int], bytes]
"""A function from a path below the log's address and a maximum size to its octets.

It raises `SourceError`.
"""


ReadNote: TypeAlias = Callable[[], bytes]
"""A function that reads a note from one location; raises `SourceError`."""


def open_source(location: str) -> Source:
    """Open the log at an address or in a directory; raises `ValueError` for anything else."""
    if _is_address(location):
        return _web(location.rstrip("/"))
    directory = Path(location)
    if not os.path.isdir(location):  # noqa: PTH112 - `is_dir` raises for a name that is too long
        raise ValueError(translate("neither an http(s) address nor a directory that is there"))
    return _directory(directory)


def read_checkpoint(source: Source) -> bytes:
    """Return the log's newest signed checkpoint, unverified."""
    return source(CHECKPOINT, MAX_NOTE)


def open_note(location: str) -> ReadNote:
    """Open a checkpoint that is published elsewhere, at an address of its own or in a file.

    Raises `ValueError` for an address that cannot have one.
    """
    if _is_address(location):
        address, _, name = location.rpartition("/")
        if not name or not urlsplit(address).hostname:
            raise ValueError(translate("an address names a host and a path to the checkpoint"))
        web = _web(address)
        return lambda: web(name, MAX_NOTE)
    file = Path(location)
    return lambda: _directory(file.parent)(file.name, MAX_NOTE)


def _is_address(location: str) -> bool:
    """Return whether this is an HTTP(S) address.

    Raises `ValueError` for an address with parts that cannot be fetched.
    """
    parts = urlsplit(location)
    if parts.scheme not in ("http", "https"):
        return False
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(translate("an address names a host and a path, and nothing else"))
    return True


def build_tile_reader(source: Source) -> ReadTile:
    """Return a function that reads tiles by level, index and width; it raises `SourceError`.

    A partial tile may be missing if the full tile exists by now (C2SP tlog-tiles, Partial Tiles).
    """

    def read(level: int, index: int, width: int) -> bytes:
        octets = width * HASH_BYTES
        try:
            return source(Tile(level, index, width).path, octets)
        except MissingError:
            if width == TILE_WIDTH:
                raise
            return source(Tile(level, index).path, TILE_BYTES)[:octets]

    return read


def _web(address: str) -> Source:
    fetch = Fetcher(OBJECT_SECONDS)

    def read(path: str, at_most: int) -> bytes:
        try:
            return fetch(f"{address}/{path}", None, at_most)
        except MissingObjectError:
            raise MissingError(translate("{path} is not there", path=path)) from None
        except FetchError as error:
            raise SourceError(f"{path}: {error}") from None

    return read


def _directory(directory: Path) -> Source:
    def read(path: str, at_most: int) -> bytes:
        try:
            return read_bounded(directory / path, at_most)
        except MissingFileError:
            raise MissingError(translate("{path} is not there", path=path)) from None
        except FileError as error:
            raise SourceError(f"{path}: {error.problem}") from None

    return read
