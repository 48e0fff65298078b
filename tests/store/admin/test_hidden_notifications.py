"""Invariant 14 for notifications: with and without a hidden disclosure everything is equal."""

import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from makul.app.notification_sender import SenderRound
from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Notification,
    NotificationRefusedError,
)
from makul.store import Store, StoreKeys, open_store
from makul_testing.builders.entries import a_metered_release, a_refusal, a_release
from makul_testing.builders.notifications import (
    RecordingChannel,
    Times,
    a_notification,
    a_sender,
)
from makul_testing.builders.records import GULNARA, NOON, a_basis, a_key
from makul_testing.exhaustive import rounds

HIDDEN_UNTIL = NOON + timedelta(days=60)
ROUNDS = rounds(6, exhaustive=60)


def outcome_of(notification: Notification, dice: int) -> None:
    """Fail by a rule that only depends on the notification and its attempt."""
    number = (notification.facts.disclosure_id.int + notification.attempt * dice) % 7
    if number == 0:
        raise NotificationRefusedError("HTTP status 422")
    if number == 1:
        raise ChannelUnavailableError("no answer")


def play(store: Store, seed: int, *, hidden: bool) -> list[object]:
    """Record, send and wait in an order that the seed determines; return all that is seen."""
    dice = random.Random(seed)  # noqa: S311 -- the order of events, not a secret
    clock, seen = Times(), list[object]()
    channel = RecordingChannel(lambda each: outcome_of(each, seed))
    sender = a_sender(store.outbox, channel, clock)
    for number in range(40):
        identifier = UUID(int=seed * 1000 + number)
        match dice.randrange(4):
            case 0 | 1:
                entry = a_release(
                    a_notification(visible_at=clock()),
                    key=a_key(identifier),
                    disclosure_id=identifier,
                    at=clock(),
                )
                store.recorder.record(entry)
            case 2:
                store.recorder.record(a_refusal(key=a_key(identifier), at=clock()))
            case _:
                clock.pass_by(timedelta(minutes=dice.randrange(200)))
        if hidden and number % 3 == 0:
            secret = UUID(int=seed * 1000 + 500 + number)
            store.recorder.record(
                a_metered_release(
                    a_basis(),
                    a_notification(visible_at=HIDDEN_UNTIL, provision="JUDICIAL"),
                    key=a_key(secret),
                    disclosure_id=secret,
                    subject=GULNARA,
                    at=clock(),
                )
            )
        seen.append(shown(sender.run_once()))
        seen.append(look(store, clock()))
    assert clock() < HIDDEN_UNTIL, "the hidden ones are visible now"
    seen += [(each.facts, each.attempt, each.text) for each in channel.sent]
    return seen


def shown(done: SenderRound) -> tuple[object, ...]:
    return done.claimed, done.delivered, done.postponed, done.given_up, done.is_unavailable


def look(store: Store, at: datetime) -> tuple[object, ...]:
    """Return all that monitoring, readiness and the operator's lists show of the outbox."""
    outbox = store.outbox
    return (
        outbox.state(at=at),
        outbox.undelivered(given_up=False, limit=99, at=at),
        outbox.undelivered(given_up=True, limit=99, at=at),
    )


@pytest.mark.parametrize("seed", range(1, ROUNDS + 1))
def test_hidden_disclosures_change_nothing_that_is_seen(
    template: Path, tmp_path: Path, keys: StoreKeys, seed: int
) -> None:
    """Notifications, their order and attempts, counts and lists are the same."""
    seen = []
    for hidden in (False, True):
        path = tmp_path / f"{hidden}.db"
        shutil.copy(template, path)
        store = open_store(path, keys, who="operator")
        seen.append(play(store, seed, hidden=hidden))
        store.close()

    assert seen[0] == seen[1]
