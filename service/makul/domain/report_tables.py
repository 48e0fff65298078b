"""The tables of a monthly report: which rows they have, and their sums (Procedure, cl. 11).

Pure code. A table for the parties has what was found. A table for the public has rows that do not
depend on what was found, because the name of a row says something as well.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import ExceptionKind, LineException, MonthlyStatement
from makul.domain.months import Month
from makul.domain.reasons import Code

NONE: Final = "none"
"""The key of decisions without a ground or a purpose in a statement."""

UNLISTED: Final = "other"
"""The key of a statement's purposes that no agreement names, and of keys that are not listed."""


class Part(StrEnum):
    """A table of a report."""

    DAYS = "days"
    OPERATIONS = "operations"
    OUTCOMES = "outcomes"
    GROUNDS = "grounds"
    PURPOSES = "purposes"
    ATTRIBUTES = "attributes"
    REFUSALS = "refusals"
    EXCEPTIONS = "exceptions"
    RECIPIENTS = "recipients"
    CLASSES = "classes"
    MONTHS = "months"
    ANSWERS = "answers"


COUNTED: Final = (
    *(Part.DAYS, Part.OPERATIONS, Part.OUTCOMES, Part.GROUNDS, Part.PURPOSES),
    *(Part.ATTRIBUTES, Part.REFUSALS, Part.EXCEPTIONS),
)
"""The tables whose rows a statement has as totals, by the same names."""

WHOLE: Final = frozenset(
    {Part.DAYS, Part.OPERATIONS, Part.OUTCOMES, Part.GROUNDS, Part.PURPOSES, Part.RECIPIENTS}
)
"""The tables whose rows together are all decisions. In the others a decision may count twice."""

_OUTCOMES: Final = (
    *(Outcome.RELEASED, Outcome.MATCHED, Outcome.NOT_MATCHED, Outcome.REFUSED),
    *(Outcome.UNDETERMINED, Outcome.ACCEPTED),
)
_OPERATIONS: Final = (
    *(Operation.VERIFY_PERSON, Operation.GET_PERSON_DATA, Operation.REGISTER_CONSENT),
    *(Operation.REVOKE_CONSENT, Operation.EXPLAIN_DECISION),
)
_ROWS: Final[Mapping[Part, tuple[str, ...]]] = {
    Part.OPERATIONS: _OPERATIONS,
    Part.OUTCOMES: _OUTCOMES,
    Part.GROUNDS: (GroundKind.CONSENT, NONE, GroundKind.BASIS),
    Part.PURPOSES: (),
    Part.ATTRIBUTES: tuple(Attribute),
    Part.REFUSALS: tuple(Code),
    Part.EXCEPTIONS: tuple(ExceptionKind),
}
"""The rows that a public table always has, in the order in which the last is hidden first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A row of a table. The count is None if it is hidden."""

    key: str
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table of a report. `folded` is whether one row stands for all that are not listed."""

    part: Part
    rows: tuple[ReportRow, ...]
    folded: bool = False

    @property
    def hides(self) -> bool:
        """Whether anything is hidden in it."""
        return self.folded or any(row.count is None for row in self.rows)

    @property
    def largest(self) -> int:
        """The largest number that is shown, at least 1, as the scale of a chart."""
        return max((row.count for row in self.rows if row.count is not None), default=0) or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedStatement:
    """A statement whose head and pages were verified, and the digest of its exact bytes."""

    statement: MonthlyStatement
    digest: bytes
    listed: tuple["ListedException", ...] = ()
    """The first exceptions, with what the lines say about their decisions."""

    @property
    def order(self) -> tuple[str, str, bytes]:
        """The place of a statement among others."""
        return str(self.statement.month), self.statement.recipient, self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedException:
    """An exception with its decision, as a report lists it."""

    recipient: MemberCode
    disclosure_id: UUID
    request_id: UUID
    decided_at: datetime
    operation: str
    outcome: str
    found: LineException


def member_class(code: str) -> str:
    """Return the class of a member code: COM of COM/60000001."""
    return code.partition("/")[0]


def sum_totals(given: Sequence[VerifiedStatement], part: Part) -> Counter[str]:
    """Return the sums of all statements by key."""
    sums: Counter[str] = Counter()
    for each in given:
        sums.update(dict(getattr(each.statement.totals, part)))
    return sums


def _days(month: Month) -> list[str]:
    first, after = date(month.year, month.number, 1), month.following
    count = (date(after.year, after.number, 1) - first).days
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


def fixed_rows(given: Sequence[VerifiedStatement], part: Part) -> list[str]:
    """Return the rows that a table has in every month."""
    return [*(_days(given[0].statement.month) if part is Part.DAYS else map(str, _ROWS[part]))]


def ordered_rows(given: Sequence[VerifiedStatement], part: Part) -> dict[str, int]:
    """Return all rows of a table: the fixed ones, those that were found, and the unlisted."""
    sums = sum_totals(given, part)
    fixed = fixed_rows(given, part)
    found = sorted(key for key in sums if key not in fixed and key != UNLISTED)
    rows = {key: sums[key] for key in (*fixed, *found)}
    if part is Part.PURPOSES:
        rows[UNLISTED] = sums[UNLISTED]
    return rows


def build_table(
    part: Part, counts: Mapping[str, int | None], *, folded: bool = False
) -> ReportTable:
    """Return a table with these rows."""
    rows = tuple(ReportRow(key=key, count=count) for key, count in counts.items())
    return ReportTable(part=part, rows=rows, folded=folded)


def build_full_tables(given: Sequence[VerifiedStatement]) -> dict[Part, ReportTable]:
    """Return the tables with everything that was found."""
    tables = {}
    for part in COUNTED:
        rows = ordered_rows(given, part)
        kept = {key: count for key, count in rows.items() if count or part is Part.DAYS}
        tables[part] = build_table(part, kept)
    if len(given) > 1:
        recipients = count_by_recipient(given)
        classes: Counter[str] = Counter()
        for code, count in recipients.items():
            classes[member_class(code)] += count
        tables[Part.RECIPIENTS] = build_table(Part.RECIPIENTS, recipients)
        tables[Part.CLASSES] = build_table(Part.CLASSES, dict(sorted(classes.items())))
    return tables


def count_by_recipient(given: Sequence[VerifiedStatement]) -> dict[str, int]:
    """Return the number of decisions of each recipient."""
    return {each.statement.recipient: each.statement.totals.lines for each in given}
