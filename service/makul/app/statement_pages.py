"""Build one page of a monthly statement from the record (Procedure, cl. 11).

Each page can be built by itself, so several processes share a month. What they need is small, and
can be sent to another process.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from makul.app.exception_finder import ExceptionFinder
from makul.app.ports import (
    GroundProofs,
    MonthContext,
    MonthDecision,
    PageRange,
    RecordedMonth,
    StatementDocuments,
)
from makul.app.statement_counts import NONE, LineCounts, sorted_totals
from makul.domain.agreements import Agreement
from makul.domain.monthly_statements import (
    DISCLOSING,
    PageReference,
    RecordedDecision,
    StatementLine,
    StatementPage,
    StatementTotals,
)
from makul.domain.months import Month
from makul.domain.recipients import Recipient

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


@dataclass(slots=True, kw_only=True)
class PageCounts:
    """The counts of pages: those of the lines, and others."""

    lines: LineCounts = field(default_factory=LineCounts)
    agreements: set[str] = field(default_factory=set)
    """Those that decisions used."""
    by_purpose: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    """Decisions that gave nothing. A decision may have several reasons of one code."""

    def merge(self, later: "PageCounts") -> None:
        """Add the counts of pages that follow."""
        self.lines.merge(later.lines)
        self.agreements |= later.agreements
        self.by_purpose.update(later.by_purpose)
        self.by_code.update(later.by_code)

    def totals(self, recorded: RecordedMonth) -> StatementTotals:
        """Return the totals of the head."""
        return StatementTotals(
            lines=self.lines.lines,
            disclosures=self.lines.disclosures,
            subjects=recorded.subjects,
            repetitions=recorded.repetitions,
            purposes=sorted_totals(self.by_purpose),
            refusals=sorted_totals(self.by_code),
            **self.lines.totals(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPage:
    """A page that was written, and what was counted on it."""

    reference: PageReference
    counts: PageCounts


class PageBuilder:
    """Builds pages of one statement."""

    def __init__(
        self,
        documents: StatementDocuments,
        proofs: GroundProofs,
        request: StatementRequest,
        context: MonthContext,
    ) -> None:
        self._documents = documents
        self._request = request
        self._finder = ExceptionFinder(documents, proofs, request.agreements, context)
        self._purposes = _agreed_purposes(request.agreements)
        self._registered = frozenset(str(each.number) for each in request.agreements)

    def build(
        self, page: PageRange, decisions: Iterable[MonthDecision]
    ) -> tuple[bytes, PageCounts]:
        """Return a page and its counts. Raises `UnpublishedDecisionError`."""
        counts = PageCounts()
        content = self._documents.render_page(
            StatementPage(
                month=self._request.month,
                recipient=self._request.recipient.code,
                number=page.number,
                lines=tuple(self._lines(decisions, counts)),
            )
        )
        return content, counts

    def _lines(
        self, decisions: Iterable[MonthDecision], counts: PageCounts
    ) -> Iterator[StatementLine]:
        request = self._request
        for recorded in decisions:
            index, decision = recorded.leaf_index, recorded.decision
            if not request.draft and (index is None or index >= request.tree_size):
                raise UnpublishedDecisionError("a decision is not in the published log yet")
            self._count(decision, counts)
            line = StatementLine(
                decision=decision, exceptions=self._finder.compare(recorded).exceptions
            )
            counts.lines.add(line)
            yield line

    def _count(self, decision: RecordedDecision, counts: PageCounts) -> None:
        """Count what is not on the line of a decision.

        A refused request may name any agreement and purpose, so only known ones become keys.
        """
        disclosed = decision.outcome in DISCLOSING
        number = decision.agreement_number
        if number is not None and (disclosed or number in self._registered):
            counts.agreements.add(number)
        purpose = NONE if decision.purpose is None else decision.purpose
        counts.by_purpose[purpose if purpose in self._purposes else OTHER] += 1
        if not disclosed:
            counts.by_code.update(set(decision.codes))


def _agreed_purposes(agreements: Collection[Agreement]) -> frozenset[str]:
    """Return the purposes to count one by one, and the key of decisions without one."""
    agreed = {purpose for each in agreements for purpose in each.purposes}
    return frozenset((NONE, *sorted(agreed)[:MAX_COUNTED_PURPOSES]))
