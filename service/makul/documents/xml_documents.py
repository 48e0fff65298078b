"""The port `Documents`, fulfilled: every document and answer of release 1 by its schema."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from makul.app.ports import (
    Answer,
    ConsentStatus,
    PersonDelivery,
    Receipt,
    ServiceStatus,
    UnwritableError,
)
from makul.documents import answers, bases, consents, deliveries, persons, receipts
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.bases import BasisStatement
from makul.domain.consents import Consent
from makul.domain.identifiers import MemberCode
from makul.domain.persons import Person

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

    def read_basis(self, signed: "Element") -> BasisStatement:
        """A basis statement from its verified root element; raises `DocumentError` (REQ-01)."""
        return bases.read_basis(signed)

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

    def answer(self, answer: Answer, receipt: bytes) -> bytes:
        """The answer of an operation that decides."""
        return answers.render_decision(answer, receipt)

    def consent_status(
        self, request_id: UUID, status: ConsentStatus | None, *, at: datetime
    ) -> bytes:
        """The answer of GetConsentStatus."""
        return answers.render_consent_status(request_id, status, at=at)

    def agreement(self, request_id: UUID, agreement: Agreement | None) -> bytes:
        """The answer of GetAgreement."""
        return answers.render_agreement(request_id, agreement)

    def receipt_answer(self, request_id: UUID, receipt: bytes | None) -> bytes:
        """The answer of GetReceipt."""
        return answers.render_receipt_answer(request_id, receipt)

    def status(self, request_id: UUID, status: ServiceStatus) -> bytes:
        """The answer of GetStatus."""
        return answers.render_status(request_id, status)
