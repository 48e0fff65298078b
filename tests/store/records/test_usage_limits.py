"""The counts of the recording transaction: failed matches and the day's quota (cl. 10)."""

from datetime import timedelta
from typing import Any

import pytest

from makul.app.ports import Asker, Committed, Conflict, QuotaUse, Recorded, Space
from makul.domain.identifiers import Pin
from makul.domain.match_attempts import AttemptLimits
from makul.domain.reasons import Code, Reason
from makul.store import Store
from makul_testing.builders.entries import (
    a_comparison,
    a_dry_run,
    a_failed_match,
    a_refusal,
    a_release,
)
from makul_testing.builders.records import AZAMAT, BANK, GULNARA, NOON, POLICE, a_key, a_recipient


def codes(result: Recorded) -> tuple[Code, ...]:
    assert isinstance(result, Conflict)
    return tuple(reason.code for reason in result.reasons)


FEW = AttemptLimits(
    failures_by_recipient_and_pin=2,
    failures_by_pin=3,
    failures_by_employee=4,
    distinct_failed_pins_by_recipient=5,
)


def _of_employee(number: int) -> dict[str, Any]:
    key = a_key(asker=Asker(employee=f"e{number}"))
    return {"subject": Pin(f"2010119900{number:04}"), "key": key}


@pytest.mark.parametrize(
    ("limit", "differently"),
    [
        (2, [{}] * 9),
        (4, [{"subject": Pin(f"2010119900{n:04}")} for n in range(9)]),
        (5, [_of_employee(n) for n in range(9)]),
    ],
    ids=["by recipient and PIN", "by employee", "by distinct PINs"],
)
def test_failed_matches_are_limited(
    store: Store, limit: int, differently: list[dict[str, Any]]
) -> None:
    """MAT-06: the limits apply at commit, after any count at the request's beginning."""
    results = [
        store.recorder.record(a_failed_match(limits=FEW, **changes)) for changes in differently
    ]

    assert results[:limit] == [Committed()] * limit
    assert [codes(result) for result in results[limit:]] == [(Code.MAT_06,)] * (9 - limit)


def test_a_match_is_limited_by_earlier_failures(store: Store) -> None:
    """MAT-06 stops the guess that would be right."""
    for _ in range(2):
        store.recorder.record(a_failed_match(limits=FEW))

    assert codes(store.recorder.record(a_release(a_comparison(limits=FEW)))) == (Code.MAT_06,)
    assert (
        store.recorder.record(a_release(a_comparison(limits=FEW, subject=GULNARA))) == Committed()
    )


def test_failures_end_with_the_window(store: Store) -> None:
    """The window is that of the limits, counted back from the decision."""
    for _ in range(2):
        store.recorder.record(a_failed_match(limits=FEW))
    counts = store.register.attempts(BANK, AZAMAT, "teller-42", since=NOON)
    assert (counts.by_recipient_and_pin, counts.by_pin, counts.by_employee) == (2, 2, 2)

    later = NOON + FEW.window + timedelta(microseconds=1)
    assert (
        store.recorder.record(a_release(a_comparison(limits=FEW), decided_at=later)) == Committed()
    )


def test_an_employee_belongs_to_one_recipient(store: Store) -> None:
    """Two recipients may both have a teller-42."""
    store.recorder.record(a_failed_match())

    theirs = store.register.attempts(POLICE, GULNARA, "teller-42", since=NOON)

    assert theirs.by_employee == 0


def test_the_days_quota_is_by_recipient_agreement_space_and_day(store: Store) -> None:
    """AGR-06 has the seconds until the next UTC day; a dry run uses no disclosure."""
    tight = QuotaUse(quota=1)
    assert store.recorder.record(a_release(tight)) == Committed()
    explanation = a_dry_run(tight)
    tomorrow = a_release(tight, decided_at=NOON + timedelta(hours=12))

    result = store.recorder.record(a_release(tight))

    assert result == Conflict((Reason(code=Code.AGR_06, retry_after=12 * 60 * 60),))
    assert store.recorder.record(explanation) == Committed()
    assert store.recorder.record(tomorrow) == Committed()


@pytest.mark.parametrize(
    ("before_midnight", "seconds"),
    [(timedelta(microseconds=1), 1), (timedelta(seconds=1), 1), (timedelta(seconds=1.5), 2)],
)
def test_the_wait_for_the_next_day_is_rounded_up(
    store: Store, before_midnight: timedelta, seconds: int
) -> None:
    """A recipient that waits as stated does not come a moment too early."""
    at = NOON + timedelta(hours=12) - before_midnight

    result = store.recorder.record(a_release(QuotaUse(quota=0), decided_at=at))

    assert result == Conflict((Reason(code=Code.AGR_06, retry_after=seconds),))


def test_anothers_quota_is_not_used_by_naming_its_agreement(store: Store) -> None:
    """A recipient that names another's agreement uses up only its own count."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    theirs = a_refusal(
        Code.CNS_04,
        QuotaUse(quota=1),
        key=a_key(recipient=POLICE, space=Space.EXPLANATION),
    )
    ours = a_refusal(Code.CNS_04, QuotaUse(quota=1), key=a_key(space=Space.EXPLANATION))

    assert store.recorder.record(theirs) == Committed()
    assert store.recorder.record(ours) == Committed()
