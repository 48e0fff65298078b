"""A month becomes pages and a head, with constant memory (Procedure, cl. 11)."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest

from makul.app import monthly_statements
from makul.app.monthly_statements import StatementBuilder
from makul.app.ports import GroundProofs, RecordedMonth
from makul.app.statement_pages import (
    OversizedMonthError,
    StatementRequest,
    UnpublishedDecisionError,
)
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import MAX_LISTED_EXCEPTIONS, MonthlyStatement
from makul_testing.builders.documents import valid
from makul_testing.builders.months import (
    BUILT_AT,
    IN_OCTOBER,
    a_consent_document,
    a_recorded_month,
    a_statement_request,
    build_in_memory,
    month_decisions,
)
from makul_testing.builders.records import AZAMAT, PURPOSE, an_agreement


class UnsignedSigner:
    """A signer that adds nothing: these tests are about the content."""

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        del at
        return canonical

    def ready(self) -> bool:
        return True


@dataclass
class BuiltStatements:
    """A statement and its pages."""

    statement: MonthlyStatement | None = None
    head: bytes = b""
    pages: list[bytes] = field(default_factory=list)
    reported: list[int] = field(default_factory=list)


def build(
    recorded: RecordedMonth,
    request: StatementRequest | None = None,
    *,
    keep: bool = True,
    proofs: GroundProofs | None = None,
) -> BuiltStatements:
    built = BuiltStatements()
    builder = StatementBuilder(
        documents=XmlStatementDocuments(),
        signer=UnsignedSigner(),
        operator=MemberCode("GOV/70000001"),
    )
    request = request or a_statement_request()
    built.statement, built.head = builder.build(
        request,
        recorded,
        build_pages=build_in_memory(
            request, recorded, lambda _, page: built.pages.append(page if keep else b""), proofs
        ),
        report=built.reported.append,
        at=BUILT_AT,
    )
    return built


def test_25_000_lines_are_three_pages() -> None:
    """Each page is valid by the schema, and the head names its exact bytes."""
    built = build(a_recorded_month(25_000))

    assert built.statement is not None
    assert built.reported == [10_000, 10_000, 5_000]
    assert [page.lines for page in built.statement.pages] == built.reported
    assert [page.number for page in built.statement.pages] == [1, 2, 3]
    assert [page.digest for page in built.statement.pages] == [
        sha256(page).digest() for page in built.pages
    ]
    for content in (built.head, built.pages[2]):
        valid(content, "month")


@contextmanager
def traced() -> Iterator[list[int]]:
    """Yield a list that contains the peak of allocated bytes after the block."""
    peak: list[int] = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def test_memory_is_that_of_one_page() -> None:
    """Fifteen times the lines need no more than half as much again."""
    build(a_recorded_month(200), keep=False)  # loads what is loaded once
    with traced() as small:
        build(a_recorded_month(200), keep=False)
    with traced() as large:
        build(a_recorded_month(3_000, page_lines=200), keep=False)

    assert large[0] < 1.5 * small[0], (small, large)


def test_a_month_without_decisions_has_a_head_and_no_page() -> None:
    """That nothing was given is a statement, too."""
    built = build(a_recorded_month(0))

    assert built.statement is not None
    assert (built.statement.totals.lines, built.statement.pages, built.pages) == (0, (), [])
    valid(built.head, "month")


def test_decisions_are_counted_by_each_of_their_values() -> None:
    """The document of the ground is missing, so each release is an exception."""
    built = build(a_recorded_month(3))

    assert built.statement is not None
    totals = built.statement.totals
    assert (totals.lines, totals.disclosures, totals.subjects, totals.repetitions) == (3, 3, 3, 3)
    assert totals.operations == (("GetPersonData", 3),)
    assert totals.outcomes == (("RELEASED", 3),)
    assert totals.grounds == (("CONSENT", 3),)
    assert totals.purposes == ((PURPOSE, 3),)
    assert totals.days == (("2026-10-01", 3),)
    assert totals.attributes == (("givenName", 3), ("surname", 3))
    assert totals.refusals == ()
    assert totals.exceptions == (("NO_LONGER_PROVABLE", 3),)


def test_refusals_are_counted_by_code_and_purposes_of_requests_are_no_keys() -> None:
    """A caller must not be able to fill the head with purposes of its own."""
    refused = {"outcome": Outcome.REFUSED, "codes": ("AGR-03", "CNS-01"), "attributes": ()}
    other = build(a_recorded_month(2, **refused, purpose="ANY_PURPOSE", ground_kind=None))
    none = build(a_recorded_month(1, **refused, purpose=None))

    assert other.statement is not None
    assert none.statement is not None
    assert other.statement.totals.refusals == (("AGR-03", 2), ("CNS-01", 2))
    assert other.statement.totals.purposes == (("other", 2),)
    assert other.statement.totals.grounds == (("none", 2),)
    assert other.statement.totals.exceptions == ()
    assert none.statement.totals.purposes == (("none", 1),)


def test_the_head_lists_the_first_exceptions_and_counts_all() -> None:
    """The pages have every exception, and the head stays small."""
    built = build(a_recorded_month(MAX_LISTED_EXCEPTIONS + 5))

    assert built.statement is not None
    assert len(built.statement.exceptions) == MAX_LISTED_EXCEPTIONS
    assert built.statement.totals.exceptions == (("NO_LONGER_PROVABLE", MAX_LISTED_EXCEPTIONS + 5),)
    assert built.pages[0].count(b"<exception>") == MAX_LISTED_EXCEPTIONS + 5


@pytest.mark.parametrize("size", [0, 2])
def test_a_decision_outside_the_published_log_stops_the_statement(size: int) -> None:
    """The statement rests on the checkpoint, so every decision must be in its tree."""
    with pytest.raises(UnpublishedDecisionError):
        build(a_recorded_month(3), a_statement_request(tree_size=size))

    assert build(a_recorded_month(3), a_statement_request(tree_size=3)).pages
    assert build(a_recorded_month(3), a_statement_request(tree_size=size, draft=True)).pages


def test_only_agreements_of_the_month_are_named() -> None:
    """An agreement that ended before the month is not one of the month."""
    begins = a_statement_request().month.begins
    old = an_agreement(number="A-OLD", valid_to=begins)
    built = build(a_recorded_month(0), a_statement_request(agreements=(old, an_agreement())))

    assert built.statement is not None
    assert built.statement.agreements == (an_agreement().number,)


def test_an_agreement_that_was_used_is_named_also_if_its_term_was_moved() -> None:
    """A renewal moves the term. A refused request may name any number, and does not count."""
    moved = an_agreement(valid_from=a_statement_request().month.ends)
    request = a_statement_request(agreements=(moved,))
    refused = {"outcome": Outcome.REFUSED, "codes": ("AGR-01",), "attributes": ()}

    for recorded, numbers in (
        (a_recorded_month(1), (moved.number,)),
        (a_recorded_month(1, agreement_number="GONE"), ("GONE",)),
        (a_recorded_month(1, **refused), (moved.number,)),
        (a_recorded_month(1, **refused, agreement_number="ANY"), ()),
        (a_recorded_month(0), ()),
    ):
        built = build(recorded, request)
        assert built.statement is not None
        assert built.statement.agreements == numbers


def documented(document: bytes, digest: bytes, **changes: Any) -> RecordedMonth:
    """One release with this document stored under this digest."""
    month = a_recorded_month(1)
    (each,) = month_decisions(1, decided_at=IN_OCTOBER, ground_digest=digest)
    assert each.ground is not None
    ground = replace(each.ground, digest=digest)
    changed = replace(each, document=document, ground=ground, **changes)
    return replace(month, read_page=lambda _: iter((changed,)))


def facts(recorded: RecordedMonth, proofs: GroundProofs | None = None) -> list[str]:
    built = build(recorded, proofs=proofs)
    assert built.statement is not None
    return [each.fact for each in built.statement.exceptions]


def test_a_document_is_compared_with_the_decision_whose_digest_it_has() -> None:
    """Whose consent it is, is asked of the store; bytes under another digest are no document."""
    document = a_consent_document()
    digest = sha256(document).digest()

    assert facts(documented(document, digest)) == []
    assert facts(documented(document, b"x" * 32)) == ["DOCUMENT_NOT_STORED"]
    assert facts(documented(document, digest, is_about=lambda subject: False)) == ["GROUND_SUBJECT"]
    asked: list[object] = []
    facts(
        documented(document, digest, is_about=lambda subject: bool(asked.append(subject)) or True)
    )
    assert asked == [AZAMAT]


def test_a_refusal_with_two_reasons_of_one_code_is_one_decision() -> None:
    """The schema says: decisions, by the code of each of their reasons."""
    refused = {"outcome": Outcome.REFUSED, "codes": ("CNS-09", "CNS-09", "AGR-03")}
    built = build(a_recorded_month(1, **refused, attributes=()))

    assert built.statement is not None
    assert built.statement.totals.refusals == (("AGR-03", 1), ("CNS-09", 1))


@pytest.mark.parametrize("limit", ["MAX_PAGES", "MAX_HEAD_BYTES"])
def test_a_month_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """A statement that a verifier would refuse is not signed."""
    limits: dict[str, Any] = {"MAX_PAGES": 1, "MAX_HEAD_BYTES": 500}
    monkeypatch.setattr(monthly_statements, limit, limits[limit])

    with pytest.raises(OversizedMonthError):
        build(a_recorded_month(3, page_lines=2))


@dataclass
class DoubtfulGrounds:
    """Proofs of which one thing is missing; it notes what was asked."""

    fault: str
    asked: list[tuple[bytes | None, bytes, bytes]] = field(default_factory=list)

    def find_fault(self, report: bytes | None, document: bytes, digest: bytes) -> str | None:
        self.asked.append((report, document, digest))
        return self.fault


def test_a_ground_that_cannot_be_proved_now_is_an_exception() -> None:
    """The proof is asked with the report and the document of that very decision."""
    document = a_consent_document()
    digest = sha256(document).digest()
    proofs = DoubtfulGrounds("ANCHOR_NOT_TRUSTED")

    built = build(documented(document, digest, report=b"report"), proofs=proofs)

    assert built.statement is not None
    (found,) = built.statement.exceptions
    assert (found.kind, found.fact) == ("NO_LONGER_PROVABLE", "ANCHOR_NOT_TRUSTED")
    assert proofs.asked == [(b"report", document, digest)]


def test_the_proof_of_other_bytes_is_not_asked() -> None:
    """Bytes under another digest are no document: that is said, and nothing about its proof."""
    proofs = DoubtfulGrounds("ANCHOR_NOT_TRUSTED")

    assert facts(documented(a_consent_document(), b"x" * 32), proofs) == ["DOCUMENT_NOT_STORED"]
    assert proofs.asked == []


def test_pages_and_counts_do_not_depend_on_who_builds_them() -> None:
    """The counts of pages are merged in order: the first exceptions are listed."""
    whole = build(a_recorded_month(900))
    parts = build(a_recorded_month(900, page_lines=100))

    assert whole.statement is not None
    assert parts.statement is not None
    assert whole.statement == replace(parts.statement, pages=whole.statement.pages)
