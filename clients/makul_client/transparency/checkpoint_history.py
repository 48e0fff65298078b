"""The checkpoints that this client has seen: the log must stay the one that it was.

Two checkpoints of one size must have one root. Where the log's tiles can be had (`log` in the
profile, or an exported copy), those of different sizes are held against each other as well.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Final

from makul_client._internal.files import UnreadableFileError, read_bounded, replace_file
from makul_client.errors import MakulError
from makul_client.transparency.merkle import Fetch, PublishedTree, TileError
from makul_client.transparency.signed_note import (
    BadNoteError,
    Checkpoint,
    VerifierKey,
    parse_checkpoint_unsafe,
    parse_note,
)

MAX_KEPT: Final = 1000
"""Checkpoints remembered, those of the largest trees: half a megabyte."""


MAX_FILE: Final = 8 * 1024 * 1024


class Link(StrEnum):
    """How a checkpoint stands to those seen before."""

    SAME = "SAME"
    """It is of the same log: shown by its tiles, or the very tree seen before."""
    UNKNOWN = "UNKNOWN"
    """Nothing contradicts it, and nothing shows it."""
    FORKED = "FORKED"
    """The log signed two trees that cannot both be its own."""


class History:
    """Checkpoints seen of one log, kept in a file where one is named.

    Raises `MakulError` for a file that cannot be used: going on without it would forget what the
    log once said.
    """

    def __init__(self, log: VerifierKey, *, file: Path | None, fetch: Fetch | None) -> None:
        self._log = log
        self._file = file
        self._fetch = fetch
        self._seen: dict[int, tuple[Checkpoint, bytes]] = {}
        if file is not None:
            for note in _notes_in(file):
                self._add(self._read(note, file), note)

    def link(self, checkpoint: Checkpoint, note: bytes) -> Link:
        """Hold a checkpoint, whose signature is verified, against the others, and remember it.

        One that forks is not remembered: the tree seen first stays. Raises `MakulError` where the
        file cannot be written, and `TransportError` where tiles cannot be had.
        """
        known = self._seen.get(checkpoint.size)
        if known is not None:
            return Link.SAME if known[0] == checkpoint else Link.FORKED
        link = self._linked_by_tiles(checkpoint)
        if link is not Link.FORKED:
            self._add(checkpoint, note)
            self._save()
        return link

    def _linked_by_tiles(self, checkpoint: Checkpoint) -> Link:
        if self._fetch is None or not self._seen:
            return Link.UNKNOWN
        other, _ = self._seen[max(self._seen)]
        small, large = sorted((other, checkpoint), key=lambda each: each.size)
        tree = PublishedTree(large.size, self._fetch)
        try:
            if tree.root(large.size) != large.root:
                return Link.UNKNOWN
            return Link.SAME if tree.root(small.size) == small.root else Link.FORKED
        except TileError:
            return Link.UNKNOWN

    def _add(self, checkpoint: Checkpoint, note: bytes) -> None:
        self._seen[checkpoint.size] = (checkpoint, note)
        while len(self._seen) > MAX_KEPT:
            del self._seen[min(self._seen)]

    def _read(self, note: bytes, file: Path) -> Checkpoint:
        """A checkpoint of this log, verified again: a file that was changed accuses nobody."""
        try:
            parsed = parse_note(note)
            self._log.signed(parsed)
            return parse_checkpoint_unsafe(parsed)
        except BadNoteError:
            raise MakulError(f"{file}: holds what this log did not sign; put it aside") from None

    def _save(self) -> None:
        """Old or new as a whole."""
        if self._file is None:
            return
        notes = [note.decode() for _, (_, note) in sorted(self._seen.items())]
        kept = json.dumps({"checkpoints": notes}, ensure_ascii=False, indent=1)
        try:
            replace_file(self._file, kept.encode())
        except OSError:
            raise MakulError(f"{self._file}: it cannot be written") from None


def _notes_in(file: Path) -> list[bytes]:
    try:
        kept = json.loads(read_bounded(file, MAX_FILE))["checkpoints"]
        return [note.encode() for note in kept]
    except FileNotFoundError:
        return []
    except UnreadableFileError as error:
        raise MakulError(f"{error}; put it aside") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise MakulError(f"{file}: it cannot be read; put it aside") from None
