"""Build a recipient's monthly statement: pages of lines, and a signed head (Procedure, cl. 11)."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice

from makul.app.exception_finder import ExceptionFinder
from makul.app.ports import ReceiptSigner, RecordedMonth, StatementDocuments
from makul.app.statement_counts import NONE, LineCounts, sorted_totals
from makul.domain.agreements import Agreement
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import (
    DISCLOSING,
    MAX_PAGE_LINES,
    MAX_PAGES,
    MonthlyStatement,
    PageReference,
    RecordedDecision,
    StatementLine,
    StatementPage,
    StatementTotals,
)
from makul.domain.months import Month
from makul.domain.recipients import Recipient
from makul.language.translation import translate

MAX_HEAD_BYTES = 256 * 1024
"""The maximum size of a signed document, as in docs/recipients.md."""

MAX_COUNTED_PURPOSES = 256
"""Maximum number of purposes that are counted one by one, so that the head stays small."""

OTHER = "other"
"""The key of all other purposes. No purpose is like it: those are written in capitals."""


class UnbuildableStatementError(Exception):
    """The month cannot be stated. The message says why, in words for an operator."""


class UnpublishedDecisionError(UnbuildableStatementError):
    """A decision of the month is not in the published log yet."""


class OversizedMonthError(UnbuildableStatementError):
    """The month has more decisions, agreements or purposes than one statement may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRequest:
    """Whose month is stated, and on which log it rests."""

    month: Month
    recipient: Recipient
    agreements: Collection[Agreement]
    """All agreements of the recipient."""
    draft: bool
    checkpoint: bytes
    """The published signed note of the log."""
    tree_size: int
    """The size of the tree that the note states."""


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
        write_page: Callable[[int, bytes], None],
        report: Callable[[int], None],
        at: datetime,
    ) -> tuple[MonthlyStatement, bytes]:
        """Write the pages, and return the head and its signed bytes.

        `report` receives the number of lines after each page. Memory holds one page at a time.
        Raises `UnbuildableStatementError`, and `SignerUnavailableError`.
        """
        counts = _Counts(
            purposes=_agreed_purposes(request.agreements),
            registered=frozenset(str(each.number) for each in request.agreements),
        )
        pages = []
        for number, lines in enumerate(
            _split_into_pages(self._lines(request, recorded, counts)), start=1
        ):
            if number > MAX_PAGES:
                raise OversizedMonthError(translate("more decisions than a statement can list"))
            content = self._render_page(request, number, lines)
            write_page(number, content)
            digest = sha256(content).digest()
            pages.append(PageReference(number=number, lines=len(lines), digest=digest))
            report(len(lines))
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

    def _render_page(
        self, request: StatementRequest, number: int, lines: tuple[StatementLine, ...]
    ) -> bytes:
        return self.documents.render_page(
            StatementPage(
                month=request.month, recipient=request.recipient.code, number=number, lines=lines
            )
        )

    def _lines(
        self, request: StatementRequest, month: RecordedMonth, counts: "_Counts"
    ) -> Iterator[StatementLine]:
        finder = ExceptionFinder(self.documents, request.agreements, month)
        for recorded in month.decisions:
            index, decision = recorded.leaf_index, recorded.decision
            if not request.draft and (index is None or index >= request.tree_size):
                raise UnpublishedDecisionError("a decision is not in the published log yet")
            line = StatementLine(decision=decision, exceptions=finder.compare(recorded).exceptions)
            counts.add(decision)
            counts.lines.add(line)
            yield line


def _split_into_pages(lines: Iterator[StatementLine]) -> Iterator[tuple[StatementLine, ...]]:
    while page := tuple(islice(lines, MAX_PAGE_LINES)):
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


def _agreed_purposes(agreements: Iterable[Agreement]) -> frozenset[str]:
    """Return the purposes to count one by one.

    A refused request may name any purpose, so purposes of requests must not become keys.
    """
    agreed = {purpose for each in agreements for purpose in each.purposes}
    return frozenset(sorted(agreed)[:MAX_COUNTED_PURPOSES])


@dataclass(slots=True, kw_only=True)
class _Counts:
    """The counts of a month while its decisions are read: those of the lines, and others."""

    purposes: frozenset[str]
    registered: frozenset[str]
    """The agreements of the recipient. A refused request may name any number."""
    agreements: set[str] = field(default_factory=set)
    """Those that decisions used."""
    lines: LineCounts = field(default_factory=LineCounts)
    by_purpose: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    """Decisions that gave nothing. A decision may have several reasons of one code."""

    def add(self, decision: RecordedDecision) -> None:
        """Count what is not on the line of a decision."""
        disclosed = decision.outcome in DISCLOSING
        number = decision.agreement_number
        if number is not None and (disclosed or number in self.registered):
            self.agreements.add(number)
        self.by_purpose[self._purpose_key(decision.purpose)] += 1
        if not disclosed:
            self.by_code.update(set(decision.codes))

    def _purpose_key(self, purpose: str | None) -> str:
        if purpose is None:
            return NONE
        return purpose if purpose in self.purposes else OTHER

    def totals(self, recorded: RecordedMonth) -> StatementTotals:
        return StatementTotals(
            lines=self.lines.lines,
            disclosures=self.lines.disclosures,
            subjects=recorded.subjects,
            repetitions=recorded.repetitions,
            purposes=sorted_totals(self.by_purpose),
            refusals=sorted_totals(self.by_code),
            **self.lines.totals(),
        )
