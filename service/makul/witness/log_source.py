"""Where the log is fetched from: an address over HTTP(S), or a directory that it publishes into.

Bounded in size and time, and never more than one object at a time. What comes is taken as it is;
`judging` believes none of it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from makul.ledger.merkle import HASH_BYTES
from makul.ledger.signed_note import MAX_NOTE
from makul.ledger.tile_proofs import ReadTile
from makul.ledger.tiles import TILE_BYTES, TILE_WIDTH, Tile
from makul.net.fetcher import Fetcher, FetchError, MissingObjectError
from makul.net.files import FileError, MissingFileError, read_bounded

CHECKPOINT = "checkpoint"
"""C2SP tlog-tiles, Checkpoints."""

OBJECT_SECONDS = 30.0
"""For at most 64 KiB: 2 KiB a second is a line on which nothing could be followed."""


class SourceError(Exception):
    """Something of the log could not be had. The message is ours, and repeats nothing received."""


class MissingError(SourceError):
    """The log says that it does not have it."""


Source: TypeAlias = Callable[[str, int], bytes]
"""From a path below the log's address to its octets, at most so many; raises `SourceError`."""


ReadNote: TypeAlias = Callable[[], bytes]
"""A note from one place; raises `SourceError`."""


def open_source(place: str) -> Source:
    """The log at an address, or in a directory; raises `ValueError` for what is neither."""
    if _is_address(place):
        return _web(place.rstrip("/"))
    directory = Path(place)
    if not os.path.isdir(place):  # noqa: PTH112 - `is_dir` raises for a name that is too long
        raise ValueError("neither an http(s) address nor a directory that is there")
    return _directory(directory)


def read_checkpoint(source: Source) -> bytes:
    """The log's newest signed checkpoint, or what stands in its place."""
    return source(CHECKPOINT, MAX_NOTE)


def open_note(place: str) -> ReadNote:
    """A checkpoint that is shown elsewhere, at an address of its own or in a file.

    Raises `ValueError` for an address at which none can be.
    """
    if _is_address(place):
        address, _, name = place.rpartition("/")
        if not name or not urlsplit(address).hostname:
            raise ValueError("an address names a host and a path to the checkpoint")
        web = _web(address)
        return lambda: web(name, MAX_NOTE)
    file = Path(place)
    return lambda: _directory(file.parent)(file.name, MAX_NOTE)


def _is_address(place: str) -> bool:
    """Is it one over HTTP(S)? Raises `ValueError` for one with more in it than can be fetched."""
    parts = urlsplit(place)
    if parts.scheme not in ("http", "https"):
        return False
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("an address names a host and a path, and nothing else")
    return True


def tiles_of(source: Source) -> ReadTile:
    """Tiles by level, index and width; raises `SourceError`.

    A partial tile may be gone where the full one is there by now (C2SP tlog-tiles, Partial Tiles).
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
            raise MissingError(f"{path}: not there") from None
        except FetchError as error:
            raise SourceError(f"{path}: {error}") from None

    return read


def _directory(directory: Path) -> Source:
    def read(path: str, at_most: int) -> bytes:
        try:
            return read_bounded(directory / path, at_most)
        except MissingFileError:
            raise MissingError(f"{path}: not there") from None
        except FileError as error:
            raise SourceError(f"{path}: {error.problem}") from None

    return read
