"""Notifications for tests: effects, facts, and channels that remember what they were given."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from makul.app.notification_sender import LinkRule, NotificationSender
from makul.app.ports import SubjectNotification
from makul.app.ports.notifications import Notification, NotificationChannel, NotificationOutbox
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.identifiers import PurposeCode
from makul.domain.notifications import NotificationFacts, NotificationKind
from makul_testing.builders.records import AZAMAT, BANK, NOON, PURPOSE

LEASE = timedelta(minutes=3)
PREFIX = "https://portal.example/not-me/"


def a_notification(**changes: Any) -> SubjectNotification:
    """The notification of a disclosure that its subject may see at once."""
    effect = SubjectNotification(kind=NotificationKind.DISCLOSURE, visible_at=NOON)
    return replace(effect, **changes)


def some_notification_facts(**changes: Any) -> NotificationFacts:
    """What a notification says of a release to the bank about Azamat."""
    facts = NotificationFacts(
        kind=NotificationKind.DISCLOSURE,
        disclosure_id=UUID(int=7),
        subject=AZAMAT,
        recipient=BANK,
        decided_at=NOON,
        operation="GetPersonData",
        outcome=Outcome.RELEASED,
        purpose=PurposeCode(PURPOSE),
        ground=GroundKind.CONSENT,
        provision=None,
        on_paper=False,
        attributes=("givenName", "surname"),
    )
    return replace(facts, **changes)


@dataclass
class RecordingChannel(NotificationChannel):
    """A channel that remembers what it was given; `answer` may raise."""

    answer: Callable[[Notification], None] = lambda _: None
    sent: list[Notification] = field(default_factory=list)
    max_seconds = 1.0

    def send(self, notification: Notification, *, at: datetime) -> None:
        del at
        self.answer(notification)
        self.sent.append(notification)

    @property
    def ids(self) -> list[tuple[UUID, int]]:
        return [(each.facts.disclosure_id, each.attempt) for each in self.sent]


@dataclass
class Times:
    """A clock that a test sets."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        self.now += span


def a_sender(
    outbox: NotificationOutbox, channel: NotificationChannel, clock: Callable[[], datetime]
) -> NotificationSender:
    """A sender whose links have counted tokens."""
    tokens = iter(range(1, 1_000_000))
    return NotificationSender(
        outbox=outbox,
        channel=channel,
        links=LinkRule(
            prefix=PREFIX,
            lifetime=timedelta(days=30),
            new_token=lambda: next(tokens).to_bytes(32, "big"),
        ),
        lease=LEASE,
        clock=clock,
        is_stopped=lambda: False,
    )
