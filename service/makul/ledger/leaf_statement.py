"""Statements that leaves commit to: the facts of a decision or an act, as JSON in one form.

Facts are plain values, because their writers and readers are in different packages. The format
defines the facts of a decision:

    1   disclosureId requestId requestDigest operation recipient agreement purpose subject channel
        subsystem employee case outcome reasons released payloadDigest ground decidedAt
    2   and space certificate sealedTo closes evidence; reasons with their retryAfter
    3   and effects: other rows that the decision creates or uses up; usage, if the client stated
        any: what it says to the subject (X-Road header pdu)

They include every unencrypted fact of the record, so that none of it can be changed unnoticed.
`payloadDigest` and `usage` are stored only here.

An act is a change by the operator or the authorised body that gives or removes a right. The format
of its statement is a text and that of a decision a number, so that neither is ever read as the
other:

    act/1   actId number kind at who target facts changes
"""

import json
from collections.abc import Mapping
from typing import Final

FORMAT: Final = 3
"""The format in which statements are written."""

FORMATS: Final = frozenset({1, 2, FORMAT})
"""The formats that are read."""

ACT_FORMAT: Final = "act/1"
"""The format of an act's statement."""

NOT_IN_1: Final = frozenset({"space", "certificate", "sealedTo", "closes", "evidence"})
ONLY_HERE: Final = frozenset({"format", "payloadDigest", "usage"})
"""Facts that only the statement holds and no column of the record."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_statement(facts: Mapping[str, object]) -> bytes:
    """Return the statement of a decision in the current format; equal bytes for equal facts."""
    return _ENCODER.encode({"format": FORMAT, **facts}).encode()


def read_statement(statement: bytes) -> Mapping[str, object]:
    """Return the facts of a decision's statement of any format.

    Raises `ValueError` if it is not such a statement.
    """
    facts = json.loads(statement)
    number = facts.get("format") if isinstance(facts, dict) else None
    if type(number) is not int or number not in FORMATS:
        raise ValueError("a statement of no known format")
    return dict(facts)


def write_act(facts: Mapping[str, object]) -> bytes:
    """Return the statement of an act; equal bytes for equal facts."""
    return _ENCODER.encode({"format": ACT_FORMAT, **facts}).encode()


def read_act(statement: bytes) -> Mapping[str, object]:
    """Return the facts of an act's statement; raises `ValueError` if it is not one."""
    facts = json.loads(statement)
    if not isinstance(facts, dict) or facts.get("format") != ACT_FORMAT:
        raise ValueError("a statement of no known format")
    return facts


REPETITION_FORMAT: Final = "repetition/1"
"""The format of a statement about an answer that was given again.

The format of a decision is a number, so neither is read as the other.
"""


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
