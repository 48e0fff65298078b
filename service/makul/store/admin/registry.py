"""The operator's registry. Each change, and each access to a person's data, is logged with it.

A change and its log entry are in one transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.month_closing import ContestedLine, IssuedMonth, LineAnswer
from makul.domain.months import Month
from makul.domain.officers import Officer
from makul.domain.oversight_cases import CaseProposal, CaseStep, EvidenceFile, OversightCase
from makul.domain.recipients import Recipient
from makul.store.admin import agreements as agreed
from makul.store.admin import (
    case_records,
    cases,
    evidence,
    months,
    notices,
    officers,
    officials,
    recipients,
    signatories,
)
from makul.store.admin.agreement_history import list_versions
from makul.store.admin.certificates import ENCRYPTION_CERTIFICATES, MESSAGE_CERTIFICATES
from makul.store.admin.ground_revocations import find_ground, revoke_ground
from makul.store.admin.person_registry import StorePersonRegistry
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database
from makul.store.encryption.fields import FieldCipher
from makul.store.reads import disclosures as listing
from makul.store.reads import monthly_counts as statistics
from makul.store.reads.agreement_signatures import list_signatures
from makul.store.reads.monthly_decisions import MonthReader
from makul.store.reads.notices import list_notices
from makul.store.reads.oversight_cases import find_case, list_cases, list_steps
from makul.store.records.audit_log import AuditLog
from makul.store.records.repetitions import list_repetitions


class StoreOperatorRegistry(StorePersonRegistry):
    """The implementation of `ports.OperatorRegistry` for one operator.

    Raises `OperatorRegistryError` and `StoreUnavailableError`.
    """

    def __init__(self, database: Database, cipher: FieldCipher, who: str) -> None:
        self._database = database
        self._cipher = cipher
        self._log = AuditLog(cipher, who)
        self._office = RegistryUnitOfWork(database, cipher, self._log)

    # --- recipients and their certificates and officials --------------------------------------

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None:
        """Register a recipient; raises `OperatorRegistryError` if it is registered already."""
        recipients.add(self._office, recipient, at=at)

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Set a recipient's state: active, on hold or cut off.

        The state applies to everything that is ordered after its commit.
        """
        recipients.set_state(self._office, recipient, reason=reason, at=at)

    def rename_recipient(self, code: MemberCode, name: str, *, reason: str, at: datetime) -> None:
        """Give a recipient another name; what was signed before keeps the former one."""
        recipients.rename(self._office, code, name, reason=reason, at=at)

    def recipients(self) -> Sequence[Recipient]:
        """Return every recipient, by code."""
        return recipients.everyone(self._office)

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Register a certificate for a recipient's messages.

        One certificate belongs to one recipient.
        """
        MESSAGE_CERTIFICATES.add(self._office, recipient, fingerprint, der, at=at)

    def certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return the recipient and the DER of every message certificate in use."""
        return MESSAGE_CERTIFICATES.in_use(self._database)

    def encryption_certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return the recipient and the DER of every certificate that data may be encrypted to."""
        return ENCRYPTION_CERTIFICATES.in_use(self._database)

    def withdraw_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a message certificate from this commit on; it cannot be registered again."""
        MESSAGE_CERTIFICATES.withdraw(self._office, recipient, fingerprint, reason=reason, at=at)

    def add_encryption_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Encrypt this recipient's data to this certificate.

        Raises `OperatorRegistryError` if it is known.
        """
        ENCRYPTION_CERTIFICATES.add(self._office, recipient, fingerprint, der, at=at)

    def withdraw_encryption_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an encryption certificate; this cannot be undone.

        Data are not encrypted to it any more, and stored answers that are encrypted to it are not
        given again.
        """
        ENCRYPTION_CERTIFICATES.withdraw(self._office, recipient, fingerprint, reason=reason, at=at)

    def add_official(self, official: Official, *, at: datetime) -> None:
        """Register a person of a recipient who signs basis statements."""
        officials.add(self._office, official, at=at)

    def withdraw_official(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an official, whose signatures do not count from this commit on.

        The official cannot be registered again.
        """
        officials.withdraw(self._office, recipient, fingerprint, reason=reason, at=at)

    # --- terms and grounds --------------------------------------------------------------------

    def add_notice(self, ref: str, texts: Mapping[str, bytes], *, at: datetime) -> None:
        """Register a notice in all its languages; it is valid only after its approval."""
        notices.add(self._office, ref, texts, at=at)

    def approve_notice(
        self, approval: NoticeApproval, signer: bytes, signed: SignedBytes, *, at: datetime
    ) -> None:
        """Record the authorised body's approval of exactly the registered texts."""
        notices.approve(self._office, approval, signer, signed, at=at)

    def notices(self) -> Sequence[Notice]:
        """Return every notice, by number."""
        return list_notices(self._office.database)

    def add_signatory(self, signatory: Signatory, *, at: datetime) -> None:
        """Register a signatory for a party: one person and one key for one party in one role."""
        signatories.add(self._office, signatory, at=at)

    def withdraw_signatory(
        self, member: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a signatory, who may not sign from this commit on."""
        signatories.withdraw(self._office, member, fingerprint, reason=reason, at=at)

    def signatories(self) -> Sequence[Signatory]:
        """Return every signatory, including withdrawn ones."""
        return signatories.list_signatories(self._office)

    def add_officer(self, officer: Officer, *, at: datetime) -> None:
        """Register an officer of a supervising body; one person has one body and one role."""
        officers.add(self._office, officer, at=at)

    def withdraw_officer(self, fingerprint: bytes, *, reason: str, at: datetime) -> None:
        """Withdraw an officer, who can do nothing from this commit on."""
        officers.withdraw(self._office, fingerprint, reason=reason, at=at)

    def officers(self) -> Sequence[Officer]:
        """Return every officer, including withdrawn ones."""
        return officers.list_officers(self._office)

    def draft_agreement(self, agreement: Agreement, document: bytes, *, at: datetime) -> None:
        """Submit draft terms to the parties; earlier terms of that number end here."""
        agreed.draft(self._office, agreement, document, at=at)

    def draft_document(self, number: AgreementNumber) -> bytes | None:
        """Return the unsigned document of an agreement's newest draft."""
        return agreed.draft_document(self._office, number)

    def sign_agreement(self, signature: AgreementSignature, *, at: datetime) -> AgreementState:
        """Record a verified signature, and return the new state.

        It is IN_FORCE if all three parties have signed.
        """
        return agreed.sign(self._office, signature, at=at)

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Return the signatures of the newest draft, the earliest first."""
        return list_signatures(self._database, number)

    def terminate_agreement(self, number: AgreementNumber, *, reason: str, at: datetime) -> None:
        """Terminate an agreement; this cannot be undone."""
        agreed.terminate(self._office, number, reason=reason, at=at)

    def agreements(self, recipient: MemberCode | None = None) -> Sequence[Agreement]:
        """Return every agreement, or those of one recipient, by number."""
        return agreed.everything(self._office, recipient)

    def find_ground(
        self, recipient: MemberCode, kind: GroundKind, ground_id: UUID
    ) -> GroundRow | None:
        """Return a consent or basis statement; None if it was neither used nor registered."""
        return find_ground(self._database, recipient, kind, ground_id)

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
        revoke_ground(self._office, recipient, kind, ground_id, reason=reason, at=at)

    # --- decisions ----------------------------------------------------------------------------

    def disclosures(
        self, *, recipient: MemberCode | None, since: datetime | None, limit: int
    ) -> Sequence[DisclosureRow]:
        """Return the latest decisions first, at most `listing.MOST_ROWS`."""
        return listing.latest(
            self._database, self._cipher, recipient=recipient, since=since, limit=limit
        )

    def disclosure(self, disclosure_id: UUID) -> DisclosureRow | None:
        """Return one decision."""
        return listing.read_disclosure(self._database, self._cipher, disclosure_id)

    def repetitions(
        self,
        *,
        recipient: MemberCode | None = None,
        since: datetime | None = None,
        disclosure_id: UUID | None = None,
        limit: int,
    ) -> Sequence[RepetitionRow]:
        """Return answers that were given again, the latest first."""
        return list_repetitions(
            self._database,
            self._cipher,
            recipient=recipient,
            since=since,
            disclosure_id=disclosure_id,
            limit=limit,
        )

    def statistics(self, month: Month) -> Sequence[MonthCount]:
        """Return counts of a month's decisions."""
        return statistics.of_month(self._database, month)

    def export(
        self, month: Month, recipient: MemberCode | None, look: ExportOptions, *, at: datetime
    ) -> Iterator[DisclosureRow]:
        """Return a month's decisions as they are read.

        The export is recorded before anything is read.
        """
        facts = {"month": str(month), "revealed": look.revealed, "reason": look.reason}
        with self._database.transaction() as transaction:
            self._log.write(transaction, "disclosure.export", recipient or "", facts, at=at)
        return listing.of_month(self._database, self._cipher, month, recipient=recipient)

    @contextmanager
    def read_month(
        self, month: Month, recipient: MemberCode, *, draft: bool, at: datetime
    ) -> Iterator[RecordedMonth]:
        """Yield a recipient's month for its statement, after the act was recorded."""
        facts = {"month": str(month), "draft": draft}
        with self._database.transaction() as transaction:
            self._log.write(transaction, "month.build", recipient, facts, at=at)
        versions = list_versions(self._office, recipient)
        with self._database.snapshot() as snapshot:
            reader = MonthReader(snapshot, self._cipher, recipient)
            yield reader.read_month(month, versions, at=at)

    def issue_month(
        self,
        issued: IssuedMonth,
        head: bytes,
        *,
        at: datetime,
        proposal: CaseProposal | None = None,
    ) -> None:
        """Register a verified head as the statement of a month, permanently."""
        months.issue(self._office, issued, head, proposal, at=at)

    def cases(self) -> Sequence[OversightCase]:
        """Return the newest cases, the one that changed last first."""
        return list_cases(self._database)

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""
        return find_case(self._database, case_id)

    def case_steps(self, case_id: UUID) -> Sequence[CaseStep]:
        """Return the steps of a case, the earliest first."""
        return list_steps(self._database, self._cipher, case_id)

    def attach_evidence(
        self, case_id: UUID, evidence: EvidenceFile, *, reason: str, at: datetime
    ) -> None:
        """Record the evidence file of an open case."""
        cases.attach_evidence(self._office, case_id, evidence, reason=reason, at=at)

    def issued_months(self, month: Month | None = None) -> Sequence[IssuedMonth]:
        """Return the issued months, by month and recipient."""
        return months.list_months(self._office, month)

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month, the earliest first."""
        return months.contested_lines(self._office, recipient, month)

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
        """Record the operator's answer to a contested line, permanently."""
        months.answer_line(
            self._office, recipient, month, disclosure_id, answer, reason=reason, at=at
        )

    def read_case(
        self,
        period: CasePeriod,
        recipient: MemberCode,
        *,
        reason: str,
        preview: bool,
        at: datetime,
    ) -> RecordedCase:
        """Return a recipient's period for a case; the act itself is recorded (cl. 12, 13)."""
        return case_records.read_case(
            self._office, period, recipient, reason=reason, preview=preview, at=at
        )

    def read_decision_evidence(
        self, disclosure_id: UUID, *, at: datetime
    ) -> DecisionEvidence | None:
        """Return the documents of a decision; the access itself is recorded (cl. 13, 16)."""
        return evidence.read_evidence(self._office, disclosure_id, at=at)
