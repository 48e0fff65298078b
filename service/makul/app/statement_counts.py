"""Counts of a month's lines: those that the pages of a statement prove (Procedure, cl. 11).

The builder counts what it writes, and the verifier counts what it reads, by the same code.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from makul.domain.calendar import legal_day
from makul.domain.monthly_statements import (
    DISCLOSING,
    MAX_LISTED_EXCEPTIONS,
    MonthlyStatement,
    StatementException,
    StatementLine,
    Totals,
)

NONE = "none"
"""The key of decisions without a ground or a purpose. Those keys are written in capitals."""

_PROVED = ("operations", "outcomes", "grounds", "days", "attributes", "exceptions")
"""The totals that the lines prove. A line has no reason code and no purpose."""


def sorted_totals(counter: Counter[str]) -> Totals:
    """Return the counts, sorted by their value."""
    return tuple(sorted(counter.items()))


@dataclass(slots=True, kw_only=True)
class LineCounts:
    """The counts of lines while they are written or read."""

    lines: int = 0
    disclosures: int = 0
    listed: list[StatementException] = field(default_factory=list)
    by: Mapping[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in _PROVED}
    )

    def add(self, line: StatementLine) -> None:
        """Count one line."""
        decision, by = line.decision, self.by
        grounded = decision.ground_kind is not None and decision.ground_digest is not None
        self.lines += 1
        self.disclosures += decision.outcome in DISCLOSING
        by["operations"][decision.operation] += 1
        by["outcomes"][decision.outcome.value] += 1
        by["grounds"][(grounded and decision.ground_kind) or NONE] += 1
        by["days"][legal_day(decision.decided_at).isoformat()] += 1
        by["attributes"].update(set(decision.attributes))
        for found in line.exceptions:
            by["exceptions"][found.kind] += 1
            if len(self.listed) < MAX_LISTED_EXCEPTIONS:
                self.listed.append(
                    StatementException(
                        disclosure_id=decision.disclosure_id,
                        kind=found.kind,
                        fact=found.fact,
                        attribute=found.attribute,
                    )
                )

    def merge(self, later: "LineCounts") -> None:
        """Add the counts of lines that follow."""
        self.lines += later.lines
        self.disclosures += later.disclosures
        for name, counter in later.by.items():
            self.by[name].update(counter)
        self.listed += later.listed[: MAX_LISTED_EXCEPTIONS - len(self.listed)]

    def totals(self) -> dict[str, Totals]:
        """Return the totals by the name of their field."""
        return {name: sorted_totals(counter) for name, counter in self.by.items()}

    def matches_statement(self, statement: MonthlyStatement) -> bool:
        """Return whether a head states exactly these counts and exceptions."""
        stated = statement.totals
        return (
            (stated.lines, stated.disclosures) == (self.lines, self.disclosures)
            and all(getattr(stated, name) == found for name, found in self.totals().items())
            and statement.exceptions == tuple(self.listed)
        )
