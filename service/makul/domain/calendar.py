"""The calendar of the Republic, by which papers, acts and ages are dated."""

from datetime import date, datetime, timedelta, timezone

BISHKEK = timezone(timedelta(hours=6))
"""The Republic's time: UTC+6 all year since 2005 (IANA tz, Asia/Bishkek)."""

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far a recipient's or a signer's clock may differ from ours, for messages and documents alike.

A consent signed by a clock that is some seconds ahead is presented at once, at the same desk.
"""


def has_begun(since: datetime, *, at: datetime) -> bool:
    """Return whether a term that begins at `since` counts as begun, by a clock that may differ."""
    return since <= at + CLOCK_TOLERANCE


def legal_day(at: datetime) -> date:
    """The day in the Kyrgyz Republic, which keeps one time all year round."""
    return at.astimezone(BISHKEK).date()
