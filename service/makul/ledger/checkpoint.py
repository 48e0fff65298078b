"""What a log says of itself at one size: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint).

The body of a signed note: origin, size and root, a line each. Extension lines are allowed by the
specification and refused here: this log writes none, and what nobody reads must not be signed.
"""

import base64
import re
from dataclasses import dataclass

from makul.ledger.merkle import HASH_BYTES

MOST_BODY_BYTES = 512
"""An origin of 255 bytes, a size of 20 digits and a root of 44, with room to spare."""

MOST_ORIGIN_BYTES = 255
MOST_LEAVES = (1 << 63) - 1
"""Sizes are kept as signed 64-bit integers; the specification allows twice as many."""

_LINES = 4
"""Three, and the empty one behind the last line feed."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class CheckpointError(ValueError):
    """The text is no checkpoint of this form. The message does not repeat it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the first `size` leaves of the log named `origin`."""

    origin: str
    size: int
    root: bytes
    """32 bytes (RFC 6962, 2.1)."""

    def __post_init__(self) -> None:
        if not is_origin(self.origin):
            raise CheckpointError("an origin is a printable name without spaces and plus signs")
        if not 0 <= self.size <= MOST_LEAVES:
            raise CheckpointError("a log has at least no leaves, and fewer than 2 to the 63")
        if len(self.root) != HASH_BYTES:
            raise CheckpointError("a root is 32 bytes long")

    def body(self) -> bytes:
        """The text that is signed, its last line feed included."""
        root = base64.b64encode(self.root).decode("ascii")
        return f"{self.origin}\n{self.size}\n{root}\n".encode()


def is_origin(text: str) -> bool:
    """May a log be called so? As a key in a signed note: no spaces, no plus (C2SP signed-note)."""
    if not text.isprintable() or any(letter.isspace() or letter == "+" for letter in text):
        return False
    return 0 < len(text.encode()) <= MOST_ORIGIN_BYTES


def parse_checkpoint_unsafe(body: bytes) -> Checkpoint:
    """Read a body whose signature is not looked at here; raises `CheckpointError`.

    Exactly what `Checkpoint.body` writes: one text for one checkpoint, or signatures over two
    spellings of a tree could be told apart by nobody.
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
