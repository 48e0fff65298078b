"""The statements that leaves commit to: the facts of a decision or of an act, as JSON in one form.

Facts come as plain values, for whoever writes them and whoever reads them back live in different
rooms. Which facts of a decision there are is told by the format:

    1   disclosureId requestId requestDigest operation recipient agreement purpose subject channel
        subsystem employee case outcome reasons released payloadDigest ground decidedAt
    2   and space certificate sealedTo closes evidence; reasons with their retryAfter
    3   and effects: what the decision makes or uses up beside its own row

Everything that the record says of a decision in the open is among them, so that none of it can be
changed behind the leaf. `payloadDigest` is nowhere else in the record.

An act is a change of the operator or the authorised body that gives or takes a right. The format
of its statement is a text and that of a decision a number, so neither is ever read as the other:

    act/1   actId number kind at who target facts changes
"""

import json
from collections.abc import Mapping
from typing import Final

FORMAT: Final = 3
"""What is written now."""

FORMATS: Final = frozenset({1, 2, FORMAT})
"""What is read."""

ACT_FORMAT: Final = "act/1"
"""The format of an act's statement."""

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
    number = facts.get("format") if isinstance(facts, dict) else None
    if type(number) is not int or number not in FORMATS:
        raise ValueError("a statement of no known format")
    return dict(facts)


def write_act(facts: Mapping[str, object]) -> bytes:
    """Return the statement of an act; the same bytes for the same facts."""
    return _ENCODER.encode({"format": ACT_FORMAT, **facts}).encode()


def read_act(statement: bytes) -> Mapping[str, object]:
    """Return the facts of an act's statement; raises `ValueError` if it is not one."""
    facts = json.loads(statement)
    if not isinstance(facts, dict) or facts.get("format") != ACT_FORMAT:
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
