"""Adapters for the ports `Documents` and `SignedDocuments`: documents and answers of release 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from makul.app.ports import (
    AgreementDraft,
    Answer,
    ConsentStatus,
    Inclusion,
    MonthCount,
    Notice,
    NoticeApproval,
    PendingDraft,
    PersonDelivery,
    Receipt,
    RecordedSignature,
    RenderedAnswer,
    RevokedConsent,
    ServiceStatus,
    UnwritableError,
)
from makul.app.ports.acts import ActFacts, RecordedAct
from makul.app.ports.corrections import CorrectionView
from makul.app.ports.oversight import DecisionLine
from makul.app.ports.secrecy import DeletionsPage
from makul.app.ports.subject import (
    ConsentPosition,
    PagePosition,
    SubjectConsent,
    SubjectEntry,
)
from makul.documents import (
    act_answers,
    agreements,
    answers,
    bases,
    consents,
    corrections,
    deliveries,
    monthly_statements,
    notices,
    oversight_answers,
    persons,
    receipts,
    revocations,
    signature_answers,
    subject_answers,
    undertakings,
    unlocks,
)
from makul.documents import media_types as attachments
from makul.documents.canonical_writer import binary, group
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.consent_revocations import Revocation
from makul.domain.consents import Consent
from makul.domain.corrections import Correction
from makul.domain.identifiers import MemberCode
from makul.domain.legal_bases import BasisStatement
from makul.domain.month_closing import ContestedLine, IssuedMonth
from makul.domain.oversight_cases import CaseStep, EvidenceFile, OversightCase
from makul.domain.person_locks import UnlockOrder
from makul.domain.persons import Person
from makul.domain.reasons import Reason
from makul.domain.undertakings import Undertaking

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True)
class XmlDocuments:
    """The adapter for the port `Documents`: read signed documents and write the operator's own.

    An instance has no state and is safe to share between threads. A method that writes raises
    `UnwritableError` if the content does not fit the schema; then nothing is sent.
    """

    operator: MemberCode

    def read_consent(self, signed: "Element") -> Consent:
        """Read a consent from its verified root element. Raises `DocumentError` (REQ-01)."""
        return consents.read_consent(signed)

    def read_revocation(self, signed: "Element") -> Revocation:
        """Read a consent revocation from its verified root. Raises `DocumentError` (REQ-01)."""
        return revocations.read_revocation(signed)

    def read_unlock(self, signed: "Element") -> UnlockOrder:
        """Read an order to unlock from its verified root. Raises `DocumentError` (REQ-01)."""
        return unlocks.read_unlock(signed)

    def read_undertaking(self, signed: "Element") -> Undertaking:
        """Read an undertaking of secrecy from its verified root. Raises `DocumentError`."""
        return undertakings.read_undertaking(signed)

    def read_basis(self, signed: "Element") -> BasisStatement:
        """Read a basis statement from its verified root. Raises `DocumentError` (REQ-01)."""
        return bases.read_basis(signed)

    def media_type(self, content: bytes) -> str | None:
        """Return the media type of a scan, determined from its whole content, or None."""
        return attachments.media_type(content)

    def person(self, person: Person, released: frozenset[Attribute]) -> bytes:
        """Return the `person` element. Its bytes are those over which the payload digest is."""
        return persons.render_person(person, released)

    def receipt(self, receipt: Receipt) -> bytes:
        """Return a receipt without its signature.

        Raises `UnwritableError` for a receipt of another operator.
        """
        if receipt.operator != self.operator:
            raise UnwritableError("only the operator issues receipts")
        return receipts.render_receipt(receipt)

    def delivery(self, delivery: PersonDelivery) -> bytes:
        """Return a delivery without its signature.

        Raises `UnwritableError` for a delivery of another operator.
        """
        if delivery.operator != self.operator:
            raise UnwritableError("only the operator releases data")
        return deliveries.render_delivery(delivery)

    def answer(self, answer: Answer) -> RenderedAnswer:
        """Render the answer of an operation that decides, without its receipt."""
        return answers.render_decision(answer)

    def act_answer(self, facts: ActFacts, recorded: RecordedAct) -> RenderedAnswer:
        """Render the answer of an act of the oversight port, without its receipt."""
        return act_answers.render_act(facts, recorded)

    def month_counts(self, counts: Sequence[MonthCount]) -> bytes:
        """Return the elements `count` of GetStatistics."""
        return act_answers.render_month_counts(counts)

    def month_status(self, issued: IssuedMonth, *, at: datetime) -> bytes:
        """Return an element `status` with the state of a month."""
        return act_answers.render_month_status(issued, at=at)

    def subject_entries(
        self, entries: Sequence[SubjectEntry], following: PagePosition | None
    ) -> bytes:
        """Return the elements `disclosure` of ListDisclosures, and `next` if there are more."""
        return subject_answers.render_entries(entries, following)

    def subject_consents(
        self, listed: Sequence[SubjectConsent], following: ConsentPosition | None, *, at: datetime
    ) -> bytes:
        """Return the elements `consent` of ListConsents, and `next` if there are more."""
        return subject_answers.render_consents(listed, following, at=at)

    def stored_retention(self, document: bytes) -> str | None:
        """Return how long the recipient may keep the data of a stored consent."""
        return consents.read_stored_retention(document)

    def deletions_due(self, page: DeletionsPage, *, at: datetime) -> bytes:
        """Return the elements `due` of AttestDeletion, and `next` if there are more."""
        return act_answers.render_deletions_due(page, at=at)

    def stored_consent(self, document: bytes) -> Consent | None:
        """Read a stored consent, which was verified; None for another document."""
        return consents.read_stored_consent(document)

    def stored_basis(self, document: bytes) -> BasisStatement | None:
        """Read a stored basis statement; None for a document that cannot be read as one."""
        return bases.read_stored_basis(document)

    def contested_lines(self, lines: Sequence[ContestedLine]) -> bytes:
        """Return the elements `contestedLine` with the operator's answers."""
        return act_answers.render_contested_lines(lines)

    def decision_lines(self, lines: Sequence[DecisionLine], *, more: bool) -> bytes:
        """Return the elements `line` and `more` of ListDisclosures."""
        return oversight_answers.render_lines(lines, more=more)

    def cases(self, cases: Sequence[OversightCase]) -> bytes:
        """Return the elements `case` of GetCase."""
        return oversight_answers.render_cases(cases)

    def corrections(self, views: Sequence[CorrectionView], *, at: datetime) -> bytes:
        """Return the elements `correction`, each as the party that asks may see it."""
        return corrections.render_corrections(views, at=at)

    def correction_result(self, changed: Correction) -> bytes:
        """Return the elements of an act that recorded or resolved a report."""
        return corrections.render_correction_result(changed)

    def acknowledged(self, *, at: datetime) -> bytes:
        """Return the element of AcknowledgeCorrection."""
        return corrections.render_acknowledged(at=at)

    def case_steps(self, steps: Sequence[CaseStep]) -> bytes:
        """Return the elements `step` of GetCase."""
        return oversight_answers.render_steps(steps)

    def evidence_part(self, evidence: EvidenceFile, offset: int, part: bytes) -> bytes:
        """Return a part of an evidence file, with the size and the digest of the whole."""
        return oversight_answers.render_part(evidence, offset, part)

    def encoded(self, name: str, document: bytes) -> bytes:
        """Return an element that contains a document, base64. `name` is a constant."""
        return group(name, binary(document)).encode()

    def page_digest(self, head: bytes, number: int) -> bytes | None:
        """Return the digest of a page that a statement's head names; None if it names no such."""
        return monthly_statements.page_digest(head, number)

    def content_digest(self, signed: "Element") -> bytes:
        """Return the SHA-256 digest of a verified root element in exclusive canonical form."""
        return agreements.content_digest(signed)

    def consent_status(
        self, request_id: UUID, answer: ConsentStatus | Reason, *, at: datetime
    ) -> bytes:
        """Return the answer of GetConsentStatus."""
        return answers.render_consent_status(request_id, answer, at=at)

    def revocations(
        self, request_id: UUID, revoked: Sequence[RevokedConsent], *, more: bool
    ) -> bytes:
        """Return the answer of ListRevocations."""
        return answers.render_revocations(request_id, revoked, more=more)

    def agreement(
        self,
        request_id: UUID,
        agreement: Agreement | None,
        signatures: Sequence[RecordedSignature] = (),
    ) -> bytes:
        """Return the answer of GetAgreement."""
        return answers.render_agreement(request_id, agreement, signatures)

    def receipt_answer(
        self, request_id: UUID, receipt: bytes | Reason, inclusion: Inclusion | None = None
    ) -> bytes:
        """Return the answer of GetReceipt."""
        return answers.render_receipt_answer(request_id, receipt, inclusion)

    def status(self, request_id: UUID, status: ServiceStatus) -> bytes:
        """Return the answer of GetStatus."""
        return answers.render_status(request_id, status)


@dataclass(frozen=True, slots=True)
class XmlSignedDocuments:
    """The adapter for the port `SignedDocuments`: agreements and approvals of notices."""

    def render_agreement(self, draft: AgreementDraft) -> bytes:
        """Return the agreement that the parties sign. Raises `UnwritableError`."""
        return agreements.render_agreement(draft)

    def read_agreement(self, signed: "Element") -> AgreementDraft:
        """Read an agreement from its verified root element. Raises `DocumentError` (REQ-01)."""
        return agreements.read_agreement(signed)

    def render_approval(self, approval: NoticeApproval) -> bytes:
        """Return the approval that the authorised body signs. Raises `UnwritableError`."""
        return notices.render_approval(approval)

    def read_approval(self, signed: "Element") -> NoticeApproval:
        """Read an approval from its verified root element. Raises `DocumentError` (REQ-01)."""
        return notices.read_approval(signed)

    def content_digest(self, signed: "Element") -> bytes:
        """Return the SHA-256 digest of a verified root element in exclusive canonical form."""
        return agreements.content_digest(signed)

    def pending_drafts(self, drafts: Sequence[PendingDraft]) -> bytes:
        """Return the elements `draft` of GetAgreementDraft."""
        return signature_answers.render_drafts(drafts)

    def listed_notices(self, listed: Sequence[Notice]) -> bytes:
        """Return the elements `notice` of GetNotice, without texts."""
        return signature_answers.render_notices(listed)

    def notice_to_approve(self, notice: Notice, approval: bytes) -> bytes:
        """Return an element `notice` with its texts and the approval to sign."""
        return signature_answers.render_notice(notice, approval)
