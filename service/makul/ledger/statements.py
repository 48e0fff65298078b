"""The statement that a leaf commits to: a decision's facts, as JSON in one form.

Facts come as plain values, for whoever writes them and whoever reads them back live in different
rooms. Which facts there are is told by the format:

    1   disclosureId requestId requestDigest operation recipient agreement purpose subject channel
        subsystem employee case outcome reasons released payloadDigest ground decidedAt
    2   and space certificate sealedTo closes evidence; reasons with their retryAfter

Everything that the record says of a decision in the open is among them, so that none of it can be
changed behind the leaf. `payloadDigest` is nowhere else in the record.
"""

import json
from collections.abc import Mapping
from typing import Final

FORMAT: Final = 2
"""What is written now."""

NOT_IN_1: Final = frozenset({"space", "certificate", "sealedTo", "closes", "evidence"})
ONLY_HERE: Final = frozenset({"format", "payloadDigest"})
"""What the record does not hold besides."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_statement(facts: Mapping[str, object]) -> bytes:
    """The statement of this format; the same bytes for the same facts."""
    return _ENCODER.encode({"format": FORMAT, **facts}).encode()


def read_statement(statement: bytes) -> Mapping[str, object]:
    """The facts of a decision's statement of any format; raises `ValueError` where it is none."""
    facts = json.loads(statement)
    if not isinstance(facts, dict) or facts.get("format") not in (1, FORMAT):
        raise ValueError("a statement of no known format")
    return facts


REPETITION_FORMAT: Final = "repetition/1"
"""The format of a statement about an answer given again. That of a decision is a number, so
neither is read as the other."""


def write_repetition(facts: Mapping[str, object]) -> bytes:
    """Return the statement about an answer that was given again; equal bytes for equal facts."""
    return _ENCODER.encode({"format": REPETITION_FORMAT, **facts}).encode()


def read_repetition(statement: bytes) -> Mapping[str, object]:
    """Return the facts of a repetition's statement, without its format.

    Raises `ValueError` for any other statement.
    """
    facts = json.loads(statement)
    if not isinstance(facts, dict) or facts.pop("format", None) != REPETITION_FORMAT:
        raise ValueError("a statement of no known format")
    return facts
