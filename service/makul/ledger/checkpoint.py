"""Checkpoints: a log's statement of its size and root (C2SP tlog-checkpoint).

The specification is https://c2sp.org/tlog-checkpoint. A checkpoint is the body of a signed note:
origin, size and root, one line each. The specification allows extension lines. They are refused
here, because this log writes none and content that nobody reads must not be signed.
"""

import base64
import re
from dataclasses import dataclass

from makul.ledger.errors import LedgerFormError
from makul.ledger.merkle import HASH_BYTES

MOST_BODY_BYTES = 512
"""Maximum length of a body: an origin of 255 bytes, a size of 20 digits, a root of 44, a margin."""

MOST_ORIGIN_BYTES = 255
MOST_LEAVES = (1 << 63) - 1
"""Maximum size of a log: sizes are stored as signed 64-bit integers.

The specification allows twice as many.
"""

_LINES = 4
"""Number of lines: three, and the empty one after the last line feed."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class CheckpointError(LedgerFormError, ValueError):
    """The text is not a checkpoint of this form. The message does not repeat it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the first `size` leaves of the log named `origin`."""

    origin: str
    size: int
    root: bytes
    """The root hash, 32 bytes (RFC 6962, 2.1)."""

    def __post_init__(self) -> None:
        if not is_origin(self.origin):
            raise CheckpointError("an origin is a printable name without spaces and plus signs")
        if not 0 <= self.size <= MOST_LEAVES:
            raise CheckpointError("a log has at least no leaves, and fewer than 2 to the 63")
        if len(self.root) != HASH_BYTES:
            raise CheckpointError("a root is 32 bytes long")

    def body(self) -> bytes:
        """Return the text that is signed, including its last line feed."""
        root = base64.b64encode(self.root).decode("ascii")
        return f"{self.origin}\n{self.size}\n{root}\n".encode()


def is_origin(text: str) -> bool:
    """Return whether a log may have this name: that of a key, without spaces and plus signs.

    See C2SP signed-note.
    """
    if not text.isprintable() or any(letter.isspace() or letter == "+" for letter in text):
        return False
    return 0 < len(text.encode()) <= MOST_ORIGIN_BYTES


def parse_checkpoint_unsafe(body: bytes) -> Checkpoint:
    """Parse a body without verifying its signature; raises `CheckpointError`.

    Only the exact form that `Checkpoint.body` writes is accepted, so that one checkpoint has one
    text. Otherwise a tree could have signatures over two spellings that nobody could distinguish
    from two trees.
    """
    if len(body) > MOST_BODY_BYTES:
        raise CheckpointError("a checkpoint is not that long")
    lines = body.decode("utf-8", errors="surrogateescape").split("\n")
    if len(lines) != _LINES or lines[-1] or not _SIZE.fullmatch(lines[1]):
        raise CheckpointError("a checkpoint has an origin, a size and a root, and no more")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError:
        raise CheckpointError("a checkpoint's root is in base64") from None
    checkpoint = Checkpoint(lines[0], int(lines[1]), root)
    if checkpoint.body() != body:
        raise CheckpointError("a checkpoint's root is not written in plain base64")
    return checkpoint
