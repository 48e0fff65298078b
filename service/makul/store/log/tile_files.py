"""The log as files for readers: C2SP tlog-tiles, in a directory or a ZIP.

    checkpoint                      the signed note
    tile/0/000, tile/0/001.p/17     hashes, 32 bytes each

Entries are not published: a leaf is a salted commitment, and only the operator has its content.
"""

import fcntl
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from makul.app.ports.ledger import LedgerBrokenError, PublishedLog
from makul.language.translation import translate
from makul.ledger.checkpoint import MOST_BODY_BYTES, parse_checkpoint_unsafe
from makul.ledger.merkle import HASH_BYTES
from makul.ledger.signed_note import MAX_NOTE
from makul.ledger.tiles import TILE_BYTES, TILE_WIDTH, Tile
from makul.net.files import (
    FileError,
    MissingFileError,
    read_bounded,
    replace_file,
    sync_directory,
)

CHECKPOINT = "checkpoint"

_ONE_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a ZIP, so that the same log gives the same bytes."""


class LogDirectory(PublishedLog):
    """A log in a directory, which a web server may serve unchanged. Raises `OSError`.

    A file is replaced completely or not at all. It is on the disk before the checkpoint that
    promises it. Other processes may write the same log: none replaces a larger tree with a smaller
    one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def checkpoint(self) -> bytes | None:
        """Return the published note; None if there is none."""
        try:
            return _read_limited(self._directory / CHECKPOINT, MAX_NOTE)
        except MissingFileError:
            return None

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return the first hashes of a tile, from a file of this width or of the full tile."""
        partial, full = Tile(level, index, width), Tile(level, index)
        for tile in (partial, full):
            try:
                hashes = _read_limited(self._directory / tile.path, TILE_BYTES)
            except MissingFileError:
                continue
            return hashes[: width * HASH_BYTES]
        raise _missing_tile(partial)

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Write a tile.

        When a tile becomes full, the partial tiles of the one before it are removed. No reader has
        needed them for 256 hashes, and a client that asks for one takes the full tile (C2SP
        tlog-tiles, "Partial Tiles").
        """
        tile = Tile(level, index, len(hashes) // HASH_BYTES)
        replace_file(self._directory / tile.path, hashes, mode=0o644)
        if tile.width == TILE_WIDTH and index:
            before = self._directory / f"{Tile(level, index - 1).path}.p"
            shutil.rmtree(before, ignore_errors=True)

    def write_checkpoint(self, note: bytes) -> None:
        """Write the note, unless a note of a larger tree exists."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._exclusive_lock():
            present = self.checkpoint()
            if present is None or _size(present) <= _size(note):
                replace_file(self._directory / CHECKPOINT, note, mode=0o644)

    @contextmanager
    def _exclusive_lock(self) -> Iterator[None]:
        handle = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


class LogBundle(PublishedLog):
    """A log in one new ZIP. Raises `OSError`; an existing file is not changed."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @classmethod
    @contextmanager
    def create(cls, path: Path) -> Iterator["LogBundle"]:
        """Create a new ZIP; if the block raises, the file is removed."""
        with path.open("xb") as file:
            try:
                with zipfile.ZipFile(file, "w") as archive:
                    yield cls(archive)
                file.flush()
                os.fsync(file.fileno())
                sync_directory(path.parent)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def checkpoint(self) -> bytes | None:
        """Return the note; None until it is written."""
        return self._archive.read(CHECKPOINT) if CHECKPOINT in self._archive.namelist() else None

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return the hashes of a tile of this width."""
        try:
            return self._archive.read(Tile(level, index, width).path)
        except KeyError:
            raise _missing_tile(Tile(level, index, width)) from None

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Add a tile."""
        self._add(Tile(level, index, len(hashes) // HASH_BYTES).path, hashes)

    def write_checkpoint(self, note: bytes) -> None:
        """Add the note."""
        self._add(CHECKPOINT, note)

    def _add(self, name: str, content: bytes) -> None:
        self._archive.writestr(zipfile.ZipInfo(name, date_time=_ONE_MOMENT), content)


def _missing_tile(tile: Tile) -> LedgerBrokenError:
    return LedgerBrokenError(translate("{path} is not there", path=tile.path))


def _size(note: bytes) -> int:
    """Return the size in a note that this process or another of this program wrote or verified."""
    text, _, _ = note.partition(b"\n\n")
    return parse_checkpoint_unsafe(text[:MOST_BODY_BYTES] + b"\n").size


def _read_limited(path: Path, most: int) -> bytes:
    """Return a file's bytes; raises `LedgerBrokenError` if there are more than `most`."""
    try:
        return read_bounded(path, most)
    except MissingFileError:
        raise
    except FileError as error:
        raise LedgerBrokenError(str(error)) from None
