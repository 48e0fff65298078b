"""A written monthly statement is verified with one page in memory at a time (cl. 11)."""

import tracemalloc
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest

from makul.admin import month_report, month_verification
from makul.admin.month_report import read_verified
from makul.admin.month_verification import page_name, verify_statement
from makul.app.monthly_statements import StatementBuilder
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import MAX_LISTED_EXCEPTIONS, MonthlyStatement
from makul_testing.builders.months import (
    BUILT_AT,
    a_recorded_month,
    a_statement_request,
    build_in_memory,
)


class UnsignedHead:
    """A signer that adds nothing: this test is about the pages."""

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        del at
        return canonical

    def ready(self) -> bool:
        return True


def write(directory: Path, count: int) -> MonthlyStatement:
    """Write the pages of a month with that many decisions, and return its head."""
    directory.mkdir()
    recorded, request = a_recorded_month(count, page_lines=200), a_statement_request()
    statement, _ = StatementBuilder(
        documents=XmlStatementDocuments(),
        signer=UnsignedHead(),
        operator=MemberCode("GOV/70000001"),
    ).build(
        request,
        recorded,
        build_pages=build_in_memory(
            request,
            recorded,
            lambda number, page: (directory / page_name(number)).write_bytes(page),
        ),
        report=lambda lines: None,
        at=BUILT_AT,
    )
    return statement


def test_a_report_reads_one_page_at_a_time_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line of this month is an exception, and a report keeps as many as a head lists."""
    peaks = {}
    for count in (400, 800, 8_000):
        directory = tmp_path / str(count)
        head = write(directory, count)
        (directory / "statement.xml").write_bytes(b"head")
        monkeypatch.setattr(month_report, "verify_head_bytes", lambda *_, head=head: head)
        tracemalloc.start()
        read = read_verified(directory, frozenset())
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sum(found for _, found in read.statement.totals.exceptions) >= count
        assert len(read.listed) == MAX_LISTED_EXCEPTIONS
        assert read.digest == sha256(b"head").digest()

    assert peaks[8_000] < 2 * peaks[800], peaks


def test_memory_is_that_of_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen times the pages need no more than twice the memory."""
    peaks = {}
    for count in (200, 400, 6_000):  # the first loads what is loaded once
        directory = tmp_path / str(count)
        head = write(directory, count)
        monkeypatch.setattr(month_verification, "verify_head", lambda *_, head=head: head)
        tracemalloc.start()
        assert verify_statement(directory / "statement.xml", frozenset()) == head
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peaks[6_000] < 2 * peaks[400], peaks
