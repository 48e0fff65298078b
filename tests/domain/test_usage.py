"""Limits on the usage of one recipient: requests a minute and bytes a day (REQ-06)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from makul.domain.agreements import AgreementState
from makul.domain.reasons import Code, Reason
from makul.domain.usage import (
    Usage,
    UsageLimits,
    find_excess,
    seconds_to_midnight,
    seconds_to_next_minute,
)
from makul_testing.builders.records import an_agreement

AT = datetime(2026, 11, 22, 9, 0, 15, tzinfo=UTC)
LIMITS = UsageLimits(requests_a_minute=10, bytes_a_day=1_000)


@pytest.mark.parametrize(
    ("requests", "excess"),
    [(0, None), (9, None), (10, True), (19, True), (20, False), (10_000, False)],
)
def test_requests_beyond_the_limit_are_refused_and_then_rejected(
    requests: int, excess: bool | None
) -> None:
    """Up to twice the limit a refusal is recorded; beyond that nothing is written."""
    found = find_excess(Usage(requests=requests), LIMITS, at=AT)

    assert (found.recorded if found is not None else None) == excess
    if found is not None:
        assert found.reason == Reason(code=Code.REQ_06, field="requestsPerMinute", retry_after=45)


@pytest.mark.parametrize(
    ("size", "excess"), [(999, None), (1_000, True), (1_124, True), (1_125, False)]
)
def test_bytes_are_limited_by_the_utc_day(size: int, excess: bool | None) -> None:
    """`retryAfter` leads past midnight."""
    found = find_excess(Usage(bytes=size), LIMITS, at=AT)

    assert (found.recorded if found is not None else None) == excess
    if found is not None:
        left = int(timedelta(hours=15).total_seconds()) - 15
        assert found.reason == Reason(code=Code.REQ_06, field="bytesPerDay", retry_after=left)


def test_an_agreement_sets_its_own_limits() -> None:
    """They may be stricter, even zero; for an omitted limit the operator's applies."""
    strict = an_agreement(requests_a_minute=0)
    wide = an_agreement(requests_a_minute=50, bytes_a_day=2_000)

    assert LIMITS.under(None, at=AT) == LIMITS
    assert LIMITS.under(an_agreement(), at=AT) == LIMITS
    assert LIMITS.under(strict, at=AT) == UsageLimits(requests_a_minute=0, bytes_a_day=1_000)
    assert LIMITS.under(wide, at=AT) == UsageLimits(requests_a_minute=50, bytes_a_day=2_000)
    assert find_excess(Usage(), LIMITS.under(strict, at=AT), at=AT) is not None


@pytest.mark.parametrize(
    "over",
    [
        {"state": AgreementState.TERMINATED},
        {"state": AgreementState.DRAFT},
        {"valid_to": AT},
        {"valid_from": AT + timedelta(microseconds=1)},
    ],
)
def test_an_agreement_that_is_not_in_force_widens_no_limit(over: dict[str, Any]) -> None:
    """It may still be the stricter one."""
    wide = an_agreement(requests_a_minute=50, bytes_a_day=2_000, **over)
    strict = an_agreement(requests_a_minute=1, bytes_a_day=2_000, **over)

    assert LIMITS.under(wide, at=AT) == LIMITS
    assert LIMITS.under(strict, at=AT) == UsageLimits(requests_a_minute=1, bytes_a_day=1_000)


@pytest.mark.parametrize(
    ("at", "minute", "day"),
    [
        (datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC), 1, 1),
        (datetime(2026, 11, 22, 0, 0, tzinfo=UTC), 60, 86_400),
        (datetime(2026, 11, 23, 5, 59, 30, tzinfo=timezone(timedelta(hours=6))), 30, 30),
    ],
)
def test_stated_wait_is_long_enough(at: datetime, minute: int, day: int) -> None:
    """The time is in whole seconds, rounded up to the next minute and the next UTC day."""
    assert (seconds_to_next_minute(at), seconds_to_midnight(at)) == (minute, day)
    for wait, span in ((minute, 60), (day, 86_400)):
        before, after = (
            moment.timestamp() // span for moment in (at, at + timedelta(seconds=wait))
        )
        assert after == before + 1
