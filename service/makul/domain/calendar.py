"""The calendar of the Kyrgyz Republic, by which documents, acts and ages are dated."""

from datetime import date, datetime, timedelta, timezone

BISHKEK = timezone(timedelta(hours=6))
"""The Republic's time: UTC+6 all year since 2005 (IANA tz, Asia/Bishkek)."""

CLOCK_TOLERANCE = timedelta(seconds=60)
"""Maximum difference of a recipient's or signer's clock from ours, for messages and documents.

A consent signed by a clock that is some seconds ahead is presented at once, at the same counter.
"""


def has_begun(since: datetime, *, at: datetime) -> bool:
    """Return whether a term that begins at `since` has begun, within the clock tolerance."""
    return since <= at + CLOCK_TOLERANCE


MIN_YEAR, MAX_YEAR = 1900, 9000
USUAL_YEARS = f"the year is {MIN_YEAR} to {MAX_YEAR}"


def is_usual_year(year: int) -> bool:
    """Return whether any offset and a term of centuries can be added to a time of this year.

    `datetime` covers the years 1 to 9999. Beyond them a time cannot even be shown in UTC.
    """
    return MIN_YEAR <= year <= MAX_YEAR


def legal_day(at: datetime) -> date:
    """Return the day in the Kyrgyz Republic, which keeps one time all year."""
    return at.astimezone(BISHKEK).date()
