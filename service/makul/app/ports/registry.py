"""The operator's registry: recipients, officials, notices, agreements, persons and decisions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.app.ports.monthly_statements import RecordedMonth
from makul.app.ports.oversight import OversightRegistry
from makul.app.ports.request_keys import Asker
from makul.app.ports.signed_documents import (
    AgreementSignature,
    Notice,
    NoticeApproval,
    RecordedSignature,
    Signatory,
    SignedBytes,
)
from makul.domain.agreements import Agreement, AgreementState, Channel
from makul.domain.cases import CasePeriod
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.months import Month
from makul.domain.officers import Officer
from makul.domain.person_queries import PersonCount, PersonQuery, PersonsFound
from makul.domain.persons import Person
from makul.domain.recipients import Recipient

if TYPE_CHECKING:
    from makul.app.ports.cases import RecordedCase


class OperatorRegistryError(Exception):
    """An operation contradicts the register. The message contains no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A person who signs basis statements and consents on paper for a recipient."""

    recipient: MemberCode
    identifier: str
    name: str
    fingerprint: bytes
    not_after: datetime | None = None
    """The end of the certificate; None if an earlier release registered the official."""


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
    """The number of a month's decisions with these values (Procedure, cl. 11)."""

    recipient: MemberCode
    purpose: str | None
    outcome: Outcome
    ground_kind: str | None
    decisions: int
    repetitions: int = 0
    """Number of answers of such decisions, of any month, that were given again in this month."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The options of an export: whether it shows whole PINs, and the reason for it."""

    revealed: bool
    reason: str | None

    def __post_init__(self) -> None:
        if self.revealed and not (self.reason or "").strip():
            raise ValueError("PINs are shown for a reason, which is recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDocument:
    """One document on which a decision was judged, as it is stored."""

    digest: bytes
    """The digest by which the decision names the document."""
    kind: str | None
    """The kind of the document; None if the document is missing."""
    document: bytes | None
    """The exact bytes; None if they are missing or do not decrypt."""
    report: bytes
    """The report of how the document was judged for this decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvidence:
    """All documents on which a decision was judged."""

    disclosure_id: UUID
    decided_at: datetime
    pieces: tuple[EvidenceDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRow:
    """A consent or basis statement that was used or registered, as shown to the operator."""

    recipient: MemberCode
    kind: GroundKind
    ground_id: UUID
    allowed: int
    """Number of disclosures that the ground allows."""
    used: int
    valid_from: datetime
    valid_to: datetime
    registered_at: datetime | None
    """The time of registration.

    None if the ground came with a request and was not registered before.
    """
    revoked_at: datetime | None
    """The time at which the operator revoked the ground.

    A consent revocation by the subject is not shown here.
    """


class OperatorRegistry(OversightRegistry, Protocol):
    """The operations of the operator on the register.

    Every change is recorded with its actor and time.
    """

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None: ...

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Hold, release or remove a recipient, for everything ordered after the commit."""

    def rename_recipient(
        self, code: MemberCode, name: str, *, reason: str, at: datetime
    ) -> None: ...

    def recipients(self) -> Sequence[Recipient]: ...

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None: ...

    def certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return every recipient's certificates in use for messages: owner and DER."""

    def encryption_certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return every certificate to which data may be encrypted: owner and DER."""

    def withdraw_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a message certificate from this commit on; it cannot be registered again."""

    def add_encryption_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Register the certificate to which this recipient's data are encrypted.

        It takes effect with this commit.
        """

    def withdraw_encryption_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an encryption certificate; this cannot be undone.

        Nothing more is encrypted to it, and no stored answer that is encrypted to it is given
        again.
        """

    def add_official(self, official: Official, *, at: datetime) -> None: ...

    def withdraw_official(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an official from this commit on; the official cannot be registered again.

        A document of the official that arrives from then on does not count, even if it bears an
        earlier date. Consents on paper that were registered before still count.
        """

    def add_notice(self, ref: str, texts: Mapping[str, bytes], *, at: datetime) -> None:
        """Register a notice in all its languages; it counts once it is approved."""

    def approve_notice(
        self, approval: NoticeApproval, signer: bytes, signed: SignedBytes, *, at: datetime
    ) -> None:
        """Record the authorised body's approval.

        Its signatory and the texts are checked at commit.
        """

    def notices(self) -> Sequence[Notice]: ...

    def add_signatory(self, signatory: Signatory, *, at: datetime) -> None:
        """Register a signatory for a party. One person with one key has one party and one role."""

    def withdraw_signatory(
        self, member: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a signatory.

        The signatory no longer counts for documents not yet in force; documents in force stay so.
        """

    def signatories(self) -> Sequence[Signatory]: ...

    def add_officer(self, officer: Officer, *, at: datetime) -> None:
        """Register an officer of a supervising body; one person has one body and one role."""

    def withdraw_officer(self, fingerprint: bytes, *, reason: str, at: datetime) -> None:
        """Withdraw an officer, who can do nothing from this commit on."""

    def officers(self) -> Sequence[Officer]:
        """Return every officer, including withdrawn ones."""

    def draft_agreement(self, agreement: Agreement, document: bytes, *, at: datetime) -> None:
        """Register `document` as the newest draft; earlier terms of that number end with it."""

    def draft_document(self, number: AgreementNumber) -> bytes | None:
        """Return the document of an agreement's newest draft, unsigned."""

    def sign_agreement(self, signature: AgreementSignature, *, at: datetime) -> AgreementState:
        """Record a verified signature; return IN_FORCE once all three parties have signed."""

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Return the signatures under the newest draft, oldest first.

        Signatures of withdrawn signatories are left out unless the agreement is in force.
        """

    def terminate_agreement(self, number: AgreementNumber, *, reason: str, at: datetime) -> None:
        """Terminate an agreement from this commit on; this cannot be undone."""

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
        """Insert persons, or replace them by new versions; return how many changed.

        Each batch is one transaction.
        """

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """Return a person's record for the operator; the access is itself recorded (cl. 13 and 16).

        Samples are named and not read.
        """

    def subject_lock(self, pin: Pin) -> datetime | None:
        """Return since when a citizen has locked their own matching; None if they have not.

        Read it only for a record whose access was recorded.
        """

    def search_persons(
        self, query: PersonQuery, *, reason: str, at: datetime, report: Callable[[int], None]
    ) -> PersonsFound:
        """Find at most `MAX_FOUND` persons by known attributes (cl. 13 and 16).

        The search is recorded before any record is decrypted. Each person found is recorded before
        they are shown. `report` receives the number of records decrypted so far.
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
        """Add the result of `change` to the current version as a new version (cl. 14).

        Return the record before and after; None if there is no record. Every version is kept.
        """

    def count_persons(self) -> PersonCount:
        """Count the content of the register; decrypts no record."""

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
        """Count a month's decisions by recipient, purpose, outcome and ground (cl. 11)."""

    def export(
        self, month: Month, recipient: MemberCode | None, options: ExportOptions, *, at: datetime
    ) -> Iterator[DisclosureRow]:
        """Return a month's decisions, oldest first, as they are read.

        The export is itself recorded before the first decision is returned (cl. 13 and 16).
        """

    def read_month(
        self, month: Month, recipient: MemberCode, *, draft: bool, at: datetime
    ) -> AbstractContextManager[RecordedMonth]:
        """Open a recipient's month for its statement: one snapshot, read as it is used.

        The act is itself recorded before anything is read (cl. 11 and 13).
        """

    def read_case(
        self,
        period: CasePeriod,
        recipient: MemberCode,
        *,
        reason: str,
        preview: bool,
        at: datetime,
    ) -> "RecordedCase":
        """Return a recipient's period for a case; its decisions are read as they are used.

        The act is itself recorded before anything is read (cl. 12 and 13).
        """

    def read_decision_evidence(
        self, disclosure_id: UUID, *, at: datetime
    ) -> DecisionEvidence | None:
        """Return the evidence of a decision; the access is itself recorded (cl. 13 and 16)."""
