"""The history of checkpoints that this client has seen, to detect a log that shows two histories.

Two checkpoints of the same size must have the same root. If the log's tiles are available (`log` in
the profile, or an exported copy), checkpoints of different sizes are compared too.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Final

from makul_client._internal.files import UnreadableFileError, read_bounded, replace_file
from makul_client.errors import MakulError
from makul_client.translation import translate
from makul_client.transparency.merkle import Fetch, PublishedTree, TileError
from makul_client.transparency.signed_note import (
    BadNoteError,
    Checkpoint,
    VerifierKey,
    parse_checkpoint_unsafe,
    parse_note,
)

MAX_KEPT: Final = 1000
"""The maximum number of checkpoints stored, those of the largest trees: half a megabyte."""


MAX_FILE: Final = 8 * 1024 * 1024


class Link(StrEnum):
    """The relation of a checkpoint to the checkpoints seen earlier."""

    SAME = "SAME"
    """The checkpoint is of the same log: its tiles prove it, or the same tree was seen earlier."""
    UNKNOWN = "UNKNOWN"
    """Nothing contradicts the checkpoint, and nothing proves it."""
    FORKED = "FORKED"
    """The log signed two trees that cannot both be its own."""


class History:
    """The checkpoints seen of one log, stored in a file if one is named.

    Raises `MakulError` for a file that cannot be used. Without it the client would forget what the
    log signed earlier.
    """

    def __init__(self, log: VerifierKey, *, file: Path | None, fetch: Fetch | None) -> None:
        self._log = log
        self._file = file
        self._fetch = fetch
        self._seen: dict[int, tuple[Checkpoint, bytes]] = {}
        if file is not None:
            for note in _notes_in(file):
                self._add(self._verify_note(note, file), note)

    def link(self, checkpoint: Checkpoint, note: bytes) -> Link:
        """Compare a checkpoint with a verified signature to the others, and remember it.

        A forked checkpoint is not remembered, so that the tree seen first remains. Raises
        `MakulError` if the file cannot be written, and `TransportError` if tiles cannot be fetched.
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

    def _verify_note(self, note: bytes, file: Path) -> Checkpoint:
        """Return a checkpoint of this log after verifying it again.

        Otherwise a changed file could accuse the log of a fork.
        """
        try:
            parsed = parse_note(note)
            self._log.signed(parsed)
            return parse_checkpoint_unsafe(parsed)
        except BadNoteError:
            raise MakulError(
                translate("{file}: contains what this log did not sign; move it away", file=file)
            ) from None

    def _save(self) -> None:
        """Replace the file as a whole, so that it is either old or new."""
        if self._file is None:
            return
        notes = [note.decode() for _, (_, note) in sorted(self._seen.items())]
        content = json.dumps({"checkpoints": notes}, ensure_ascii=False, indent=1)
        try:
            replace_file(self._file, content.encode())
        except OSError:
            raise MakulError(translate("{file}: it cannot be written", file=self._file)) from None


def _notes_in(file: Path) -> list[bytes]:
    try:
        notes = json.loads(read_bounded(file, MAX_FILE))["checkpoints"]
        return [note.encode() for note in notes]
    except FileNotFoundError:
        return []
    except UnreadableFileError as error:
        raise MakulError(translate("{cause}; move it away", cause=error)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise MakulError(translate("{file}: it cannot be read; move it away", file=file)) from None
