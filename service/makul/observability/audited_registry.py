"""The operator's registry with security events for changes and for access to persons.

Every method of `ports.OperatorRegistry` is written out. mypy therefore refuses a registry to which
a method was added on one side only. The author of a new method must decide whether it is an event.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul.app.ports import (
    AgreementSignature,
    DecisionEvidence,
    DisclosureRow,
    ExportOptions,
    GroundRow,
    MonthCount,
    Notice,
    NoticeApproval,
    Official,
    OperatorRegistry,
    RecordedMonth,
    RecordedSignature,
    RepetitionRow,
    Signatory,
    SignedBytes,
)
from makul.app.ports.cases import RecordedCase
from makul.domain.agreements import Agreement, AgreementState
from makul.domain.cases import CasePeriod
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.month_closing import ContestedLine, IssuedMonth, LineAnswer
from makul.domain.months import Month
from makul.domain.officers import Officer
from makul.domain.oversight_cases import CaseProposal, CaseStep, EvidenceFile, OversightCase
from makul.domain.person_queries import PersonCount, PersonQuery, PersonsFound
from makul.domain.persons import Person
from makul.domain.recipients import Recipient
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event


@dataclass(frozen=True, slots=True)
class AuditedRegistry:
    """`ports.OperatorRegistry` that reports each act after it was done.

    A failed act is no event, because it did not happen. Methods without an event list or count what
    contains no person's record.
    """

    registry: OperatorRegistry
    user: str
    """The system user who gave the command."""

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None:
        """Register a recipient, and report it."""
        self.registry.add_recipient(recipient, at=at)
        self._report(Event.RECIPIENT_CHANGED)

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Hold, cut off or release a recipient, and report it."""
        self.registry.set_state(recipient, reason=reason, at=at)
        self._report(Event.RECIPIENT_CHANGED)

    def rename_recipient(self, code: MemberCode, name: str, *, reason: str, at: datetime) -> None:
        """Rename a recipient, and report it."""
        self.registry.rename_recipient(code, name, reason=reason, at=at)
        self._report(Event.RECIPIENT_CHANGED)

    def recipients(self) -> Sequence[Recipient]:
        """Return every recipient."""
        return self.registry.recipients()

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Register a certificate for messages, and report it."""
        self.registry.add_certificate(recipient, fingerprint, der, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return the certificates in use for messages."""
        return self.registry.certificates()

    def encryption_certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return the certificates to which data may be encrypted."""
        return self.registry.encryption_certificates()

    def withdraw_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a certificate for messages, and report it."""
        self.registry.withdraw_certificate(recipient, fingerprint, reason=reason, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def add_encryption_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Register a certificate for encryption, and report it."""
        self.registry.add_encryption_certificate(recipient, fingerprint, der, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def withdraw_encryption_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a certificate for encryption, and report it."""
        self.registry.withdraw_encryption_certificate(recipient, fingerprint, reason=reason, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def add_official(self, official: Official, *, at: datetime) -> None:
        """Register an official, and report it."""
        self.registry.add_official(official, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def withdraw_official(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an official, and report it."""
        self.registry.withdraw_official(recipient, fingerprint, reason=reason, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def add_notice(self, ref: str, texts: Mapping[str, bytes], *, at: datetime) -> None:
        """Register a notice, and report it."""
        self.registry.add_notice(ref, texts, at=at)
        self._report(Event.AGREEMENT_CHANGED)

    def approve_notice(
        self, approval: NoticeApproval, signer: bytes, signed: SignedBytes, *, at: datetime
    ) -> None:
        """Record the approval of a notice, and report it."""
        self.registry.approve_notice(approval, signer, signed, at=at)
        self._report(Event.AGREEMENT_CHANGED)

    def notices(self) -> Sequence[Notice]:
        """Return every notice."""
        return self.registry.notices()

    def add_signatory(self, signatory: Signatory, *, at: datetime) -> None:
        """Register a signatory, and report it."""
        self.registry.add_signatory(signatory, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def withdraw_signatory(
        self, member: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a signatory, and report it."""
        self.registry.withdraw_signatory(member, fingerprint, reason=reason, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def signatories(self) -> Sequence[Signatory]:
        """Return every signatory."""
        return self.registry.signatories()

    def add_officer(self, officer: Officer, *, at: datetime) -> None:
        """Register an officer of a supervising body, and report it."""
        self.registry.add_officer(officer, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def withdraw_officer(self, fingerprint: bytes, *, reason: str, at: datetime) -> None:
        """Withdraw an officer, and report it."""
        self.registry.withdraw_officer(fingerprint, reason=reason, at=at)
        self._report(Event.CERTIFICATE_CHANGED)

    def officers(self) -> Sequence[Officer]:
        """Return every officer."""
        return self.registry.officers()

    def draft_agreement(self, agreement: Agreement, document: bytes, *, at: datetime) -> None:
        """Draft an agreement, and report it."""
        self.registry.draft_agreement(agreement, document, at=at)
        self._report(Event.AGREEMENT_CHANGED)

    def draft_document(self, number: AgreementNumber) -> bytes | None:
        """Return the document of the newest draft."""
        return self.registry.draft_document(number)

    def sign_agreement(self, signature: AgreementSignature, *, at: datetime) -> AgreementState:
        """Record a signature of an agreement, and report it."""
        result = self.registry.sign_agreement(signature, at=at)
        self._report(Event.AGREEMENT_CHANGED)
        return result

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Return the signatures of the newest draft."""
        return self.registry.agreement_signatures(number)

    def terminate_agreement(self, number: AgreementNumber, *, reason: str, at: datetime) -> None:
        """Terminate an agreement, and report it."""
        self.registry.terminate_agreement(number, reason=reason, at=at)
        self._report(Event.AGREEMENT_CHANGED)

    def agreements(self, recipient: MemberCode | None = None) -> Sequence[Agreement]:
        """Return agreements."""
        return self.registry.agreements(recipient)

    def put_persons(self, persons: Sequence[Person], *, at: datetime) -> int:
        """Import or replace records, and report it."""
        result = self.registry.put_persons(persons, at=at)
        self._report(Event.PERSONS_CHANGED)
        return result

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """Return a person's record for an operator, and report the access."""
        result = self.registry.person_for_operator(pin, reason=reason, at=at)
        self._report(Event.PERSON_SHOWN)
        return result

    def subject_lock(self, pin: Pin) -> datetime | None:
        """Return since when a citizen has locked matching; the access to the record is reported."""
        return self.registry.subject_lock(pin)

    def search_persons(
        self, query: PersonQuery, *, reason: str, at: datetime, report: Callable[[int], None]
    ) -> PersonsFound:
        """Find persons by known attributes, and report the access."""
        result = self.registry.search_persons(query, reason=reason, at=at, report=report)
        self._report(Event.PERSON_SHOWN)
        return result

    def change_person(
        self, pin: Pin, change: Callable[[Person], Person], *, field: str, reason: str, at: datetime
    ) -> tuple[Person, Person] | None:
        """Replace a record with a new version, and report it."""
        result = self.registry.change_person(pin, change, field=field, reason=reason, at=at)
        self._report(Event.PERSONS_CHANGED)
        return result

    def count_persons(self) -> PersonCount:
        """Count the contents of the register."""
        return self.registry.count_persons()

    def disclosures(
        self, *, recipient: MemberCode | None, since: datetime | None, limit: int
    ) -> Sequence[DisclosureRow]:
        """Return decisions, the latest first."""
        return self.registry.disclosures(recipient=recipient, since=since, limit=limit)

    def disclosure(self, disclosure_id: UUID) -> DisclosureRow | None:
        """Return one decision."""
        return self.registry.disclosure(disclosure_id)

    def repetitions(
        self,
        *,
        recipient: MemberCode | None = None,
        since: datetime | None = None,
        disclosure_id: UUID | None = None,
        limit: int,
    ) -> Sequence[RepetitionRow]:
        """Return repetitions of stored answers."""
        return self.registry.repetitions(
            recipient=recipient, since=since, disclosure_id=disclosure_id, limit=limit
        )

    def statistics(self, month: Month) -> Sequence[MonthCount]:
        """Return the counts of a month's decisions."""
        return self.registry.statistics(month)

    def export(
        self, month: Month, recipient: MemberCode | None, options: ExportOptions, *, at: datetime
    ) -> Iterator[DisclosureRow]:
        """Return a month's decisions, and report the export, which is already recorded."""
        result = self.registry.export(month, recipient, options, at=at)
        self._report(Event.RECORD_EXPORTED)
        return result

    @contextmanager
    def read_month(
        self, month: Month, recipient: MemberCode, *, draft: bool, at: datetime
    ) -> Iterator[RecordedMonth]:
        """Yield a month for its statement, and report that it leaves the record."""
        with self.registry.read_month(month, recipient, draft=draft, at=at) as result:
            self._report(Event.RECORD_EXPORTED)
            yield result

    def issue_month(
        self,
        issued: IssuedMonth,
        head: bytes,
        *,
        at: datetime,
        proposal: CaseProposal | None = None,
    ) -> None:
        """Issue the statement of a month, and report it."""
        self.registry.issue_month(issued, head, at=at, proposal=proposal)
        self._report(Event.MONTH_CHANGED)

    def cases(self) -> Sequence[OversightCase]:
        """Return the newest cases."""
        return self.registry.cases()

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""
        return self.registry.case(case_id)

    def case_steps(self, case_id: UUID) -> Sequence[CaseStep]:
        """Return the steps of a case."""
        return self.registry.case_steps(case_id)

    def attach_evidence(
        self, case_id: UUID, evidence: EvidenceFile, *, reason: str, at: datetime
    ) -> None:
        """Record the evidence file of a case, and report it."""
        self.registry.attach_evidence(case_id, evidence, reason=reason, at=at)
        self._report(Event.CASE_CHANGED)

    def issued_months(self, month: Month | None = None) -> Sequence[IssuedMonth]:
        """Return the issued months."""
        return self.registry.issued_months(month)

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month."""
        return self.registry.contested_lines(recipient, month)

    def answer_line(
        self,
        recipient: MemberCode,
        month: Month,
        disclosure_id: UUID,
        answer: LineAnswer,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """Answer a contested line, and report it."""
        self.registry.answer_line(recipient, month, disclosure_id, answer, reason=reason, at=at)
        self._report(Event.MONTH_CHANGED)

    def read_case(
        self,
        period: CasePeriod,
        recipient: MemberCode,
        *,
        reason: str,
        preview: bool,
        at: datetime,
    ) -> RecordedCase:
        """Return a period for a case, and report that it leaves the record."""
        result = self.registry.read_case(period, recipient, reason=reason, preview=preview, at=at)
        self._report(Event.RECORD_EXPORTED)
        return result

    def read_decision_evidence(
        self, disclosure_id: UUID, *, at: datetime
    ) -> DecisionEvidence | None:
        """Return the evidence of a decision, and report the access."""
        result = self.registry.read_decision_evidence(disclosure_id, at=at)
        self._report(Event.EVIDENCE_SHOWN)
        return result

    def find_ground(
        self, recipient: MemberCode, kind: GroundKind, ground_id: UUID
    ) -> GroundRow | None:
        """Return a consent or basis statement of a recipient."""
        return self.registry.find_ground(recipient, kind, ground_id)

    def revoke_ground(
        self, recipient: MemberCode, kind: GroundKind, ground_id: UUID, *, reason: str, at: datetime
    ) -> None:
        """Revoke a consent or basis statement, and report it."""
        self.registry.revoke_ground(recipient, kind, ground_id, reason=reason, at=at)
        self._report(Event.GROUND_REVOKED)

    def _report(self, event: Event) -> None:
        emit_security_event(event, user=self.user)
