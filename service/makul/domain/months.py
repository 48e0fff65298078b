"""Months of the Republic's calendar, by which consents are checked (Procedure, cl. 11)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from makul.domain.calendar import BISHKEK

_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)


class Period(Protocol):
    """A period of time. It contains the instants of [`begins`, `ends`)."""

    @property
    def begins(self) -> datetime:
        """The first instant."""

    @property
    def ends(self) -> datetime:
        """The first instant after it."""


class MalformedMonthError(ValueError):
    """The given text is not a month."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month. It contains the instants of [`begins`, `ends`)."""

    year: int
    number: int
    """The month of the year, 1 to 12."""

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def begins(self) -> datetime:
        """The first instant of the month, in UTC: six hours before the UTC month begins."""
        return datetime(self.year, self.number, 1, tzinfo=BISHKEK).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first instant after the month, in UTC."""
        return self.following.begins

    @property
    def following(self) -> "Month":
        """The next month."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)


def parse_month(text: str) -> Month:
    """Parse a month written as 2026-11; raises `MalformedMonthError`."""
    match = _MONTH.fullmatch(text)
    if match is None:
        raise MalformedMonthError("a month is written as 2026-11")
    return Month(int(match[1]), int(match[2]))


def month_of(at: datetime) -> Month:
    """Return the month that contains an instant."""
    local = at.astimezone(BISHKEK)
    return Month(local.year, local.month)


def month_before(at: datetime) -> Month:
    """Return the last month that ended before or at this instant."""
    local = at.astimezone(BISHKEK)
    if local.month == 1:
        return Month(local.year - 1, 12)
    return Month(local.year, local.month - 1)
