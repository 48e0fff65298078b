"""Suppression of small cells in tables that the public reads (Procedure, cl. 5.1 and 11).

A decision may be hidden from its subject (cl. 5.1). A small number in a public table could reveal
that such a decision exists, so it is not shown, and neither is a number from which it can be
computed. Pure code: a table is an ordered mapping of keys to counts whose sum is public as well.

The rule, with `k` = `MIN_CELL`:

1. A cell below `k` is hidden. Zero is below `k`: otherwise a hidden cell would reveal a decision.
2. A total below `2k` is hidden, with all cells.
3. The hidden cells of a table have a sum of at least `2k`, and each of them could be zero. If they
   do not, the last shown cell of the table is hidden too, and so on.

The last cell is chosen by the order of the keys and never by its size. A choice by size, such as
the smallest cell, gives a bound to a reader who knows the rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MIN_CELL: Final = 5
"""The smallest number that is shown: official statistics of persons commonly use this limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedCounts:
    """The counts of a table as the public may read them. None is hidden."""

    total: int | None
    cells: Mapping[str, int | None]


def suppress_cells(
    counts: Mapping[str, int], *, weights: Mapping[str, int] | None = None, k: int = MIN_CELL
) -> SuppressedCounts:
    """Return the counts of a table without those that are small or reveal a small one.

    `weights` are other numbers of the same cells that must not be small either: the distinct
    persons behind them, or the decisions without them.
    """
    others = counts if weights is None else weights
    if min(sum(counts.values()), sum(others.values())) < 2 * k:
        return SuppressedCounts(total=None, cells=dict.fromkeys(counts))
    hidden = [key for key, count in counts.items() if min(count, others[key]) < k]
    shown = [key for key in counts if key not in hidden]
    small = len(hidden)
    while hidden and shown:
        sums = [sum(each[key] for key in hidden) for each in (counts, others)]
        other_cell = len(hidden) > small or max(sums) <= (k - 1) * (small - 1)
        if other_cell and min(sums) >= 2 * k:
            break
        hidden.append(shown.pop())
    return SuppressedCounts(
        total=sum(counts.values()),
        cells={key: None if key in hidden else count for key, count in counts.items()},
    )


def may_show(count: int, *, within: int, k: int = MIN_CELL) -> bool:
    """Return whether a part may be shown beside its whole: both it and the rest are not small."""
    return count >= k and within - count >= 2 * k


def hide_all(keys: Sequence[str]) -> SuppressedCounts:
    """Return a table of which nothing is shown."""
    return SuppressedCounts(total=None, cells=dict.fromkeys(keys))
