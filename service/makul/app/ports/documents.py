"""Ports for documents and answers: XML to domain values and back, and proofs of signatures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.app.ports.acts import ActFacts, RecordedAct
from makul.app.ports.corrections import CorrectionDocuments
from makul.app.ports.ledger import Inclusion
from makul.app.ports.oversight import DecisionLine
from makul.app.ports.registry import MonthCount
from makul.app.ports.secrecy import SecrecyDocuments
from makul.app.ports.signed_documents import RecordedSignature
from makul.app.ports.subject import ConsentPosition, PagePosition, SubjectConsent, SubjectEntry
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.consent_revocations import Revocation
from makul.domain.consents import Consent
from makul.domain.disclosures import GroundRef, Operation, Outcome, Proof
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.legal_bases import BasisStatement
from makul.domain.matches import MethodVerdict
from makul.domain.month_closing import ContestedLine, IssuedMonth
from makul.domain.oversight_cases import CaseStep, EvidenceFile, OversightCase
from makul.domain.person_locks import UnlockOrder
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Ruling

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


class DocumentError(Exception):
    """A document cannot be read. Its message never contains the document's text."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code.value)
        self.reason = reason


class UnwritableError(ValueError):
    """A value does not fit the schema of its element. The message never contains the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """All facts of a receipt; rendered by `documents`, signed by `trust`."""

    receipt_id: UUID
    request_id: UUID
    request_digest: bytes
    operation: str
    """The name of the operation on the wire."""
    recipient: MemberCode
    """The caller: a recipient, or the body of an officer."""
    agreement_number: AgreementNumber | None
    outcome: Outcome
    reasons: tuple[Reason, ...]
    released: frozenset[Attribute]
    payload_digest: bytes | None
    answer_digest: bytes
    """SHA-256 of the answer without its receipt (`RenderedAnswer.digest`)."""
    ground: GroundRef | None
    decided_at: datetime
    leaf_hash: bytes
    operator: MemberCode


MAX_SEALED_PERSON = 5 * 1024 * 1024
"""Maximum size in bytes of a `person` element that can be encrypted.

Signed, encrypted and in base64 it stays within a `SealedDocument` (types.xsd), 7 MiB.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDelivery:
    """Data of a person, bound to their recipient; to be signed and then encrypted."""

    request_id: UUID
    disclosure_id: UUID
    recipient: MemberCode
    operator: MemberCode
    decided_at: datetime
    person: bytes
    """The rendered `person` element, exactly as digested into the receipt."""
    payload_salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatus:
    """A consent held by the operator, and how often it was used."""

    consent_id: UUID
    digest: bytes
    subject: Pin
    valid_from: datetime
    valid_to: datetime
    allowed: int
    used: int
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedConsent:
    """A consent that was revoked, and the time at which the revocation was recorded."""

    consent_id: UUID
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All facts of a decision's answer except the receipt, which is passed separately."""

    operation: Operation
    request_id: UUID
    outcome: Outcome
    reasons: tuple[Reason, ...]
    disclosure_id: UUID
    decided_at: datetime
    matches: tuple[MethodVerdict, ...] = ()
    """Verdicts of the match methods; with scores only if the agreement shows them."""
    payload: bytes | None = None
    """The rendered `person` element, exactly as digested into the receipt."""
    payload_salt: bytes | None = None
    """The salt of the payload digest, returned only together with the payload.

    A receipt that contained it would let anyone who holds the receipt test guesses.
    """
    sealed: bytes | None = None
    """The signed and encrypted payload, which replaces `payload` if the agreement requires it."""
    rulings: tuple[Ruling, ...] = ()
    """Every rule's verdict, for ExplainDecision."""
    consent: "ConsentStatus | None" = None
    """The registered consent, for RegisterConsent."""
    revoked: UUID | None = None
    """The id of the consent that is now revoked, for RevokeConsent."""
    corrections: tuple[UUID, ...] = ()
    """Corrections that the recipient must acknowledge (cl. 14); they depend on it alone."""


class RenderedAnswer(Protocol):
    """An answer that is rendered once; its receipt is added later because it signs these bytes."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the answer without its receipt, in exclusive canonical form."""

    def with_receipt(self, receipt: bytes) -> bytes:
        """Return the complete Body child of the answer, with its own namespace declarations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimit:
    """A limit that a recipient's software should know."""

    name: str
    value: int
    unit: str


class ReceiptCertificateState(StrEnum):
    """The state of a certificate with which receipts are or were signed."""

    CURRENT = "CURRENT"
    NEXT = "NEXT"
    RETIRED = "RETIRED"
    COMPROMISED = "COMPROMISED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptCertificate:
    """One certificate of the operator's receipts, named by its SHA-256 digest."""

    fingerprint: bytes
    valid_from: datetime
    valid_to: datetime
    state: ReceiptCertificateState
    compromised_since: datetime | None = None
    """The time from which a receipt signed with this certificate proves nothing.

    It is set if the state is COMPROMISED.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInfo:
    """The identity of the log over all decisions, and the operator's promise about its delay."""

    origin: str
    vkey: str
    """The public key of the log (C2SP signed-note, Verifier keys)."""
    max_merge_delay: timedelta
    """The time within which a decision's leaf is in a checkpoint; whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """The content of a GetStatus answer."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    software_version: str
    contract_version: str
    time: datetime
    limits: tuple[ServiceLimit, ...]
    receipt_certificates: tuple[ReceiptCertificate, ...] = ()
    ledger: LedgerInfo | None = None


class Documents(CorrectionDocuments, SecrecyDocuments, Protocol):
    """Converts between XML and domain values by the published schemas.

    It uses no keys and no database.
    """

    def act_answer(self, facts: ActFacts, recorded: RecordedAct) -> RenderedAnswer:
        """Render the answer of an act of the oversight port, without its receipt."""

    def month_counts(self, counts: Sequence[MonthCount]) -> bytes:
        """Return the elements `count` of GetStatistics."""

    def month_status(self, issued: IssuedMonth, *, at: datetime) -> bytes:
        """Return an element `status` with the state of a month."""

    def subject_entries(
        self, entries: Sequence[SubjectEntry], following: PagePosition | None
    ) -> bytes:
        """Return the elements `disclosure` of ListDisclosures, and `next` if there are more."""

    def subject_consents(
        self, listed: Sequence[SubjectConsent], following: ConsentPosition | None, *, at: datetime
    ) -> bytes:
        """Return the elements `consent` of ListConsents, and `next` if there are more."""

    def stored_consent(self, document: bytes) -> Consent | None:
        """Read a stored consent, which was verified; None for another document."""

    def stored_basis(self, document: bytes) -> BasisStatement | None:
        """Read a stored basis statement, which was verified for its decision.

        Return None for a document that cannot be read as one.
        """

    def contested_lines(self, lines: Sequence[ContestedLine]) -> bytes:
        """Return the elements `contestedLine` with the operator's answers."""

    def decision_lines(self, lines: Sequence[DecisionLine], *, more: bool) -> bytes:
        """Return the elements `line` and `more` of ListDisclosures."""

    def cases(self, cases: Sequence[OversightCase]) -> bytes:
        """Return the elements `case` of GetCase."""

    def case_steps(self, steps: Sequence[CaseStep]) -> bytes:
        """Return the elements `step` of GetCase."""

    def evidence_part(self, evidence: EvidenceFile, offset: int, part: bytes) -> bytes:
        """Return a part of an evidence file, with the size and the digest of the whole."""

    def encoded(self, name: str, document: bytes) -> bytes:
        """Return an element that contains a document, base64. `name` is a constant."""

    def page_digest(self, head: bytes, number: int) -> bytes | None:
        """Return the digest of a page that a statement's head names; None if it names no such."""

    def content_digest(self, signed: "Element") -> bytes:
        """Return the SHA-256 digest of a verified root element in exclusive canonical form."""

    def read_consent(self, signed: "Element") -> Consent:
        """Read a consent from its verified root element; raises `DocumentError` (REQ-01)."""

    def read_revocation(self, signed: "Element") -> Revocation:
        """Read a consent revocation from its verified root element.

        Raises `DocumentError` (REQ-01).
        """

    def read_unlock(self, signed: "Element") -> UnlockOrder:
        """Read an order to unlock matching from its verified root element.

        Raises `DocumentError` (REQ-01).
        """

    def read_basis(self, signed: "Element") -> BasisStatement:
        """Read a basis statement from its verified root element.

        Raises `DocumentError` (REQ-01).
        """

    def media_type(self, content: bytes) -> str | None:
        """Return the media type of a scan by its content.

        The type is PDF, PNG, JPEG or TIFF; None for any other content.
        """

    def person(self, person: Person, released: frozenset[Attribute]) -> bytes:
        """Return the `person` element with exactly these attributes, in exclusive canonical form.

        Raises `UnwritableError` if the record holds a value that the schema does not allow.
        """

    def receipt(self, receipt: Receipt) -> bytes:
        """Return a receipt without its signature, already in exclusive canonical form."""

    def delivery(self, delivery: PersonDelivery) -> bytes:
        """Return the delivery to be signed and then encrypted, in exclusive canonical form."""

    def answer(self, answer: Answer) -> RenderedAnswer:
        """Render the answer of an operation that decides, without its receipt."""

    def consent_status(
        self, request_id: UUID, answer: ConsentStatus | Reason, *, at: datetime
    ) -> bytes:
        """Return the answer of GetConsentStatus: the state, or the reason why none is given."""

    def revocations(
        self, request_id: UUID, revoked: Sequence[RevokedConsent], *, more: bool
    ) -> bytes:
        """Return the answer of ListRevocations: one page."""

    def agreement(
        self,
        request_id: UUID,
        agreement: Agreement | None,
        signatures: Sequence[RecordedSignature] = (),
    ) -> bytes:
        """Return the answer of GetAgreement with its signatures.

        If there is no agreement, the answer is AGR-01.
        """

    def receipt_answer(
        self, request_id: UUID, receipt: bytes | Reason, inclusion: Inclusion | None = None
    ) -> bytes:
        """Return the answer of GetReceipt: the receipt, or the reason why none is given."""

    def status(self, request_id: UUID, status: "ServiceStatus") -> bytes:
        """Return the answer of GetStatus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDocument:
    """The proof of a document and, only if it passed, the root element that was signed."""

    proof: Proof
    signed: "Element | None"
    report: bytes
    """The validation report, as JSON without personal data; kept with the document as evidence."""


class DocumentVerifier(Protocol):
    """Verifies documents with one enveloped signature, XAdES-B or higher."""

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """Verify a document. A bad signature is an answer and never raises.

        `existed_at` is an earlier time at which the operator provably held these exact bytes. The
        signature is then judged for that time (ETSI EN 319 102-1, 5.5.4).
        """


class SignerUnavailableError(Exception):
    """The operator's key cannot sign now (OPS-01). Without a receipt there is no answer.

    The message says what the operator must check, and contains nothing of a request.
    """


class ReceiptSigner(Protocol):
    """Signs the operator's receipts and deliveries."""

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        """Add an enveloped XAdES-B signature to a document that is in canonical form.

        Raises `SignerUnavailableError`.
        """

    def ready(self) -> bool:
        """Return whether the key could sign now; quick enough for a health probe."""


class DeliveryEncryptor(Protocol):
    """Encrypts a delivery to the certificate of its recipient."""

    def judge(self, certificate: bytes, *, at: datetime) -> Code | None:
        """Return why nothing may be encrypted to this certificate (DER) now; None if it is good.

        Return SIG-07 if its state could not be determined.
        """

    def encrypt(self, document: bytes, certificate: bytes) -> bytes:
        """Encrypt a document to a certificate that `judge` accepted."""
