"""What the use cases need of the world, as Protocols and the frozen values that pass through them.

The adapters (`documents`, `trust`, `matching`, `store`) fulfil these without knowing one another;
`bootstrap` joins them. Elements of signed or received XML pass through here unread: only
`documents` and `soap` look inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.domain.agreements import Agreement, Channel
from makul.domain.attempts import AttemptCounts, AttemptLimits
from makul.domain.attributes import Attribute
from makul.domain.bases import BasisStatement
from makul.domain.consents import Consent
from makul.domain.disclosures import GroundRef, GroundUse, Operation, Outcome, Proof
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.matches import DemographicProbe, MatchMethod, MatchVerdict, MethodVerdict
from makul.domain.persons import Person
from makul.domain.reasons import Reason
from makul.domain.recipients import Recipient
from makul.domain.verdicts import Ruling

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


class Clock(Protocol):
    """The one source of the present: an aware instant in UTC."""

    def __call__(self) -> datetime: ...


# --- who is calling -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMark:
    """What makes one signed message recognisable when it comes twice (REQ-09)."""

    digest: bytes
    """SHA-256 over the message's signature value and certificate."""
    forget_after: datetime
    """When its own timestamp makes a second arrival stale anyway (REQ-03)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a message, as exactly one channel proved it. Nothing of it comes from the Body."""

    recipient: MemberCode
    channel: Channel
    certificate: bytes | None = None
    """SHA-256 of the registered certificate that proved it; None on the X-Road channel."""
    employee: str | None = None
    request_id: UUID | None = None
    """`xrd:id`, where the channel gives one; it must equal the Body's."""
    case_number: str | None = None
    mark: MessageMark | None = None


class RejectedError(Exception):
    """The message cannot be answered with a decision: it becomes a SOAP Fault, without a receipt.

    The message of this exception holds codes alone.
    """

    def __init__(self, *reasons: Reason, request_id: UUID | None = None) -> None:
        super().__init__(" ".join(reason.code.value for reason in reasons))
        self.reasons = reasons
        self.request_id = request_id


# --- documents: XML to domain and back ----------------------------------------------------------


class DocumentError(Exception):
    """A document cannot be read. Carries the reason; its message never holds the document's text."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code.value)
        self.reason = reason


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
    payload_salt: bytes | None
    ground: GroundRef | None
    decided_at: datetime
    leaf_hash: bytes
    operator: MemberCode


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
    rulings: tuple[Ruling, ...] = ()
    """For ExplainDecision: every rule's verdict."""
    consent: "ConsentStatus | None" = None
    """For RegisterConsent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimit:
    """A limit that a recipient's software should know."""

    name: str
    value: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What GetStatus tells."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    software_version: str
    contract_version: str
    time: datetime
    limits: tuple[ServiceLimit, ...]


class Documents(Protocol):
    """XML ↔ domain by the published schemas. No keys, no database."""

    def read_consent(self, signed: "Element") -> Consent:
        """A consent from its verified root element; raises `DocumentError` (REQ-01)."""

    def read_basis(self, signed: "Element") -> BasisStatement:
        """A basis statement from its verified root element; raises `DocumentError` (REQ-01)."""

    def person(self, person: Person, released: frozenset[Attribute]) -> bytes:
        """The `person` element with exactly these attributes, already in exclusive canonical form."""

    def receipt(self, receipt: Receipt) -> bytes:
        """A receipt without its signature, already in exclusive canonical form."""

    def answer(self, answer: Answer, receipt: bytes) -> bytes:
        """The Body's child of the answer, complete, with its own namespace declarations."""

    def consent_status(
        self, request_id: UUID, status: ConsentStatus | None, *, at: datetime
    ) -> bytes:
        """The answer of GetConsentStatus; an unknown consent is answered with CNS-01."""

    def agreement(self, request_id: UUID, agreement: Agreement | None) -> bytes:
        """The answer of GetAgreement; none is answered with AGR-01."""

    def receipt_answer(self, request_id: UUID, receipt: bytes | None) -> bytes:
        """The answer of GetReceipt; none is answered with REQ-01, field `ofRequest`."""

    def status(self, request_id: UUID, status: "ServiceStatus") -> bytes:
        """The answer of GetStatus."""


# --- trust: bytes to evidence, and bytes to signed bytes ------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDocument:
    """A document's proof and, only where it passed, the root element that was signed."""

    proof: Proof
    signed: "Element | None"
    report: bytes
    """How it was judged, as JSON without personal data; kept beside the bytes as evidence."""


class DocumentVerifier(Protocol):
    """Verifies documents that are signed once, enveloped, by XAdES-B or higher."""

    def verify(self, document: bytes, *, at: datetime) -> VerifiedDocument:
        """Never raises for a bad document: a bad signature is an answer."""


class ReceiptSigner(Protocol):
    """Signs what the operator says."""

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        """An enveloped XAdES-B signature, added to a document that is in canonical form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessage:
    """A signed message after verification: from here on only `child` is read."""

    child: "Element"
    """The Body's one child, taken from the verified bytes of the Body."""
    fingerprint: bytes
    """SHA-256 of the certificate that signed it. Nobody is yet believed to own it."""
    mark: MessageMark


class MessageVerifier(Protocol):
    """Verifies a SOAP message signed by WS-Security X.509 token: Body and Timestamp."""

    def verify(self, envelope: "Element", *, at: datetime) -> VerifiedMessage:
        """Raises `RejectedError` (SIG-*, REQ-03); the envelope is left as it was received."""


# --- matching ---------------------------------------------------------------------------------------


class Matcher(Protocol):
    """Compares a probe with a record. Without a record it does the same work against a decoy."""

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """The methods that are available here."""

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """Never `MATCH` where `person` is None."""


# --- the record ---------------------------------------------------------------------------------------


class StoreUnavailableError(Exception):
    """The record store cannot be reached or cannot commit (OPS-03). Nothing was recorded."""


class Space(StrEnum):
    """Where a request id is unique, for one recipient."""

    DISCLOSURE = "DISCLOSURE"
    EXPLANATION = "EXPLANATION"
    CONSENT = "CONSENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """A request as it is known when it comes again."""

    recipient: MemberCode
    space: Space
    request_id: UUID
    digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the record holds when a request arrives, read in one snapshot."""

    recipient: Recipient | None
    agreement: Agreement | None
    known_digest: bytes | None = None
    """The digest under which this request id was closed before; None where it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCertificate:
    """A certificate that the operator registered for a recipient's messages."""

    recipient: MemberCode
    fingerprint: bytes


class Register(Protocol):
    """Reads on the request path. No authorisation is ever cached (invariant 9)."""

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """The recipient for whom this certificate is registered and not withdrawn."""

    def standing(self, key: RequestKey, agreement: AgreementNumber | None) -> Standing:
        """Recipient, agreement and whether the request id is closed, in one snapshot."""

    def official(self, recipient: MemberCode, fingerprint: bytes) -> str | None:
        """The registered official of this recipient to whom this certificate belongs."""

    def notice_approved(self, ref: str, digest: bytes) -> bool:
        """Is this consent notice registered with exactly this text?"""

    def use(self, recipient: MemberCode, ground: GroundRef) -> GroundUse:
        """How a ground was used so far."""

    def registered_consent(self, recipient: MemberCode, consent_id: UUID) -> bytes | None:
        """The exact bytes of a consent document that this recipient registered."""

    def consent_status(self, recipient: MemberCode, consent_id: UUID) -> ConsentStatus | None:
        """This recipient's own consent, registered or used inline."""

    def person(self, pin: Pin) -> Person | None:
        """The current version of a person's record. Same kind of work for an unknown PIN."""

    def attempts(
        self, recipient: MemberCode, pin: Pin, employee: str | None, *, since: datetime
    ) -> AttemptCounts:
        """Failed matches since an instant."""

    def receipt(self, recipient: MemberCode, request_id: UUID) -> bytes | None:
        """The receipt of this recipient's earlier request, its last if it was asked repeatedly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What the ledger commits to: a salted digest, which says nothing once the salt is gone."""

    salt: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a decision was judged on: the exact bytes, and how they were judged."""

    digest: bytes
    kind: str
    document: bytes
    report: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision, to be recorded whole or not at all, before a byte of its answer leaves.

    What must still be true at commit is named here, and re-checked in the recording transaction:
    `requires_active` (recipient and agreement), `meter` (the ground is neither used up nor
    revoked), `daily_quota`, `attempt_limits`. Where it is not, nothing is recorded (`Overtaken`).
    """

    disclosure_id: UUID
    key: RequestKey
    operation: Operation
    channel: Channel
    certificate: bytes | None
    employee: str | None
    case_number: str | None
    agreement_number: AgreementNumber | None
    purpose: PurposeCode | None
    subject: Pin | None
    outcome: Outcome
    reasons: tuple[Reason, ...]
    released: frozenset[Attribute]
    decided_at: datetime
    leaf: Leaf
    receipt: bytes
    answer: bytes
    closes: bool
    """Does this decision close the request id? A refusal that may be asked again later does not."""
    keep_answer_until: datetime
    ground: GroundRef | None = None
    evidence: tuple[Evidence, ...] = ()
    requires_active: bool = False
    meter: bool = False
    """Does it count as one use of `ground`?"""
    daily_quota: int | None = None
    attempt_limits: AttemptLimits | None = None
    """Set where a person was compared: limits that must not have been reached meanwhile (MAT-06)."""
    failed_attempt: bool = False
    """Count a failed match against recipient, PIN and employee."""
    register_consent: bool = False
    """Keep the ground's document as a registered consent."""
    mark: MessageMark | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry stands; its answer may leave."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The same request was decided before; this is the answer it got."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Meanwhile something changed that forbids it. Nothing was recorded."""

    reasons: tuple[Reason, ...]


Recorded = Committed | Replay | Overtaken


class Recorder(Protocol):
    """The recording transaction. Raises `StoreUnavailableError`; then nothing was recorded."""

    def record(self, entry: Entry) -> Recorded:
        """All or nothing: request key, meter, attempts, disclosure, leaf, evidence, answer."""

    def replay(
        self, key: RequestKey, mark: MessageMark | None, *, at: datetime
    ) -> Replay | Overtaken:
        """The stored answer of a closed id with this digest, its rights re-checked (invariants 4, 5).

        `Overtaken` carries what forbids it: RCP-02/03, AGR-01/02, CNS-05, REQ-04 for another
        digest, REQ-09 for a message that came before.
        """

    def admit(self, mark: MessageMark, *, at: datetime) -> bool:
        """Note a message that records nothing else; False where it came before (REQ-09)."""


# --- the operator's desk ---------------------------------------------------------------------------------


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
