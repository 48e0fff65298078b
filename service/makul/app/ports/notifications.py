"""Ports of the sender of notifications: the outbox, and the channel to the subject."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from makul.domain.identifiers import MemberCode
from makul.domain.notifications import NotificationFacts, NotificationKind
from makul.domain.reason_texts import Text


class NotificationRefusedError(Exception):
    """The channel refuses this notification. Others may still be sent.

    The message is ours: it repeats nothing of what was sent or received.
    """


class ChannelUnavailableError(Exception):
    """The channel cannot be used now. It may have received the notification all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleUseLink:
    """A link of one notification. Only its digest is stored."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification as it is sent."""

    facts: NotificationFacts
    recipient_name: str
    attempt: int
    """1 for the first attempt. From 2 on it may be a repetition of one that was delivered."""
    link: SingleUseLink
    answer_by: datetime | None
    """The last time of an answer to a question; None for other kinds."""
    text: Text = field(repr=False)


class NotificationChannel(Protocol):
    """A way to the subject."""

    def send(self, notification: Notification, *, at: datetime) -> None:
        """Hand a notification over. It is durable at the receiver when this returns.

        Raises `NotificationRefusedError` and `ChannelUnavailableError`.
        """

    @property
    def max_seconds(self) -> float:
        """The longest time that a call of `send` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A notification that one sender works on, and no other, until a time."""

    disclosure_id: UUID
    kind: NotificationKind
    attempt: int
    until: datetime
    facts: NotificationFacts | None
    """What it says; None if the row does not read back."""
    answer_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """How far the outbox is delivered. It counts only what subjects may already see."""

    waiting: int
    oldest: datetime | None
    """Since when the oldest undelivered notification could be sent."""
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedNotification:
    """A row of the outbox, without what it says."""

    disclosure_id: UUID
    kind: NotificationKind
    visible_at: datetime
    next_at: datetime | None
    attempts: int
    delivered_at: datetime | None


class NotificationOutbox(Protocol):
    """The outbox, as a sender uses it. Each method raises `StoreUnavailableError`."""

    def claim(self, limit: int, lease: timedelta, *, at: datetime) -> Sequence[Claim]:
        """Claim due notifications, the longest due first, and count the attempt of each.

        A notification that another sender has claimed is not due before the end of that claim.
        """

    def add_link(self, claim: Claim, digest: bytes, *, expires_at: datetime) -> None:
        """Store the digest of a link's token, before the link is sent."""

    def mark_delivered(self, claim: Claim, *, at: datetime) -> None:
        """Record the delivery, and delete what the notification said."""

    def postpone(self, claim: Claim, *, until: datetime) -> None:
        """End a claim after a failed attempt; the next attempt is not before `until`."""

    def release(self, claim: Claim, *, at: datetime) -> None:
        """End a claim of which nothing was sent. Its attempt does not count."""

    def give_up(self, claim: Claim) -> None:
        """End the attempts. An operator may begin them again."""

    def forget_links(self, *, at: datetime) -> None:
        """Delete some of the links that have expired."""

    def recipient_name(self, code: MemberCode) -> str:
        """Return the registered name of a recipient; the code if it is not registered."""


TokenSource = Callable[[], bytes]
"""Returns the 32 random bytes of a new token."""
