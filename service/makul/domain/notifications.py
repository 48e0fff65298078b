"""Notifications to subjects: what was given about them, to whom, and on which ground (cl. 4, 11).

Pure code: no SQL, no network, no clock. A notification names the attributes that were given, never
their values. It is not a consent notice, which the subject reads before a consent
(`app.notices`).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from makul.domain.disclosures import BasisGround, Ground, GroundKind, GroundRef, Outcome
from makul.domain.identifiers import MemberCode, Pin, PurposeCode

FIRST_PAUSE = timedelta(minutes=1)
"""The time between the first and the second attempt. It doubles with each attempt."""

LONGEST_PAUSE = timedelta(hours=6)
"""The longest time between two attempts: four a day do not burden a channel that is down."""

MAX_REFUSALS = 12
"""Attempts after which a notification that its channel refuses is given up: some 24 hours."""

_MAX_DOUBLINGS = 16


class NotificationKind(StrEnum):
    """The kind of a notification."""

    DISCLOSURE = "DISCLOSURE"
    """Data were given, or a match was confirmed."""
    PAPER_CONSENT = "PAPER_CONSENT"
    """A consent on paper was registered in the name of the subject (cl. 4)."""
    QUESTION = "QUESTION"
    """The disclosure is in the sample of its month: did the subject consent? (cl. 11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFacts:
    """What a notification says about a decision."""

    kind: NotificationKind
    disclosure_id: UUID
    """The decision, as receipts and the list of the subject name it."""
    subject: Pin = field(repr=False)
    recipient: MemberCode
    decided_at: datetime
    operation: str
    outcome: Outcome
    purpose: PurposeCode | None
    ground: GroundKind | None
    provision: str | None
    """The provision of cl. 5, if the ground is a basis in law."""
    on_paper: bool
    attributes: tuple[str, ...]
    """The names of what was given; of a consent on paper, none."""


def visible_from(ground: GroundRef | None, *, at: datetime) -> datetime:
    """Return when the subject may learn of a decision that is taken `at` on this ground.

    Only a statement under cl. 5.1 may delay it (docs/architecture.md, invariant 14).
    """
    hidden_until = ground.hidden_until if ground is not None else None
    return at if hidden_until is None else max(at, hidden_until)


def provision_of(ground: Ground) -> str | None:
    """Return the provision of cl. 5 on which a ground rests; None for a consent."""
    if isinstance(ground, BasisGround) and ground.statement is not None:
        return ground.statement.provision
    return None


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts that did not succeed."""
    doublings = min(max(attempts - 1, 0), _MAX_DOUBLINGS)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
