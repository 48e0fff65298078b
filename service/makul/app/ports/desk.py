"""The operator's desk: who is registered, under what terms, and who is in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.domain.agreements import Agreement
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.persons import Person
from makul.domain.recipients import Recipient


class DeskError(Exception):
    """What was asked of the desk contradicts the register. The message holds no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A person of a recipient who signs basis statements (and, later, paper consents)."""

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
    decided_at: datetime
    leaf_hash: bytes


class Desk(Protocol):
    """What the operator may do to the register. Every change is recorded with who and when."""

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None: ...

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Hold or release; takes effect for everything ordered after its commit."""

    def recipients(self) -> Sequence[Recipient]: ...

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None: ...

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

    def add_notice(
        self, ref: str, digest: bytes, texts: Mapping[str, str], *, at: datetime
    ) -> None: ...

    def put_agreement(self, agreement: Agreement, *, at: datetime) -> None: ...

    def agreements(self, recipient: MemberCode | None = None) -> Sequence[Agreement]: ...

    def put_persons(self, persons: Sequence[Person], *, at: datetime) -> int:
        """Insert or replace as a new version, one transaction a batch; how many changed."""

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """A person's record for the operator's eyes; the look is itself recorded (cl. 13, 16)."""

    def disclosures(
        self, *, recipient: MemberCode | None, since: datetime | None, limit: int
    ) -> Sequence[DisclosureRow]: ...

    def disclosure(self, disclosure_id: UUID) -> DisclosureRow | None: ...
