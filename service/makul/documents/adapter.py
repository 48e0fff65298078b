"""The port `Documents`, fulfilled: every document and answer of release 1 by its schema."""

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
    NoticeApproval,
    PersonDelivery,
    Receipt,
    RecordedSignature,
    RenderedAnswer,
    RevokedConsent,
    ServiceStatus,
    UnwritableError,
)
from makul.documents import (
    agreements,
    answers,
    bases,
    consents,
    deliveries,
    notices,
    persons,
    receipts,
    revocations,
)
from makul.documents import media_types as attachments
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.consent_revocations import Revocation
from makul.domain.consents import Consent
from makul.domain.identifiers import MemberCode
from makul.domain.legal_bases import BasisStatement
from makul.domain.persons import Person
from makul.domain.reasons import Reason

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True)
class XmlDocuments:
    """Reads what was signed and writes what the operator says; stateless, for any thread.

    What cannot be written as its schema wants raises `UnwritableError`, and nothing leaves.
    """

    operator: MemberCode

    def read_consent(self, signed: "Element") -> Consent:
        """A consent from its verified root element; raises `DocumentError` (REQ-01)."""
        return consents.read_consent(signed)

    def read_revocation(self, signed: "Element") -> Revocation:
        """A revocation from its verified root element; raises `DocumentError` (REQ-01)."""
        return revocations.read_revocation(signed)

    def read_basis(self, signed: "Element") -> BasisStatement:
        """A basis statement from its verified root element; raises `DocumentError` (REQ-01)."""
        return bases.read_basis(signed)

    def media_type(self, content: bytes) -> str | None:
        """What a scan is by its content, whole and alone."""
        return attachments.media_type(content)

    def person(self, person: Person, released: frozenset[Attribute]) -> bytes:
        """The `person` element, and with it the very bytes of the payload digest."""
        return persons.render_person(person, released)

    def receipt(self, receipt: Receipt) -> bytes:
        """A receipt without its signature; one of another operator is not ours to give."""
        if receipt.operator != self.operator:
            raise UnwritableError("a receipt is given by the operator alone")
        return receipts.render_receipt(receipt)

    def delivery(self, delivery: PersonDelivery) -> bytes:
        """A delivery without its signature; one of another operator is not ours to give."""
        if delivery.operator != self.operator:
            raise UnwritableError("data are given by the operator alone")
        return deliveries.render_delivery(delivery)

    def answer(self, answer: Answer) -> RenderedAnswer:
        """Render the answer of an operation that decides, but for its receipt."""
        return answers.render_decision(answer)

    def consent_status(
        self, request_id: UUID, found: ConsentStatus | Reason, *, at: datetime
    ) -> bytes:
        """The answer of GetConsentStatus."""
        return answers.render_consent_status(request_id, found, at=at)

    def revocations(
        self, request_id: UUID, revoked: Sequence[RevokedConsent], *, more: bool
    ) -> bytes:
        """The answer of ListRevocations."""
        return answers.render_revocations(request_id, revoked, more=more)

    def agreement(
        self,
        request_id: UUID,
        agreement: Agreement | None,
        signatures: Sequence[RecordedSignature] = (),
    ) -> bytes:
        """The answer of GetAgreement."""
        return answers.render_agreement(request_id, agreement, signatures)

    def receipt_answer(
        self, request_id: UUID, found: bytes | Reason, inclusion: Inclusion | None = None
    ) -> bytes:
        """The answer of GetReceipt."""
        return answers.render_receipt_answer(request_id, found, inclusion)

    def status(self, request_id: UUID, status: ServiceStatus) -> bytes:
        """The answer of GetStatus."""
        return answers.render_status(request_id, status)


@dataclass(frozen=True, slots=True)
class XmlPapers:
    """The port `SignedPapers`, fulfilled: what the parties sign beside consents and bases."""

    def render_agreement(self, draft: AgreementDraft) -> bytes:
        """The document to be signed; raises `UnwritableError`."""
        return agreements.render_agreement(draft)

    def read_agreement(self, signed: "Element") -> AgreementDraft:
        """An agreement from its verified root element; raises `DocumentError` (REQ-01)."""
        return agreements.read_agreement(signed)

    def render_approval(self, approval: NoticeApproval) -> bytes:
        """The approval to be signed; raises `UnwritableError`."""
        return notices.render_approval(approval)

    def read_approval(self, signed: "Element") -> NoticeApproval:
        """An approval from its verified root element; raises `DocumentError` (REQ-01)."""
        return notices.read_approval(signed)

    def content_digest(self, signed: "Element") -> bytes:
        """SHA-256 over a verified root element in exclusive canonical form."""
        return agreements.content_digest(signed)
