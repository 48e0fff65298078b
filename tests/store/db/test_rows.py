"""Rows of a statement are read by the names of its columns."""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import column, select

import makul.store
from makul.store.db.rows import build_row_reader

MAX_BY_POSITION = 5


class Three(NamedTuple):
    first: int
    second: str
    third: bytes


def test_a_row_has_the_names_of_its_columns() -> None:
    """The names are read once, where the statement is defined."""
    read = build_row_reader(select(column("first"), column("second"), column("third")), Three)

    assert read((1, "2", b"3")) == Three(first=1, second="2", third=b"3")


@pytest.mark.parametrize(
    "names",
    [
        ("first", "third", "second"),
        ("first", "second"),
        ("first", "second", "third", "fourth"),
        ("first", "second", "another"),
        ("first", "second", "second"),
    ],
)
def test_columns_that_differ_from_the_fields_are_refused(names: tuple[str, ...]) -> None:
    """The error comes before the first request, and not as a wrong value in an answer."""
    with pytest.raises(TypeError, match="Three"):
        build_row_reader(select(*map(column, names)), Three)


def test_a_row_of_another_length_is_refused() -> None:
    """A driver that returns more or fewer columns is defective."""
    read = build_row_reader(select(column("first"), column("second"), column("third")), Three)

    with pytest.raises(TypeError):
        read((1, "2"))


@pytest.mark.parametrize(
    "path", sorted(Path(makul.store.__file__).parent.rglob("*.py")), ids=lambda path: path.name
)
def test_no_long_row_is_read_by_position(path: Path) -> None:
    """No reader sees which column is which among more than five names.

    PostgreSQL's answer about a role is no row of our tables, and an agreement's columns are the key
    of a cache (`codecs.AgreementRow`).
    """
    long = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Tuple)
        and isinstance(node.ctx, ast.Store)
        and (
            len(node.elts) > MAX_BY_POSITION
            or (
                len(node.elts) > 1 and isinstance(node.elts[-1], ast.Starred) and len(node.elts) > 4
            )
        )
    ]

    allowed = {"roles.py": 1, "codecs.py": 1}
    assert len(long) == allowed.get(path.name, 0), long
