"""The monthly report: what people read of signed statements (Procedure, cl. 11).

Pure code: no XML, no HTML, no language, no clock. A report says nothing that its statements do not
say, so the same statements always give the same report. The parties of an agreement read all
numbers. The public reads them without small cells (`public_tables`), and no single decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from makul.domain.cell_suppression import MIN_CELL
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import MAX_LISTED_EXCEPTIONS, StatementLine
from makul.domain.months import Month
from makul.domain.public_tables import build_public_tables, may_show_total
from makul.domain.report_tables import (
    ListedException,
    Part,
    ReportTable,
    VerifiedStatement,
    build_full_tables,
    build_table,
    sum_totals,
)
from makul.domain.sample_answers import AnswerList, count_answers


class Audience(StrEnum):
    """Who reads a report."""

    PUBLIC = "public"
    PARTIES = "parties"
    """The operator, the authorised body and, for its own statement, the recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The main numbers of a report. None is hidden."""

    lines: int | None
    disclosures: int | None
    subjects: int | None
    repetitions: int | None
    exceptions: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyReport:
    """What a report says."""

    audience: Audience
    month: Month
    operator: MemberCode
    draft: bool
    statements: tuple[VerifiedStatement, ...]
    earlier: tuple[VerifiedStatement, ...]
    figures: Figures
    tables: Mapping[Part, ReportTable]
    """Without the recipients and classes of one statement, and the months if there is only one."""
    exceptions: tuple[ListedException, ...]
    """The first exceptions; none for the public."""
    answers: tuple[AnswerList, ...] = ()
    """The answers of the month's samples; none if they were not given."""

    def table(self, part: Part) -> ReportTable:
        """Return a table. It must exist."""
        return self.tables[part]


class UnfitStatementsError(ValueError):
    """Statements do not belong in one report. The error has a template and its fields."""

    def __init__(self, template: str, which: object) -> None:
        super().__init__(template)
        self.template = template
        self.fields = {"which": which}


class LineCollector:
    """Collects the first exceptions of a statement while its pages are verified."""

    def __init__(self) -> None:
        self.listed: list[ListedException] = []

    def add(self, recipient: MemberCode, line: StatementLine) -> None:
        """Keep the exceptions of a line, as many as a head lists."""
        decision = line.decision
        for found in line.exceptions[: MAX_LISTED_EXCEPTIONS - len(self.listed)]:
            self.listed.append(
                ListedException(
                    recipient=recipient,
                    disclosure_id=decision.disclosure_id,
                    request_id=decision.request_id,
                    decided_at=decision.decided_at,
                    operation=decision.operation,
                    outcome=decision.outcome,
                    found=found,
                )
            )


def compose_report(
    statements: Iterable[VerifiedStatement],
    earlier: Iterable[VerifiedStatement],
    audience: Audience,
    answers: Iterable[AnswerList] = (),
) -> MonthlyReport:
    """Return the report of the statements of one month. Raises `UnfitStatementsError`.

    The order of the arguments does not matter.
    """
    given = tuple(sorted(statements, key=lambda each: each.order))
    before = tuple(sorted(earlier, key=lambda each: each.order))
    _require_fit(given, before)
    public = audience is Audience.PUBLIC
    tables = build_public_tables(given) if public else build_full_tables(given)
    if before:
        tables[Part.MONTHS] = _months((*before, *given), public=public)
    lists = tuple(sorted(answers, key=lambda each: each.digest))
    if lists:
        tables[Part.ANSWERS] = count_answers(lists, public=public)
    first = given[0].statement
    return MonthlyReport(
        audience=audience,
        month=first.month,
        operator=first.operator,
        draft=any(each.statement.draft for each in given),
        statements=given,
        earlier=before,
        figures=_public_figures(given, tables) if public else _figures(given),
        tables=tables,
        exceptions=()
        if public
        else tuple(found for each in given for found in each.listed)[:MAX_LISTED_EXCEPTIONS],
        answers=lists,
    )


def _require_fit(given: Sequence[VerifiedStatement], before: Sequence[VerifiedStatement]) -> None:
    first = given[0].statement
    recipients = [each.statement.recipient for each in given]
    for each in (*given, *before):
        if each.statement.operator != first.operator:
            raise UnfitStatementsError(OTHER_OPERATOR, each.statement.operator)
    for each in given:
        if each.statement.month != first.month:
            raise UnfitStatementsError(OTHER_MONTH, each.statement.month)
        if recipients.count(each.statement.recipient) > 1:
            raise UnfitStatementsError(SAME_STATEMENT, each.statement.recipient)
    places = [(each.statement.month, each.statement.recipient) for each in before]
    for each in before:
        place = (each.statement.month, each.statement.recipient)
        if each.statement.draft or each.statement.month.begins >= first.month.begins:
            raise UnfitStatementsError(NOT_EARLIER, each.statement.month)
        if each.statement.recipient not in recipients:
            raise UnfitStatementsError(OTHER_RECIPIENT, each.statement.recipient)
        if places.count(place) > 1:
            raise UnfitStatementsError(SAME_STATEMENT, each.statement.recipient)


OTHER_OPERATOR: Final = "statements of several operators are not one report: {which}"
OTHER_MONTH: Final = "statements of several months are not one report: {which}; give --earlier"
SAME_STATEMENT: Final = "two statements of one recipient and month were given: {which}"
NOT_EARLIER: Final = "an earlier statement is of an earlier month, and no draft: {which}"
OTHER_RECIPIENT: Final = "an earlier statement is of a recipient of the report, but not {which}"


def _months(all_given: Sequence[VerifiedStatement], *, public: bool) -> ReportTable:
    """Return the decisions by month. Each month has its own persons and no sum is shown."""
    counts: dict[str, int | None] = {}
    months = sorted({str(each.statement.month) for each in all_given})
    for month in months:
        of_month = [each for each in all_given if str(each.statement.month) == month]
        lines = sum(each.statement.totals.lines for each in of_month)
        counts[month] = None if public and not may_show_total(lines, of_month) else lines
    return build_table(Part.MONTHS, counts)


def _figures(given: Sequence[VerifiedStatement]) -> Figures:
    totals = [each.statement.totals for each in given]
    return Figures(
        lines=sum(each.lines for each in totals),
        disclosures=sum(each.disclosures for each in totals),
        subjects=sum(each.subjects for each in totals),
        repetitions=sum(each.repetitions for each in totals),
        exceptions=sum(sum_totals(given, Part.EXCEPTIONS).values()),
    )


def _public_figures(
    given: Sequence[VerifiedStatement], tables: Mapping[Part, ReportTable]
) -> Figures:
    """Return the main numbers; a sum only if it is large, or all its parts are shown."""
    full = _figures(given)
    outcomes = {row.key: row.count for row in tables[Part.OUTCOMES].rows}
    released, matched = outcomes[Outcome.RELEASED], outcomes[Outcome.MATCHED]
    disclosures = None if released is None or matched is None else released + matched
    shows_all = may_show_total(full.lines or 0, given)
    return Figures(
        lines=full.lines if shows_all else None,
        disclosures=disclosures,
        subjects=None if disclosures is None or len(given) > 1 else full.subjects,
        repetitions=full.repetitions if shows_all and (full.repetitions or 0) >= MIN_CELL else None,
        exceptions=None,
    )
