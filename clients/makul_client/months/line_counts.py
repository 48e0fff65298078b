"""The counts of a month's lines, compared with the totals that the head states."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from makul_client.models.months import BISHKEK, LineException, MonthlyStatement, StatementLine

NONE: Final = "none"
"""The value of decisions without a ground or a purpose."""
MAX_LISTED_EXCEPTIONS: Final = 400
"""The maximum number of exceptions in a head (month.xsd)."""
DISCLOSING: Final = frozenset({"RELEASED", "MATCHED"})
"""The outcomes that give data or a yes."""

_PROVED: Final = (
    "operationTotal",
    "outcomeTotal",
    "groundTotal",
    "dayTotal",
    "attributeTotal",
    "exceptionTotal",
)
"""The totals that the lines prove. A line has neither purpose nor reason."""


@dataclass(slots=True)
class LineCounts:
    """The counts of the lines read so far."""

    lines: int = 0
    disclosures: int = 0
    listed: list[tuple[UUID, LineException]] = field(default_factory=list)
    by: Mapping[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in _PROVED}
    )

    def add(self, line: StatementLine) -> None:
        """Count one line."""
        self.lines += 1
        self.disclosures += line.outcome in DISCLOSING
        self.by["operationTotal"][line.operation] += 1
        self.by["outcomeTotal"][line.outcome] += 1
        self.by["groundTotal"][line.ground_kind or NONE] += 1
        self.by["dayTotal"][line.decided_at.astimezone(BISHKEK).date().isoformat()] += 1
        self.by["attributeTotal"].update(line.attributes)
        for found in line.exceptions:
            self.by["exceptionTotal"][found.kind] += 1
            if len(self.listed) < MAX_LISTED_EXCEPTIONS:
                self.listed.append((line.disclosure_id, found))

    def are_those_of(self, statement: MonthlyStatement) -> bool:
        """Return whether a head states exactly these counts and exceptions.

        What the lines do not prove must at least be possible.
        """
        return (
            (statement.lines, statement.disclosures) == (self.lines, self.disclosures)
            and all(statement.totals[name] == counts for name, counts in self.by.items())
            and statement.exceptions == tuple(self.listed)
            and statement.subjects <= self.disclosures
            and sum(statement.totals["purposeTotal"].values()) == self.lines
            and all(
                count <= self.lines - self.disclosures
                for count in statement.totals["refusalTotal"].values()
            )
        )
