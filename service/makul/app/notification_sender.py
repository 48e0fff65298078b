"""Deliver notifications at least once: claim, send, record (Procedure, cl. 4).

A claim counts the attempt and is committed before anything is sent. If the sender is killed, the
claim ends by itself and the notification is sent again, with its attempt number. So none is lost,
and a repetition is marked.
"""

import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from makul.app.ports import Clock
from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Claim,
    Notification,
    NotificationChannel,
    NotificationOutbox,
    NotificationRefusedError,
    SingleUseLink,
    TokenSource,
)
from makul.domain.notification_texts import describe
from makul.domain.notifications import MAX_REFUSALS, NotificationFacts, pause_after

log = logging.getLogger(__name__)

BATCH = 20
"""Maximum number of notifications that one claim takes. A killed sender delays so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRule:
    """How links are made."""

    prefix: str
    """The address of the portal, to which the token is appended."""
    lifetime: timedelta
    new_token: TokenSource


@dataclass(slots=True, kw_only=True)
class SenderRound:
    """What one round did."""

    delivered: int = 0
    postponed: int = 0
    given_up: int = 0
    claimed: int = 0
    is_unavailable: bool = False
    """True if the channel could not be used. The rest of the round was then not attempted."""

    def add(self, other: "SenderRound") -> None:
        """Add another round to this sum."""
        self.delivered += other.delivered
        self.postponed += other.postponed
        self.given_up += other.given_up
        self.claimed += other.claimed
        self.is_unavailable = other.is_unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSender:
    """Sends what is due. Several senders may run at once: a claim belongs to one of them."""

    outbox: NotificationOutbox
    channel: NotificationChannel
    links: LinkRule
    lease: timedelta
    """The time after which a claim of a killed sender ends. It is longer than one attempt."""
    clock: Clock
    is_stopped: Callable[[], bool]

    def run_once(self) -> SenderRound:
        """Claim one batch and send it. Raises `StoreUnavailableError`."""
        done = SenderRound()
        claims = self.outbox.claim(BATCH, self.lease, at=self.clock())
        done.claimed = len(claims)
        for number, claim in enumerate(claims):
            if self.is_stopped() or done.is_unavailable or not self._has_time(claim):
                self._release(claims[number:])
                break
            self._attempt(claim, done)
        self.outbox.forget_links(at=self.clock())
        return done

    def _has_time(self, claim: Claim) -> bool:
        """Return whether an attempt would end before the claim does."""
        return self.clock() + timedelta(seconds=self.channel.max_seconds) < claim.until

    def _release(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self.outbox.release(claim, at=self.clock())

    def _attempt(self, claim: Claim, done: SenderRound) -> None:
        if claim.facts is None:
            log.error("notification %s does not read back and is given up", claim.disclosure_id)
            self._give_up(claim, done)
            return
        notification = self._prepare(claim, claim.facts)
        try:
            self.channel.send(notification, at=self.clock())
        except NotificationRefusedError as error:
            log.warning("notification %s was refused: %s", claim.disclosure_id, error)
            if claim.attempt >= MAX_REFUSALS:
                self._give_up(claim, done)
            else:
                self._postpone(claim, done)
        except ChannelUnavailableError as error:
            log.warning("the channel of notifications cannot be used: %s", error)
            self._postpone(claim, done)
            done.is_unavailable = True
        else:
            self.outbox.mark_delivered(claim, at=self.clock())
            done.delivered += 1

    def _prepare(self, claim: Claim, facts: NotificationFacts) -> Notification:
        token, expires_at = self.links.new_token(), self.clock() + self.links.lifetime
        self.outbox.add_link(claim, sha256(token).digest(), expires_at=expires_at)
        encoded = urlsafe_b64encode(token).decode("ascii").rstrip("=")
        name = self.outbox.recipient_name(facts.recipient)
        link = SingleUseLink(url=self.links.prefix + encoded, expires_at=expires_at)
        return Notification(
            facts=facts,
            recipient_name=name,
            attempt=claim.attempt,
            link=link,
            answer_by=claim.answer_by,
            text=describe(
                facts,
                recipient_name=name,
                link=link.url,
                link_expires_at=expires_at,
                answer_by=claim.answer_by,
            ),
        )

    def _postpone(self, claim: Claim, done: SenderRound) -> None:
        self.outbox.postpone(claim, until=self.clock() + pause_after(claim.attempt))
        done.postponed += 1

    def _give_up(self, claim: Claim, done: SenderRound) -> None:
        self.outbox.give_up(claim)
        done.given_up += 1
