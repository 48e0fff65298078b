"""A page of a monthly statement is what was planned, or there is no page (Procedure, cl. 11)."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from makul.admin.month_pages import ChangedMonthError, PageWriter
from makul.app.statement_pages import PageBuilder
from makul.documents.monthly_statements import XmlStatementDocuments
from makul_testing.builders.months import (
    ProvedGrounds,
    a_recorded_month,
    a_statement_request,
    month_decisions,
    page_ranges,
)

PLANNED = 3


def a_writer(staging: Path, read: int) -> PageWriter:
    """Return a writer whose process reads that many decisions of a page."""
    request = a_statement_request()
    month = a_recorded_month(PLANNED)
    builder = PageBuilder(XmlStatementDocuments(), ProvedGrounds(), request, month)
    work: Any = SimpleNamespace(request=request, staging=staging)
    return PageWriter(work, builder, lambda _: month_decisions(read))


def test_a_page_as_planned_is_written_and_verified(tmp_path: Path) -> None:
    (page,) = page_ranges(PLANNED)

    built = a_writer(tmp_path, PLANNED).write(page)

    assert built.reference.lines == PLANNED
    assert [file.name for file in tmp_path.iterdir()] == ["page-001.xml"]


@pytest.mark.parametrize("read", [PLANNED - 1, PLANNED + 1])
def test_a_page_that_changed_meanwhile_is_not_written(tmp_path: Path, read: int) -> None:
    """The processes read at other moments than the plan. Then the statement is built again."""
    (page,) = page_ranges(PLANNED)

    with pytest.raises(ChangedMonthError):
        a_writer(tmp_path, read).write(page)

    assert list(tmp_path.iterdir()) == []
