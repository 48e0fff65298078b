"""Limits on how often a person may be guessed at (Procedure, cl. 10, against misuse of "no match").

A recipient that repeats requests until it matches, or asks for many people it does not know, is
searching for people and not serving them.
"""

from dataclasses import dataclass
from datetime import timedelta

from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """Failed matches allowed in `window`, and distinct PINs that may fail in it.

    The values follow online authentication (NIST SP 800-63B, 5.2.2: at most 100 consecutive
    failures). They are far lower here, because each failure is a guess about another person.
    """

    window: timedelta = timedelta(hours=24)
    failures_by_recipient_and_pin: int = 5
    failures_by_pin: int = 15
    failures_by_employee: int = 30
    distinct_failed_pins_by_recipient: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCounts:
    """Failed matches within the window, as recorded. Unknown PINs count like any other."""

    by_recipient_and_pin: int = 0
    by_pin: int = 0
    by_employee: int = 0
    distinct_failed_pins: int = 0


def find_exhausted_limit(counts: AttemptCounts, limits: AttemptLimits) -> Reason | None:
    """Return MAT-06 if any limit is reached; the reason does not reveal which one."""
    reached = (
        counts.by_recipient_and_pin >= limits.failures_by_recipient_and_pin
        or counts.by_pin >= limits.failures_by_pin
        or counts.by_employee >= limits.failures_by_employee
        or counts.distinct_failed_pins >= limits.distinct_failed_pins_by_recipient
    )
    if not reached:
        return None
    return Reason(code=Code.MAT_06, retry_after=int(limits.window.total_seconds()))
