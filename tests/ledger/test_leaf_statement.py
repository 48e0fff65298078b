"""Statements of decisions and of acts are never read as each other."""

import json

import pytest

from makul.ledger.leaf_statement import read_act, read_statement, write_act, write_statement


def test_a_statement_reads_back() -> None:
    """The format is read back, and the bytes have one form."""
    assert read_statement(write_statement({"b": 1, "a": "é"})) == {"format": 3, "a": "é", "b": 1}
    assert read_act(write_act({"kind": "x"})) == {"format": "act/1", "kind": "x"}
    assert write_statement({"b": 1, "a": 2}) == write_statement({"a": 2, "b": 1})


def test_an_act_is_no_decision_and_a_decision_is_no_act() -> None:
    """The formats have different types, so equal facts make no difference."""
    facts = {"disclosureId": "x", "actId": "x"}

    with pytest.raises(ValueError, match="no known format"):
        read_statement(write_act(facts))
    with pytest.raises(ValueError, match="no known format"):
        read_act(write_statement(facts))


@pytest.mark.parametrize("number", [0, 4, True, 2.0, "2", "act/1", None, [2]])
def test_a_decision_of_an_unknown_format_is_not_read(number: object) -> None:
    """`True` and `2.0` are equal to numbers, and are no formats."""
    with pytest.raises(ValueError, match="no known format"):
        read_statement(json.dumps({"format": number}).encode())


@pytest.mark.parametrize("statement", [b"[]", b"1", b'"act/1"', b"{}", b"\xff"])
def test_other_bytes_are_not_read_as_a_statement(statement: bytes) -> None:
    for read in (read_statement, read_act):
        with pytest.raises(ValueError, match=r"."):
            read(statement)
