"""Checkpoints (C2SP tlog-checkpoint): each tree has exactly one text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.checkpoint import (
    Checkpoint,
    CheckpointError,
    is_origin,
    parse_checkpoint_unsafe,
)

ROOT = bytes(range(32))
BODY = b"example.com/log\n42\n" + base64.b64encode(ROOT) + b"\n"

NO_BODIES = {
    "empty": b"",
    "no line feed at the end": BODY[:-1],
    "one line feed more": BODY + b"\n",
    "an extension line": BODY + b"more\n",
    "no origin": BODY.replace(b"example.com/log", b""),
    "an origin with a space": BODY.replace(b"/log", b" log"),
    "an origin with a plus": BODY.replace(b"/log", b"+log"),
    "a size with a sign": BODY.replace(b"42", b"+42"),
    "a size with a zero before": BODY.replace(b"42", b"042"),
    "a size in other digits": BODY.replace(b"42", "٤٢".encode()),
    "a size beyond 63 bits": BODY.replace(b"42", str(1 << 63).encode()),
    "no size": BODY.replace(b"42", b""),
    "a negative size": BODY.replace(b"42", b"-1"),
    "a root that is too short": BODY.replace(base64.b64encode(ROOT), base64.b64encode(ROOT[:31])),
    "a root without padding": BODY.replace(b"=", b""),
    "a root with bits to spare": BODY.replace(b"Hh8=", b"Hh9="),
    "a root in another alphabet": b"example.com/log\n42\n" + b"_" * 43 + b"=\n",
    "carriage returns": BODY.replace(b"\n", b"\r\n"),
    "not UTF-8": BODY.replace(b"example", b"ex\xffmple"),
    "too long": BODY.replace(b"example", b"e" * 600),
}


def test_the_body_is_three_lines() -> None:
    """The lines are the origin, the size in decimal and the root in base64, each with a
    line feed.
    """
    assert Checkpoint("example.com/log", 42, ROOT).body() == BODY


@given(st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32))
def test_a_body_reads_back(size: int, root: bytes) -> None:
    """The body is read back for any size and root."""
    checkpoint = Checkpoint("makul/GOV/70000001", size, root)

    assert parse_checkpoint_unsafe(checkpoint.body()) == checkpoint


@pytest.mark.parametrize("body", NO_BODIES.values(), ids=NO_BODIES)
def test_no_other_text_is_a_checkpoint(body: bytes) -> None:
    """Each text differs from the good one in one respect."""
    assert parse_checkpoint_unsafe(BODY).size == 42
    assert body != BODY
    with pytest.raises(CheckpointError):
        parse_checkpoint_unsafe(body)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u00a0b", "x" * 256, "\ud800"])
def test_a_ledger_name_must_fit_a_key_name(origin: str) -> None:
    """C2SP signed-note: a key's name is not empty, and has no spaces and no plus sign."""
    assert not is_origin(origin)
    with pytest.raises(CheckpointError):
        Checkpoint(origin, 0, ROOT)
