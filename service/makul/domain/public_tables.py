"""The tables that the public reads, without small cells (Procedure, cl. 5.1 and 11).

Pure code. `cell_suppression` hides the small cells of one table. This module hides what several
tables together would reveal: each number that a reader can compute is one of a table, too.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from makul.domain.cell_suppression import (
    MIN_CELL,
    SuppressedCounts,
    hide_all,
    may_show,
    suppress_cells,
)
from makul.domain.disclosures import Operation, Outcome
from makul.domain.report_tables import (
    COUNTED,
    Part,
    ReportTable,
    VerifiedStatement,
    build_table,
    count_by_recipient,
    fixed_rows,
    member_class,
    ordered_rows,
)

_NOT_FOUND: Final = "not found"
"""The row of all purposes that were not found. Any purpose is possible, so it always exists.

No key has a space. Without this row, a table that hides nothing would say that no purpose is rare,
and a table that hides something that one is.
"""

_BY_COMPARISON: Final = (Operation.GET_PERSON_DATA, Operation.VERIFY_PERSON)
_WITHIN: Final = (
    ((Outcome.RELEASED,), (Operation.GET_PERSON_DATA,)),
    ((Outcome.MATCHED,), (Operation.VERIFY_PERSON,)),
    ((Outcome.RELEASED, Outcome.MATCHED), _BY_COMPARISON),
    ((Outcome.RELEASED, Outcome.MATCHED, Outcome.NOT_MATCHED), _BY_COMPARISON),
    (
        (Outcome.ACCEPTED,),
        (Operation.REGISTER_CONSENT, Operation.REVOKE_CONSENT, Operation.EXPLAIN_DECISION),
    ),
)
"""Outcomes that only these operations have: the difference of both numbers is a cell as well."""


_FOLDED: Final = frozenset({Part.PURPOSES, Part.ATTRIBUTES, Part.REFUSALS})
"""Tables whose hidden rows are not listed: already their keys would say what was found."""


_OF_OUTCOMES: Final = (
    (Part.ATTRIBUTES, (Outcome.RELEASED,)),
    (Part.REFUSALS, (Outcome.NOT_MATCHED, Outcome.REFUSED, Outcome.UNDETERMINED)),
)
"""Tables of what only the decisions with these outcomes have."""


def build_public_tables(given: Sequence[VerifiedStatement]) -> dict[Part, ReportTable]:
    """Return the tables without small cells, and without those that would reveal one.

    A sum over keys of the statement is a sum of decisions, except in the tables of attributes,
    refusals and exceptions; there the sum is not shown, and the same rule is the cautious one.
    """
    open_to_public = _has_enough_persons(given)
    counts = {
        part: _public_counts(given, part) if open_to_public else hide_all(fixed_rows(given, part))
        for part in COUNTED
    }
    outcomes, operations = counts[Part.OUTCOMES].cells, counts[Part.OPERATIONS].cells
    for part, its_outcomes in _OF_OUTCOMES:
        counts[part] = _counts_within(given, part, _sum_shown(outcomes, its_outcomes))
    if not _differences_are_large(outcomes, operations):
        counts[Part.OPERATIONS] = hide_all(list(operations))
    tables = {part: _public_table(part, found.cells) for part, found in counts.items()}
    if len(given) > 1:
        recipients = suppress_cells(
            count_by_recipient(given),
            weights={each.statement.recipient: _persons(each) for each in given},
        ).cells
        tables[Part.RECIPIENTS] = build_table(Part.RECIPIENTS, recipients)
        tables[Part.CLASSES] = build_table(Part.CLASSES, _public_classes(recipients))
    return tables


def _public_counts(given: Sequence[VerifiedStatement], part: Part) -> SuppressedCounts:
    """Return a table without small cells.

    If a statement has a code that this version does not know, the name of its row would say that
    it was found. Then nothing of the table is shown.
    """
    fixed = fixed_rows(given, part)
    rows = ordered_rows(given, part)
    if part not in _FOLDED and len(rows) > len(fixed):
        return hide_all(fixed)
    return suppress_cells(rows if part is not Part.PURPOSES else rows | {_NOT_FOUND: 0})


def _counts_within(
    given: Sequence[VerifiedStatement], part: Part, whole: int | None
) -> SuppressedCounts:
    """Return a table of what some decisions have, if the numbers of these decisions are shown.

    Otherwise it would bound a hidden number from below. A reader also computes how many of these
    decisions do not have it, so that number must not be small, unless all of them have it.
    """
    if whole is None:
        return hide_all(fixed_rows(given, part))
    rows = ordered_rows(given, part)
    rests = {key: whole - count for key, count in rows.items()}
    return suppress_cells(
        rows, weights={key: min(rows[key], rest or rows[key]) for key, rest in rests.items()}
    )


def _persons(verified: VerifiedStatement) -> int:
    return verified.statement.totals.subjects


def _has_enough_persons(given: Sequence[VerifiedStatement]) -> bool:
    """Return whether the disclosures are certainly about `MIN_CELL` persons.

    A person may be a subject of several recipients, so the subjects are not added.
    """
    return max(map(_persons, given)) >= MIN_CELL


def _differences_are_large(
    outcomes: Mapping[str, int | None], operations: Mapping[str, int | None]
) -> bool:
    """Return whether no small number is the difference of an outcome and its operations."""
    for its_outcomes, its_operations in _WITHIN:
        part, whole = _sum_shown(outcomes, its_outcomes), _sum_shown(operations, its_operations)
        if part is not None and whole is not None and not may_show(part, within=whole):
            return False
    return True


def _sum_shown(cells: Mapping[str, int | None], keys: Sequence[str]) -> int | None:
    """Return the sum of cells; None if one of them is hidden."""
    counts = [cells[key] for key in keys]
    known = [count for count in counts if count is not None]
    return None if len(known) < len(counts) else sum(known)


def _public_table(part: Part, cells: Mapping[str, int | None]) -> ReportTable:
    if part not in _FOLDED:
        return build_table(part, cells)
    shown = {key: count for key, count in cells.items() if count is not None}
    return build_table(part, shown, folded=len(shown) < len(cells))


def _public_classes(recipients: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return the sums of classes, which are shown if all their recipients are."""
    classes: dict[str, int | None] = {}
    for code, count in sorted(recipients.items()):
        name = member_class(code)
        so_far = classes.get(name, 0)
        classes[name] = None if so_far is None or count is None else so_far + count
    return classes


def may_show_total(lines: int, given: Sequence[VerifiedStatement]) -> bool:
    """Return whether the number of all decisions is not small, and of enough persons."""
    return lines >= 2 * MIN_CELL and _has_enough_persons(given)
