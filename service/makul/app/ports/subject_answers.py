"""What an act needs to record what a subject says about a disclosure (Procedure, cl. 11)."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from makul.domain.cases import CasePeriod
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.notifications import NotificationKind
from makul.domain.oversight_cases import CaseProposal
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

    def add_answer(self, disclosure_id: UUID, origin: AnswerOrigin, answer: SubjectAnswer) -> None:
        """Record what the subject says, permanently."""


class ReportRights(AnswerRights, Protocol):
    """The further rows of a report: the lock of its subject, and cases about a recipient."""

    def lock_matching_of(self, disclosure_id: UUID) -> None:
        """Lock matching by consent of the subject of a decision, from this commit on.

        A lock that the subject set already stays as it is.
        """

    def recipient_and_time(self, disclosure_id: UUID) -> tuple[MemberCode, datetime]:
        """Return for whom and when a decision was made."""

    def has_case(self, recipient: MemberCode, period: CasePeriod) -> bool:
        """Return whether a recipient's period has a case that was not dismissed."""

    def propose_case(self, proposal: CaseProposal) -> object:
        """Propose a case."""
