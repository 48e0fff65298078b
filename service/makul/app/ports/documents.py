"""Documents and answers: XML to domain and back, and the proof of who signed what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.app.ports.ledger import Inclusion
from makul.app.ports.signed_documents import RecordedSignature
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.consent_revocations import Revocation
from makul.domain.consents import Consent
from makul.domain.disclosures import GroundRef, Operation, Outcome, Proof
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.legal_bases import BasisStatement
from makul.domain.matches import MethodVerdict
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Ruling

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


class DocumentError(Exception):
    """A document cannot be read. Its message never holds the document's text."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code.value)
        self.reason = reason


class UnwritableError(ValueError):
    """A value cannot be written as its element wants it. The message never holds the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything that a receipt says; rendered by `documents`, signed by `trust`."""

    receipt_id: UUID
    request_id: UUID
    request_digest: bytes
    operation: Operation
    recipient: MemberCode
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
"""Bytes of a `person` element that can be sealed. Signed, encrypted and in base64 it stays within a
SealedDocument (types.xsd), 7 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDelivery:
    """Data of a person, bound to whom they are given; to be signed, and then sealed."""

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
    """A consent that was taken back, and when that was recorded."""

    consent_id: UUID
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a decision's answer says, but for the receipt, which is passed beside it."""

    operation: Operation
    request_id: UUID
    outcome: Outcome
    reasons: tuple[Reason, ...]
    disclosure_id: UUID
    decided_at: datetime
    matches: tuple[MethodVerdict, ...] = ()
    """Scores and thresholds are set here only where the agreement lets them out."""
    payload: bytes | None = None
    """The rendered `person` element, exactly as digested into the receipt."""
    payload_salt: bytes | None = None
    """Beside the payload and nowhere else: a receipt with it would let guesses be tested."""
    sealed: bytes | None = None
    """In its place, where the agreement wants it: the same, signed and encrypted."""
    rulings: tuple[Ruling, ...] = ()
    """For ExplainDecision: every rule's verdict."""
    consent: "ConsentStatus | None" = None
    """For RegisterConsent."""
    revoked: UUID | None = None
    """For RevokeConsent: the consent that is revoked now."""


class RenderedAnswer(Protocol):
    """An answer rendered once, whose receipt is not there yet because it signs these bytes."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the answer without its receipt, in exclusive canonical form."""

    def with_receipt(self, receipt: bytes) -> bytes:
        """The Body's child of the answer, complete, with its own namespace declarations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimit:
    """A limit that a recipient's software should know."""

    name: str
    value: int
    unit: str


class ReceiptCertificateState(StrEnum):
    """Whether receipts are signed by it."""

    CURRENT = "CURRENT"
    NEXT = "NEXT"
    RETIRED = "RETIRED"
    COMPROMISED = "COMPROMISED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptCertificate:
    """One certificate of the operator's receipts, by its SHA-256."""

    fingerprint: bytes
    valid_from: datetime
    valid_to: datetime
    state: ReceiptCertificateState
    compromised_since: datetime | None = None
    """From when on a receipt by it proves nothing; there where the state is COMPROMISED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInfo:
    """By what the log over all decisions is known, and what the operator promises of it."""

    origin: str
    vkey: str
    """Its public key (C2SP signed-note, Verifier keys)."""
    max_merge_delay: timedelta
    """Within this time a decision's leaf is in a checkpoint; whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What GetStatus tells."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    software_version: str
    contract_version: str
    time: datetime
    limits: tuple[ServiceLimit, ...]
    receipt_certificates: tuple[ReceiptCertificate, ...] = ()
    ledger: LedgerInfo | None = None


class Documents(Protocol):
    """XML ↔ domain by the published schemas. No keys, no database."""

    def read_consent(self, signed: "Element") -> Consent:
        """A consent from its verified root element; raises `DocumentError` (REQ-01)."""

    def read_revocation(self, signed: "Element") -> Revocation:
        """A revocation from its verified root element; raises `DocumentError` (REQ-01)."""

    def read_basis(self, signed: "Element") -> BasisStatement:
        """A basis statement from its verified root element; raises `DocumentError` (REQ-01)."""

    def media_type(self, content: bytes) -> str | None:
        """What a scan is by its content: PDF, PNG, JPEG or TIFF; None for anything else."""

    def person(self, person: Person, released: frozenset[Attribute]) -> bytes:
        """The `person` element with exactly these attributes, in exclusive canonical form.

        Raises `UnwritableError` where the record holds what the schema does not let out.
        """

    def receipt(self, receipt: Receipt) -> bytes:
        """A receipt without its signature, already in exclusive canonical form."""

    def delivery(self, delivery: PersonDelivery) -> bytes:
        """What is signed and then sealed, already in exclusive canonical form."""

    def answer(self, answer: Answer) -> RenderedAnswer:
        """Render the answer of an operation that decides, but for its receipt."""

    def consent_status(
        self, request_id: UUID, found: ConsentStatus | Reason, *, at: datetime
    ) -> bytes:
        """The answer of GetConsentStatus: the state, or the reason why there is none to give."""

    def revocations(
        self, request_id: UUID, revoked: Sequence[RevokedConsent], *, more: bool
    ) -> bytes:
        """The answer of ListRevocations, one page of it."""

    def agreement(
        self,
        request_id: UUID,
        agreement: Agreement | None,
        signatures: Sequence[RecordedSignature] = (),
    ) -> bytes:
        """The answer of GetAgreement, with who has signed; none is answered with AGR-01."""

    def receipt_answer(
        self, request_id: UUID, found: bytes | Reason, inclusion: Inclusion | None = None
    ) -> bytes:
        """The answer of GetReceipt: the receipt, or the reason why there is none to give."""

    def status(self, request_id: UUID, status: "ServiceStatus") -> bytes:
        """The answer of GetStatus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDocument:
    """A document's proof and, only where it passed, the root element that was signed."""

    proof: Proof
    signed: "Element | None"
    report: bytes
    """How it was judged, as JSON without personal data; kept beside the bytes as evidence."""


class DocumentVerifier(Protocol):
    """Verifies documents that are signed once, enveloped, by XAdES-B or higher."""

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """Never raises for a bad document: a bad signature is an answer.

        `existed_at` is an earlier time at which the operator provably held these very bytes: the
        signature is then judged for that moment (ETSI EN 319 102-1, 5.5.4).
        """


class SignerUnavailableError(Exception):
    """The operator's key cannot sign now (OPS-01): without a receipt there is no answer.

    The message tells the operator what to look at, and nothing of a request.
    """


class ReceiptSigner(Protocol):
    """Signs what the operator says."""

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        """An enveloped XAdES-B signature, added to a document that is in canonical form.

        Raises `SignerUnavailableError`.
        """

    def ready(self) -> bool:
        """Could it sign now? Quick enough for a probe of health."""


class DeliverySealer(Protocol):
    """Encrypts what is given to the certificate of the one to whom it is given."""

    def judge(self, certificate: bytes, *, at: datetime) -> Code | None:
        """Why nothing may be encrypted to this certificate (DER) now; None where it may be.

        SIG-07 where it could not be told.
        """

    def seal(self, document: bytes, certificate: bytes) -> bytes:
        """The document, encrypted to a certificate that `judge` let pass."""
