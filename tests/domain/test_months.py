"""Months of the Republic begin six hours before those of UTC (Procedure, cl. 11)."""

from datetime import UTC, datetime, timedelta

import pytest

from makul.domain.months import MalformedMonthError, Month, parse_month


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-11", datetime(2026, 10, 31, 18, tzinfo=UTC), datetime(2026, 11, 30, 18, tzinfo=UTC)),
        ("2026-12", datetime(2026, 11, 30, 18, tzinfo=UTC), datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2028-02", datetime(2028, 1, 31, 18, tzinfo=UTC), datetime(2028, 2, 29, 18, tzinfo=UTC)),
    ],
)
def test_a_month_holds_the_instants_of_the_republic(
    text: str, begins: datetime, ends: datetime
) -> None:
    """The offset is UTC+6 all year; the instants include a year's end and a leap day."""
    month = parse_month(text)

    assert (month.begins, month.ends) == (begins, ends)
    assert str(month) == text


def test_months_follow_one_another_without_a_gap() -> None:
    """Each instant belongs to exactly one month."""
    month = Month(2026, 1)
    for _ in range(24):
        assert month.ends == month.following.begins
        assert timedelta(days=28) <= month.ends - month.begins <= timedelta(days=31)
        month = month.following

    assert month == Month(2028, 1)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-1", "2026-00", "2026-13", "26-11", "2026-11-01", "٢٠٢٦-11"],
)
def test_a_malformed_month_is_refused(text: str) -> None:
    """A malformed month is not read as another one."""
    with pytest.raises(MalformedMonthError):
        parse_month(text)
