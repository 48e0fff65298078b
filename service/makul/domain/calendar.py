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


MIN_YEAR, MAX_YEAR = 1900, 9000
USUAL_YEARS = f"the year is {MIN_YEAR} to {MAX_YEAR}"


def is_usual_year(year: int) -> bool:
    """Return whether every offset and a term of centuries can be added to a time of this year.

    `datetime` ends with the years 1 and 9999: beyond them a time cannot even be shown in UTC.
    """
    return MIN_YEAR <= year <= MAX_YEAR


def legal_day(at: datetime) -> date:
    """The day in the Kyrgyz Republic, which keeps one time all year round."""
    return at.astimezone(BISHKEK).date()
