"""The comparison of a probe with a record."""

from typing import Protocol

from makul.domain.matches import DemographicProbe, MatchMethod, MatchVerdict
from makul.domain.persons import Person


class Matcher(Protocol):
    """Compares a probe with a record. Without a record it does the same work against a decoy."""

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """The methods that are available here."""

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """Never `MATCH` where `person` is None."""
