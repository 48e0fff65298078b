"""The operator's desk: who is registered, under what terms, and who is in the database."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.app.ports.record_store import Asker
from makul.app.ports.signed_documents import (
    AgreementSignature,
    Notice,
    NoticeApproval,
    RecordedSignature,
    Signatory,
    SignedBytes,
)
from makul.domain.agreements import Agreement, AgreementState, Channel
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.months import Month
from makul.domain.person_queries import PersonCount, PersonQuery, PersonsFound
from makul.domain.persons import Person
from makul.domain.recipients import Recipient


class DeskError(Exception):
    """What was asked of the desk contradicts the register. The message holds no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A person of a recipient who signs basis statements and consents on paper."""

    recipient: MemberCode
    identifier: str
    name: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRow:
    """One recorded decision, as the operator lists it. The PIN prints masked."""

    disclosure_id: UUID
    request_id: UUID
    recipient: MemberCode
    operation: Operation
    outcome: Outcome
    codes: tuple[str, ...]
    released: tuple[str, ...]
    purpose: str | None
    agreement_number: str | None
    subject: Pin | None
    ground_kind: str | None
    ground_id: UUID | None
    decided_at: datetime
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RepetitionRow:
    """An answer that was given again, as the operator lists it (Procedure, cl. 11)."""

    repetition_id: UUID
    disclosure_id: UUID
    """The decision whose answer was given again."""
    recipient: MemberCode
    request_id: UUID
    operation: Operation
    channel: Channel
    certificate: bytes | None
    """SHA-256 of the certificate that authenticated the message; None over X-Road."""
    asker: Asker
    repeated_at: datetime
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCount:
    """How many decisions of a month are alike in this (Procedure, cl. 11)."""

    recipient: MemberCode
    purpose: str | None
    outcome: Outcome
    ground_kind: str | None
    decisions: int
    repetitions: int = 0
    """Answers of such decisions, of any month, that were given again in this month."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Whether an export shows whole PINs, and why it is made."""

    revealed: bool
    reason: str | None

    def __post_init__(self) -> None:
        if self.revealed and not (self.reason or "").strip():
            raise ValueError("PINs are shown for a reason, which is recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDocument:
    """One document on which a decision was judged, as it is kept."""

    digest: bytes
    """By which the decision names it."""
    kind: str | None
    """None where the document is not there."""
    document: bytes | None
    """Its exact bytes; None where they are not there, or do not open."""
    report: bytes
    """How it was judged for this decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvidence:
    """All that a decision was judged on."""

    disclosure_id: UUID
    decided_at: datetime
    pieces: tuple[EvidenceDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRow:
    """A consent or basis statement that was used or registered, as the operator is shown it."""

    recipient: MemberCode
    kind: GroundKind
    ground_id: UUID
    allowed: int
    """How many disclosures it allows."""
    used: int
    valid_from: datetime
    valid_to: datetime
    registered_at: datetime | None
    """None if it came with a request and was not registered before."""
    revoked_at: datetime | None
    """When the operator revoked it. A subject's own revocation is not shown here."""


class Desk(Protocol):
    """What the operator may do to the register. Every change is recorded with who and when."""

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None: ...

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Hold or release; takes effect for everything ordered after its commit."""

    def recipients(self) -> Sequence[Recipient]: ...

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None: ...

    def certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Every recipient's certificate in use for messages: whose, and in DER."""

    def sealing_certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Every certificate that data may be encrypted to: whose, and in DER."""

    def withdraw_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Trust a certificate no more, from this commit on; it cannot be registered again."""

    def add_sealing_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """From this commit on, encrypt this recipient's data to this certificate."""

    def withdraw_sealing_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Encrypt nothing more to it, and give no stored answer again that is; for good."""

    def add_official(self, official: Official, *, at: datetime) -> None: ...

    def withdraw_official(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """What they sign counts no more, from this commit on; they cannot be registered again."""

    def add_notice(self, ref: str, texts: Mapping[str, bytes], *, at: datetime) -> None:
        """Register a notice in all its languages; it counts once it is approved."""

    def approve_notice(
        self, approval: NoticeApproval, signer: bytes, signed: SignedBytes, *, at: datetime
    ) -> None:
        """The authorised body's approval; its signatory and the texts are checked at commit."""

    def notices(self) -> Sequence[Notice]: ...

    def add_signatory(self, signatory: Signatory, *, at: datetime) -> None:
        """Register a hand for a party. One person, one key: one party and one role."""

    def withdraw_signatory(
        self, member: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """What is not in force by then does not count on this signatory; what is, stays so."""

    def signatories(self) -> Sequence[Signatory]: ...

    def draft_agreement(self, agreement: Agreement, document: bytes, *, at: datetime) -> None:
        """Lay terms before the parties, in `document`; earlier terms of that number end here."""

    def draft_document(self, number: AgreementNumber) -> bytes | None:
        """The document of an agreement's newest draft, unsigned."""

    def sign_agreement(self, signature: AgreementSignature, *, at: datetime) -> AgreementState:
        """Record a verified signature; IN_FORCE where with it all three parties have signed."""

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Who signed the newest draft, the first to sign first; withdrawn signatories left out
        unless it is in force.
        """

    def terminate_agreement(self, number: AgreementNumber, *, reason: str, at: datetime) -> None:
        """End an agreement for good, from this commit on."""

    def agreements(self, recipient: MemberCode | None = None) -> Sequence[Agreement]: ...

    def find_ground(
        self, recipient: MemberCode, kind: GroundKind, ground_id: UUID
    ) -> GroundRow | None:
        """Return a consent or basis statement; None if it was neither used nor registered."""

    def revoke_ground(
        self,
        recipient: MemberCode,
        kind: GroundKind,
        ground_id: UUID,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """Revoke a consent or basis statement that was used or registered, from this commit on."""

    def put_persons(self, persons: Sequence[Person], *, at: datetime) -> int:
        """Insert or replace as a new version, one transaction a batch; how many changed."""

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """A person's record for the operator's eyes; the look is itself recorded (cl. 13, 16).

        Samples are named and not read.
        """

    def search_persons(
        self, query: PersonQuery, *, reason: str, at: datetime, report: Callable[[int], None]
    ) -> PersonsFound:
        """Find at most `MAX_FOUND` persons by what is known of them (cl. 13, 16).

        The search is recorded before a record is opened, and each person found before they are
        shown. `report` hears how many records were opened so far.
        """

    def change_person(
        self,
        pin: Pin,
        change: Callable[[Person], Person],
        *,
        field: str,
        reason: str,
        at: datetime,
    ) -> tuple[Person, Person] | None:
        """Add what `change` makes of the current version as a new one (cl. 14).

        Returns the record before and after; None where there is none. Every version is kept.
        """

    def count_persons(self) -> PersonCount:
        """Count what the register holds; opens no record."""

    def disclosures(
        self, *, recipient: MemberCode | None, since: datetime | None, limit: int
    ) -> Sequence[DisclosureRow]: ...

    def disclosure(self, disclosure_id: UUID) -> DisclosureRow | None: ...

    def repetitions(
        self,
        *,
        recipient: MemberCode | None = None,
        since: datetime | None = None,
        disclosure_id: UUID | None = None,
        limit: int,
    ) -> Sequence[RepetitionRow]:
        """Return answers that were given again, the latest first."""

    def statistics(self, month: Month) -> Sequence[MonthCount]:
        """A month's decisions, counted by recipient, purpose, outcome and ground (cl. 11)."""

    def export(
        self, month: Month, recipient: MemberCode | None, look: ExportOptions, *, at: datetime
    ) -> Iterator[DisclosureRow]:
        """A month's decisions, the first first, as they are read; the export is itself recorded
        before the first (cl. 13, 16).
        """

    def evidence_of(self, disclosure_id: UUID, *, at: datetime) -> DecisionEvidence | None:
        """What a decision was judged on; the look is itself recorded (cl. 13, 16)."""
