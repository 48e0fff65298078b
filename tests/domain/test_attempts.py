"""The number of guesses about a person is limited (Procedure, cl. 10)."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from makul.domain.match_attempts import AttemptCounts, AttemptLimits, find_exhausted_limit
from makul.domain.reasons import Code

LIMITS = AttemptLimits()
AT_THE_LIMIT = {
    "by_recipient_and_pin": LIMITS.failures_by_recipient_and_pin,
    "by_pin": LIMITS.failures_by_pin,
    "by_employee": LIMITS.failures_by_employee,
    "distinct_failed_pins": LIMITS.distinct_failed_pins_by_recipient,
}


def test_every_count_has_a_limit() -> None:
    """A count without a limit would allow unlimited guessing."""
    assert set(AT_THE_LIMIT) == {field.name for field in fields(AttemptCounts)}


@pytest.mark.parametrize("count", AT_THE_LIMIT)
def test_one_attempt_below_a_limit_is_permitted(count: str) -> None:
    """The last permitted attempt is permitted."""
    assert find_exhausted_limit(AttemptCounts(**{count: AT_THE_LIMIT[count] - 1}), LIMITS) is None


@pytest.mark.parametrize("count", AT_THE_LIMIT)
@pytest.mark.parametrize("beyond", [0, 1])
def test_at_any_limit_nothing_more_is_compared(count: str, beyond: int) -> None:
    """Each limit gives MAT-06."""
    reason = find_exhausted_limit(AttemptCounts(**{count: AT_THE_LIMIT[count] + beyond}), LIMITS)

    assert reason is not None
    assert reason.code is Code.MAT_06


def test_the_reason_does_not_name_the_limit() -> None:
    """A caller who learned of others' failures on this PIN would learn of their requests."""
    reasons = {
        find_exhausted_limit(AttemptCounts(**{count: limit}), LIMITS)
        for count, limit in AT_THE_LIMIT.items()
    }

    assert len(reasons) == 1


def test_the_reason_states_when_to_retry() -> None:
    """`retryAfter` is the window, in seconds."""
    spent = AttemptCounts(by_pin=99)
    reason = find_exhausted_limit(spent, replace(LIMITS, window=timedelta(hours=2)))

    assert reason is not None
    assert reason.retry_after == 7200


def test_a_limit_of_zero_permits_no_attempt() -> None:
    """A limit of zero forbids all attempts; it does not mean "unlimited"."""
    assert find_exhausted_limit(AttemptCounts(), replace(LIMITS, failures_by_pin=0)) is not None
