"""What ends soon, in the order in which somebody must act."""

from datetime import UTC, datetime, timedelta

from makul.domain.expiry import Ending, ExpiryState, select_due

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def ending(name: str, ends: datetime | None) -> Ending:
    return Ending(kind="agreement", name=name, ends=ends)


def test_what_is_overdue_comes_first_and_the_unknown_last() -> None:
    """What ends later than asked for is not listed; what has no known end is."""
    due = select_due(
        [
            ending("unknown", None),
            ending("tomorrow", NOON + DAY),
            ending("at the limit", NOON + 30 * DAY),
            ending("later", NOON + 30 * DAY + timedelta(microseconds=1)),
            ending("now", NOON),
            ending("long over", NOON - 100 * DAY),
        ],
        at=NOON,
        within=30 * DAY,
    )

    assert [(each.ending.name, each.state) for each in due] == [
        ("long over", ExpiryState.OVERDUE),
        ("now", ExpiryState.OVERDUE),
        ("tomorrow", ExpiryState.ENDS_SOON),
        ("at the limit", ExpiryState.ENDS_SOON),
        ("unknown", ExpiryState.UNKNOWN),
    ]
