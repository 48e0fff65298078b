"""Is it they? Probe against record, one method a module (Procedure, cl. 10)."""

from makul.matching.demographic import DemographicMatcher

__all__ = ["DemographicMatcher"]
