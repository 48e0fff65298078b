"""Build a recipient's monthly statement: a signed head over its pages (Procedure, cl. 11)."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from makul.app.ports import PageRange, ReceiptSigner, RecordedMonth, StatementDocuments
from makul.app.statement_pages import (
    BuiltPage,
    OversizedMonthError,
    PageCounts,
    StatementRequest,
)
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import MAX_PAGES, MonthlyStatement
from makul.language.translation import translate

MAX_HEAD_BYTES = 256 * 1024
"""The maximum size of a signed document, as in docs/recipients.md."""

BuildPages = Callable[[Iterable[PageRange]], Iterator[BuiltPage]]
"""Builds and writes pages, in order. It may use several processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementBuilder:
    """Builds statements with the operator's key for receipts."""

    documents: StatementDocuments
    signer: ReceiptSigner
    operator: MemberCode

    def build(
        self,
        request: StatementRequest,
        recorded: RecordedMonth,
        *,
        build_pages: BuildPages,
        report: Callable[[int], None],
        at: datetime,
    ) -> tuple[MonthlyStatement, bytes]:
        """Have the pages built, and return the head and its signed bytes.

        `report` receives the number of lines after each page. Memory holds the counts only.
        Raises `UnbuildableStatementError`, and `SignerUnavailableError`.
        """
        counts, pages = PageCounts(), []
        for built in build_pages(_bounded(recorded.pages)):
            pages.append(built.reference)
            counts.merge(built.counts)
            report(built.reference.lines)
        statement = MonthlyStatement(
            month=request.month,
            draft=request.draft,
            operator=self.operator,
            recipient=request.recipient.code,
            recipient_name=" ".join(request.recipient.name.split()),
            agreements=_agreements_to_list(request, counts.agreements),
            built_at=at,
            checkpoint=request.checkpoint,
            totals=counts.totals(recorded),
            exceptions=tuple(counts.lines.listed),
            pages=tuple(pages),
        )
        signed = self.signer.sign(self.documents.render_statement(statement), at=at)
        if len(signed) > MAX_HEAD_BYTES:
            raise OversizedMonthError(translate("the head is larger than a signed document may be"))
        return statement, signed


def _bounded(pages: Iterable[PageRange]) -> Iterator[PageRange]:
    for page in pages:
        if page.number > MAX_PAGES:
            raise OversizedMonthError(translate("more decisions than a statement can list"))
        yield page


def _agreements_to_list(request: StatementRequest, used: Collection[str]) -> tuple[str, ...]:
    """Return the numbers of the agreements that were used, or whose term touches the month.

    A later draft may have moved the term of an agreement out of the month.
    """
    month = request.month
    touching = {
        str(each.number)
        for each in request.agreements
        if each.valid_from < month.ends and each.valid_to > month.begins
    }
    return tuple(sorted(touching | set(used)))
