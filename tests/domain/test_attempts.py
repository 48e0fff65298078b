"""How often a person may be guessed at (Procedure, cl. 10)."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from makul.domain.match_attempts import AttemptCounts, AttemptLimits, exhausted
from makul.domain.reasons import Code

LIMITS = AttemptLimits()
AT_THE_LIMIT = {
    "by_recipient_and_pin": LIMITS.failures_by_recipient_and_pin,
    "by_pin": LIMITS.failures_by_pin,
    "by_employee": LIMITS.failures_by_employee,
    "distinct_failed_pins": LIMITS.distinct_failed_pins_by_recipient,
}


def test_every_count_has_a_limit() -> None:
    """A count that nothing limits would be a way to guess for ever."""
    assert set(AT_THE_LIMIT) == {field.name for field in fields(AttemptCounts)}


@pytest.mark.parametrize("count", AT_THE_LIMIT)
def test_one_below_a_limit_may_still_ask(count: str) -> None:
    """The last attempt that is allowed is allowed."""
    assert exhausted(AttemptCounts(**{count: AT_THE_LIMIT[count] - 1}), LIMITS) is None


@pytest.mark.parametrize("count", AT_THE_LIMIT)
@pytest.mark.parametrize("beyond", [0, 1])
def test_at_any_limit_nothing_more_is_compared(count: str, beyond: int) -> None:
    """MAT-06, whichever limit it is."""
    reason = exhausted(AttemptCounts(**{count: AT_THE_LIMIT[count] + beyond}), LIMITS)

    assert reason is not None
    assert reason.code is Code.MAT_06


def test_the_reason_does_not_tell_which_limit() -> None:
    """Whoever learns that others failed on this PIN learns that others asked for this person."""
    reasons = {
        exhausted(AttemptCounts(**{count: limit}), LIMITS) for count, limit in AT_THE_LIMIT.items()
    }

    assert len(reasons) == 1


def test_the_reason_tells_when_to_ask_again() -> None:
    """`retryAfter` is the window, in seconds."""
    spent = AttemptCounts(by_pin=99)
    reason = exhausted(spent, replace(LIMITS, window=timedelta(hours=2)))

    assert reason is not None
    assert reason.retry_after == 7200


def test_a_limit_of_none_at_all_lets_nobody_ask() -> None:
    """A limit set to zero closes; it does not mean "unlimited"."""
    assert exhausted(AttemptCounts(), replace(LIMITS, failures_by_pin=0)) is not None
