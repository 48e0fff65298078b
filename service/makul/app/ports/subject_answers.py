"""What an act needs to record what a subject says about a disclosure (Procedure, cl. 11)."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from makul.domain.identifiers import Pin
from makul.domain.notifications import NotificationKind
from makul.domain.person_locks import MatchingState
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer


@dataclass(frozen=True, slots=True)
class LinkToken:
    """The token of a single-use link, as a notification had it. It never prints."""

    value: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the token, by which the store finds the link."""
        return sha256(self.value).digest()


def parse_link_token(text: str) -> LinkToken:
    """Parse a token in base64url without padding, as the schema requires it."""
    return LinkToken(urlsafe_b64decode(text + "="))


class AnswerRights(Protocol):
    """The rows of links and answers, in the transaction of an act."""

    def linked_disclosure(self, link: LinkToken, *kinds: NotificationKind) -> UUID | None:
        """Return the decision of a link that has not expired, if it is of one of these kinds."""

    def is_about(self, disclosure_id: UUID, subject: Pin) -> bool:
        """Return whether a decision is about this person."""

    def asked_until(self, disclosure_id: UUID) -> datetime | None:
        """Return the last time of an answer about a disclosure; None if nobody was asked."""

    def has_answer(self, disclosure_id: UUID, origin: AnswerOrigin) -> bool:
        """Return whether the subject spoke about a decision already, for this reason."""

    def subject_of(self, disclosure_id: UUID) -> Pin | None:
        """Return the subject of a decision; None if there is none."""

    def matching_state(self, citizen: Pin) -> MatchingState | None:
        """Return the state that a citizen set; None if none was ever set."""

    def set_matching_state(self, citizen: Pin, state: MatchingState) -> None:
        """Set the state from this commit on."""

    def add_answer(self, disclosure_id: UUID, origin: AnswerOrigin, answer: SubjectAnswer) -> None:
        """Record what the subject says, permanently."""
