"""Builders of monthly statements for tests. Everybody in them is invented."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from makul.app.monthly_statements import BuildPages
from makul.app.ports import GroundProofs, MonthDecision, PageRange, RecordedMonth
from makul.app.statement_pages import BuiltPage, PageBuilder, StatementRequest
from makul.documents import render_consent
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.consents import Consent
from makul.domain.disclosures import Outcome
from makul.domain.monthly_statements import (
    MAX_PAGE_LINES,
    GroundRecord,
    PageReference,
    RecordedDecision,
)
from makul.domain.months import Month
from makul_testing.builders.documents import CONSENT, CONSENT_DISPLAY
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    NOON,
    PURPOSE,
    a_recipient,
    an_agreement,
)

OCTOBER = Month(2026, 10)
IN_OCTOBER = NOON - timedelta(days=20)
AGREED_AT = IN_OCTOBER - timedelta(days=50)
"""Before the decisions of October, so that its terms are those that were in force."""


def a_consent_document(**changes: Any) -> bytes:
    """Azamat's consent for the bank under its agreement, valid around `IN_OCTOBER`."""
    consent: Consent = replace(
        CONSENT,
        subject=AZAMAT,
        recipient=BANK,
        agreement_number=AGREEMENT_NUMBER,
        purpose=PURPOSE,
        given_at=IN_OCTOBER - timedelta(days=1),
        valid_from=IN_OCTOBER - timedelta(days=1),
        valid_to=IN_OCTOBER + timedelta(days=30),
    )
    return render_consent(replace(consent, **changes), CONSENT_DISPLAY)


def month_decisions(count: int, *, first: int = 0, **changes: Any) -> Iterator[MonthDecision]:
    """Yield releases by consent, each a second after the one before."""
    for number in range(first, first + count):
        decision = RecordedDecision(
            disclosure_id=UUID(int=number + 1),
            recipient=BANK,
            decided_at=OCTOBER.begins + timedelta(seconds=number),
            request_id=UUID(int=number + 2**64),
            operation="GetPersonData",
            outcome=Outcome.RELEASED,
            codes=(),
            attributes=("givenName", "surname"),
            purpose=PURPOSE,
            agreement_number=AGREEMENT_NUMBER,
            ground_kind="CONSENT",
            ground_digest=b"d" * 32,
            receipt_digest=b"r" * 32,
        )
        yield MonthDecision(
            decision=replace(decision, **changes),
            leaf_index=number,
            ground=GroundRecord(digest=b"d" * 32, revoked_at=None, uses_before=0, allowed=1),
            document=None,
            report=b"{}",
            is_about=lambda subject: subject == AZAMAT,
        )


def a_recorded_month(
    count: int, *, page_lines: int = MAX_PAGE_LINES, **changes: Any
) -> RecordedMonth:
    """A month of the bank with that many releases."""
    return RecordedMonth(
        subjects=count,
        repetitions=3,
        pages=page_ranges(count, page_lines),
        read_page=lambda page: month_decisions(page.lines, first=page.after[0], **changes),
        agreements_changed_at=defaultdict(lambda: AGREED_AT),
        agreement_versions={},
        answers={},
        read_at=BUILT_AT,
    )


def page_ranges(count: int, page_lines: int = MAX_PAGE_LINES) -> Iterator[PageRange]:
    """Yield the pages of that many decisions. The position of a decision is its number."""
    for number, begin in enumerate(range(0, count, page_lines), start=1):
        end = min(begin + page_lines, count)
        yield PageRange(
            number=number, after=(begin, b""), last=(end, b""), lines=end - begin, uses_before={}
        )


class ProvedGrounds:
    """Proofs that are all there."""

    def find_fault(self, report: bytes | None, document: bytes, digest: bytes) -> str | None:
        del report, document, digest
        return None


def build_in_memory(
    request: StatementRequest,
    recorded: RecordedMonth,
    write: Callable[[int, bytes], object],
    proofs: GroundProofs | None = None,
) -> BuildPages:
    """Return a builder of pages that writes each by a function."""
    builder = PageBuilder(
        XmlStatementDocuments(),
        proofs or ProvedGrounds(),
        request,
        recorded,
    )

    def build(pages: Iterable[PageRange]) -> Iterator[BuiltPage]:
        for page in pages:
            content, counts = builder.build(page, recorded.read_page(page))
            write(page.number, content)
            reference = PageReference(
                number=page.number, lines=page.lines, digest=sha256(content).digest()
            )
            del content  # or it would be held while the next page is built
            yield BuiltPage(reference=reference, counts=counts)

    return build


def a_statement_request(**changes: Any) -> StatementRequest:
    """The bank's October, on a log that has all its decisions."""
    request = StatementRequest(
        month=OCTOBER,
        recipient=a_recipient(),
        agreements=(an_agreement(),),
        draft=False,
        checkpoint=b"log\n1\nroot\n",
        tree_size=10**9,
    )
    return replace(request, **changes)


BUILT_AT: datetime = OCTOBER.ends + timedelta(hours=3)
