"""The calendar of the Republic, by which papers, acts and ages are dated."""

from datetime import date, datetime, timedelta, timezone

BISHKEK = timezone(timedelta(hours=6))
"""The Republic's time: UTC+6 all year since 2005 (IANA tz, Asia/Bishkek)."""


def legal_day(at: datetime) -> date:
    """The day in the Kyrgyz Republic, which keeps one time all year round."""
    return at.astimezone(BISHKEK).date()
