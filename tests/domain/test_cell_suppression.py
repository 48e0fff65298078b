"""No hidden number can be computed from a public table (Procedure, cl. 5.1 and 11)."""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from makul.domain.cell_suppression import (
    MIN_CELL,
    SuppressedCounts,
    hide_all,
    may_show,
    suppress_cells,
)

TABLES = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.one_of(st.integers(0, 12), st.integers(0, 10_000)),
    max_size=31,
)


def hidden_of(table: SuppressedCounts) -> list[str]:
    return [key for key, count in table.cells.items() if count is None]


@given(TABLES)
@example({"a": 4, "b": 5})
@example({"a": 0, "b": 100})
def test_what_is_shown_is_true_and_not_small(counts: dict[str, int]) -> None:
    table = suppress_cells(counts)

    assert list(table.cells) == list(counts)
    assert all(count is None or count == counts[key] for key, count in table.cells.items())
    assert all(count is None or count >= MIN_CELL for count in table.cells.values())
    assert table.total in {None, sum(counts.values())}
    assert table.total is None or table.total >= 2 * MIN_CELL


@given(TABLES)
def test_the_hidden_cells_together_are_not_small(counts: dict[str, int]) -> None:
    """Their sum is the total without the shown cells, so every reader has it."""
    table = suppress_cells(counts)
    hidden = hidden_of(table)

    if table.total is not None and hidden:
        assert sum(counts[key] for key in hidden) >= 2 * MIN_CELL
        assert len(hidden) > 1


@given(TABLES)
def test_a_table_without_a_small_cell_is_shown_as_it_is(counts: dict[str, int]) -> None:
    large = {key: count + 2 * MIN_CELL for key, count in counts.items()}

    assert not large or dict(suppress_cells(large).cells) == large


@pytest.mark.parametrize(
    ("k", "cells", "largest"), [(2, 2, 9), (2, 3, 9), (2, 4, 7), (2, 5, 5), (3, 2, 14), (3, 3, 12)]
)
def test_a_reader_who_knows_the_rule_learns_no_hidden_number(
    k: int, cells: int, largest: int
) -> None:
    """Look at all tables that give the same public table.

    Each hidden cell has at least two possible numbers. A small one can be zero or not, so a reader
    does not learn that there is a decision.
    """
    origins: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    for counts in product(range(largest + 1), repeat=cells):
        table = suppress_cells({str(key): count for key, count in enumerate(counts)}, k=k)
        origins[(table.total, *table.cells.values())].append(counts)

    examined = 0
    for (total, *shown), tables in origins.items():
        # A larger total has tables that were not generated.
        for position in range(cells):
            if shown[position] is None and (total is None or total <= largest):  # type: ignore[operator]
                possible = {counts[position] for counts in tables}
                examined += 1
                assert len(possible) > 1, (total, shown, tables)
                assert min(possible) >= k or {0, 1} <= possible, (total, shown, tables)
    assert examined > 0


@given(TABLES, st.data())
def test_a_cell_of_few_persons_is_hidden(counts: dict[str, int], data: st.DataObject) -> None:
    """Thirty decisions about one person are small as well."""
    persons = {key: data.draw(st.integers(0, max(count, 0))) for key, count in counts.items()}
    table = suppress_cells(counts, weights=persons)
    hidden = hidden_of(table)

    assert all(persons[key] >= MIN_CELL for key in counts if key not in hidden)
    if table.total is not None and hidden:
        assert sum(persons[key] for key in hidden) >= 2 * MIN_CELL


def test_the_choice_does_not_depend_on_the_size() -> None:
    """The last shown cell is hidden beside a small one, the largest as well as the smallest."""
    for last in (6, 1000):
        assert hidden_of(suppress_cells({"a": 3, "b": 100, "c": last + 5})) == ["a", "c"]


@pytest.mark.parametrize(
    ("count", "within", "shown"),
    [(4, 1000, False), (5, 14, False), (5, 15, True), (991, 1000, False), (1000, 1000, False)],
)
def test_a_part_and_its_rest_must_not_be_small(count: int, within: int, shown: bool) -> None:
    assert may_show(count, within=within) is shown


def test_nothing_is_shown_of_a_table_that_is_withheld() -> None:
    assert hide_all(["a", "b"]) == SuppressedCounts(total=None, cells={"a": None, "b": None})
