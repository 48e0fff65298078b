"""The port that compares a probe with a record."""

from typing import Protocol

from makul.domain.matches import DemographicProbe, MatchMethod, MatchVerdict
from makul.domain.persons import Person


class Matcher(Protocol):
    """Compares a probe with a record. Without a record it does the same work against a decoy."""

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """The match methods that are available in this installation."""

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """Compare a probe with a record. The verdict is never `MATCH` if `person` is None."""
