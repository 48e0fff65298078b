"""Ports of the subject port: what a citizen sees of the record (Procedure, cl. 4 and 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.app.ports.caller import UsageStatement
from makul.domain.agreements import Agreement
from makul.domain.consents import Consent
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import MemberCode, Pin, parse_member_code
from makul.domain.recipients import Recipient
from makul.domain.subject_visibility import Hiding

_HEX_DIGITS = 16
_UUID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class PagePosition:
    """A position in a list, latest first: the time and the id of the last line before it."""

    decided_at: int
    """Microseconds since 1970."""
    disclosure_id: UUID

    def __str__(self) -> str:
        return f"{self.decided_at:0{_HEX_DIGITS}x}{self.disclosure_id.hex}"


def parse_page_position(text: str) -> PagePosition:
    """Parse a position as a list gave it. Any position is harmless: it selects no person."""
    return PagePosition(int(text[:_HEX_DIGITS], 16), UUID(hex=text[_HEX_DIGITS:]))


@dataclass(frozen=True, slots=True)
class ConsentKey:
    """What identifies a consent: the recipient that presented it, and its id."""

    recipient: MemberCode
    consent_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSelection:
    """Which decisions about a subject are read, latest first."""

    since: datetime | None = None
    """The first instant; None for no limit."""
    until: datetime | None = None
    """The instant after the last one; None for no limit."""
    after: PagePosition | None = None
    consent: ConsentKey | None = None
    """The consent on which they were made; None for any ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectDecision:
    """One recorded decision about a subject, without any value of the person."""

    disclosure_id: UUID
    recipient: MemberCode
    operation: Operation
    outcome: Outcome
    codes: tuple[str, ...]
    released: tuple[str, ...]
    purpose: str | None
    ground_kind: str | None
    ground_id: UUID | None
    ground_digest: bytes | None
    decided_at: datetime
    position: PagePosition
    hiding: Hiding | None
    """What the record states of hiding; None for a record from before it stated that."""
    usage: UsageStatement | None = None
    """What the client said to the subject about the request; None if it said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetitions:
    """The answers of one decision that were given again."""

    count: int
    latest: Sequence[datetime]
    """The times of the latest ones, latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEntry:
    """One line of what a subject sees."""

    decision: SubjectDecision
    recipient_name: str | None
    repetitions: Repetitions


@dataclass(frozen=True, slots=True)
class ConsentPosition:
    """A position in a list of consents: the last one before it."""

    consent_id: UUID
    recipient: MemberCode

    def __str__(self) -> str:
        return self.consent_id.hex + self.recipient.encode("ascii").hex()


def parse_consent_position(text: str) -> ConsentPosition:
    """Parse a position as a list gave it. Raises `ValueError`. It selects no person."""
    consent_id, recipient = text[:_UUID_DIGITS], text[_UUID_DIGITS:]
    member = parse_member_code(bytes.fromhex(recipient).decode("ascii"))
    return ConsentPosition(UUID(hex=consent_id), member)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldConsentRow:
    """A consent in the record that is about a citizen or was given by a citizen."""

    consent_id: UUID
    recipient: MemberCode
    digest: bytes
    subject: Pin
    given_for_other: bool
    """True if the citizen gave it as a representative."""
    valid_from: datetime
    valid_to: datetime
    allowed: int
    used: int
    registered_at: datetime | None
    revoked_at: datetime | None

    @property
    def position(self) -> ConsentPosition:
        """The position of the list after this consent."""
        return ConsentPosition(self.consent_id, self.recipient)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectConsent:
    """One consent as a citizen sees it."""

    row: HeldConsentRow
    recipient_name: str | None
    document: Consent | None
    """The stored consent; None if it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConsent:
    """A consent that a citizen may revoke, on locked rows."""

    subject: Pin
    revoked: bool


class SubjectRecord(Protocol):
    """The record about one subject, read without a lock."""

    def decisions(
        self, subject: Pin, selection: DecisionSelection, *, limit: int
    ) -> Sequence[SubjectDecision]:
        """Return decisions about a subject, latest first, at most `limit`."""

    def repetitions(self, disclosure_id: UUID) -> Repetitions:
        """Return the repetitions of a decision."""

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return a recipient; None if it is not registered."""

    def agreements_of(self, code: MemberCode) -> Sequence[Agreement]:
        """Return every agreement of a recipient, in any state."""

    def decision(self, subject: Pin, disclosure_id: UUID) -> tuple[SubjectDecision, bytes] | None:
        """Return a decision about this subject and its receipt; None for any other id."""

    def consents(
        self, citizen: Pin, after: ConsentPosition | None, *, limit: int
    ) -> tuple[Sequence[HeldConsentRow], ConsentPosition | None]:
        """Return consents that are about a citizen or were given by a citizen, in order of ids.

        The second value is where reading continues, if there are more.
        """

    def own_consent(
        self, recipient: MemberCode, consent_id: UUID, citizen: Pin
    ) -> OwnConsent | None:
        """Return a consent that is about this citizen or was given by this citizen."""

    def first_record(self) -> datetime | None:
        """Return the time of the first decision about any person; None if there is none."""

    def document(self, recipient: MemberCode, digest: bytes) -> bytes | None:
        """Return a stored document of this digest; None if it cannot be read."""

    def use_token(
        self, token: bytes, request: bytes, *, forget_after: datetime, at: datetime
    ) -> bool:
        """Record that a token is used for a request, both by digest.

        Return False if the token was used for another request. The same request may come again.
        """
