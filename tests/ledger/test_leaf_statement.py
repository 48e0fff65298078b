"""The statements of decisions and of acts: neither is ever read as the other."""

import json

import pytest

from makul.ledger.leaf_statement import read_act, read_statement, write_act, write_statement


def test_a_statement_reads_back() -> None:
    """With its format, in one form of bytes."""
    assert read_statement(write_statement({"b": 1, "a": "é"})) == {"format": 3, "a": "é", "b": 1}
    assert read_act(write_act({"kind": "x"})) == {"format": "act/1", "kind": "x"}
    assert write_statement({"b": 1, "a": 2}) == write_statement({"a": 2, "b": 1})


def test_an_act_is_no_decision_and_a_decision_is_no_act() -> None:
    """Whatever facts they share: the formats are of different types."""
    facts = {"disclosureId": "x", "actId": "x"}

    with pytest.raises(ValueError, match="no known format"):
        read_statement(write_act(facts))
    with pytest.raises(ValueError, match="no known format"):
        read_act(write_statement(facts))


@pytest.mark.parametrize("number", [0, 4, True, 2.0, "2", "act/1", None, [2]])
def test_a_decision_of_an_unknown_format_is_not_read(number: object) -> None:
    """`True` and `2.0` are equal to numbers, and are none."""
    with pytest.raises(ValueError, match="no known format"):
        read_statement(json.dumps({"format": number}).encode())


@pytest.mark.parametrize("statement", [b"[]", b"1", b'"act/1"', b"{}", b"\xff"])
def test_what_is_no_statement_is_not_read(statement: bytes) -> None:
    for read in (read_statement, read_act):
        with pytest.raises(ValueError, match=r"."):
            read(statement)
