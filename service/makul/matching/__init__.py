"""Compare a probe with the record of a person, one method in each module (Procedure, cl. 10)."""

from makul.matching.demographic import DemographicMatcher

__all__ = ["DemographicMatcher"]
