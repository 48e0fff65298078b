"""Ports for the record of decisions: reads on the request path, and the recording transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from makul.app.ports.caller import Caller, MessageMark
from makul.app.ports.documents import ConsentStatus, RevokedConsent
from makul.app.ports.signed_documents import RecordedSignature
from makul.domain.agreements import Agreement, Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef, GroundUse, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.match_attempts import AttemptCounts, AttemptLimits
from makul.domain.persons import Person
from makul.domain.reasons import Reason
from makul.domain.recipients import Recipient
from makul.domain.usage import NO_USE, Usage


class StoreUnavailableError(Exception):
    """The record store cannot be reached or cannot commit (OPS-03).

    Nothing was recorded, except possibly if this is a `CommitUnknownError`.
    """


class CommitUnknownError(StoreUnavailableError):
    """The connection to the store was lost during a commit, so its outcome is unknown.

    The writes may have been committed or not. The caller gets no answer and must retry with the
    same request id to learn the outcome.
    """


class NotThisDutyError(StoreUnavailableError):
    """The database role may not do this, because it belongs to another `Duty` or to the owner."""


class Space(StrEnum):
    """The scope in which a request id is unique for one recipient."""

    DISCLOSURE = "DISCLOSURE"
    CONSENT = "CONSENT"
    REVOCATION = "REVOCATION"
    """Consent revocations, which only remove rights.

    A replay of their stored answers therefore needs no rights.
    """
    EXPLANATION = "EXPLANATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The party within a recipient that sends a request.

    A request id belongs to exactly one asker (docs/architecture.md, invariant 5).
    """

    subsystem: str | None = None
    """The X-Road subsystem of the member; None on other channels."""
    employee: str | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """The values by which a repeated request is recognised."""

    recipient: MemberCode
    space: Space
    request_id: UUID
    digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    asker: Asker = Asker()

    def reused_by(self, known: "KnownRequest") -> str | None:
        """Return the element in which this request differs from the one that closed its id.

        Return None if it is the same request of the same asker. An answer goes to no other asker:
        another employee, case or subsystem must present its own consent (Procedure, cl. 4 and 15).
        """
        if self.digest != known.digest:
            return "requestId"
        pairs = (
            ("subsystemCode", self.asker.subsystem, known.asker.subsystem),
            ("employee", self.asker.employee, known.asker.employee),
            ("caseNumber", self.asker.case_number, known.asker.case_number),
        )
        return next((name for name, ours, theirs in pairs if ours != theirs), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """The request that closed a request id."""

    digest: bytes
    asker: Asker


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSnapshot:
    """The state of the record when a request arrives, read in one snapshot."""

    recipient: Recipient | None
    agreement: Agreement | None
    usage: Usage = NO_USE
    """The recipient's usage so far in the minute and in the UTC day of the request."""
    known: KnownRequest | None = None
    """The earlier request that closed this request id; None if the id is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCertificate:
    """A certificate that the operator registered for a recipient's messages."""

    recipient: MemberCode
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldConsent:
    """A registered consent document.

    The operator's record of these bytes proves that they existed at `registered_at`.
    """

    document: bytes
    """The exact bytes of the document."""
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReceipt:
    """The receipt of a decision, as it was signed."""

    disclosure_id: UUID
    document: bytes
    space: Space
    agreement_number: AgreementNumber | None


class Register(Protocol):
    """Reads on the request path.

    No authorisation is ever cached (docs/architecture.md, invariant 9).
    """

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """Return the recipient for whom this certificate is registered and not withdrawn."""

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return the recipient as registered."""

    def standing(
        self, key: RequestKey, agreement: AgreementNumber | None, *, at: datetime
    ) -> RequestSnapshot:
        """Read recipient, agreement, usage and the state of the request id in one snapshot."""

    def official(
        self, recipient: MemberCode, fingerprint: bytes, *, as_of: datetime | None = None
    ) -> str | None:
        """Return the identifier of this recipient's registered official who owns this certificate.

        Return None if the official was withdrawn. An official withdrawn after `as_of` still counts:
        at that time the document was already proven to exist.
        """

    def sealing_certificate(self, recipient: MemberCode) -> bytes | None:
        """Return the newest certificate (DER) to which this recipient's data may be encrypted."""

    def notice_approved(self, ref: str, digest: bytes, language: str) -> bool:
        """Return whether this notice is approved with exactly this text in this language."""

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Return the signatures under an agreement's newest draft; no decision reads them."""

    def use(self, recipient: MemberCode, ground: GroundRef) -> GroundUse:
        """Return how a ground was used so far."""

    def registered_consent(self, recipient: MemberCode, consent_id: UUID) -> HeldConsent | None:
        """Return a consent document that this recipient registered."""

    def consent_status(self, recipient: MemberCode, consent_id: UUID) -> ConsentStatus | None:
        """Return the status of a consent of this recipient, registered or used inline."""

    def given_by(self, recipient: MemberCode, consent_id: UUID, giver: Pin) -> bool:
        """Return whether this person gave this consent as the subject's representative.

        Only consents to this recipient are considered.
        """

    def revocations(
        self, recipient: MemberCode, *, since: datetime | None, after: UUID | None, limit: int
    ) -> tuple[Sequence[RevokedConsent], bool]:
        """Return revoked consents to this recipient, oldest first, and whether there are more.

        The page starts at the instant `since`. If `after` is given, it starts behind that consent
        of that same instant.
        """

    def person(self, pin: Pin) -> Person | None:
        """Return the current version of a person's record; its samples are named and not read.

        The work is the same for an unknown PIN and for any content of the record
        (docs/architecture.md, invariant 6).
        """

    def with_samples(self, person: Person, wanted: frozenset[Attribute]) -> Person:
        """Return this version with the wanted samples read.

        Call this only for samples that are released, because the work reveals which samples are
        held. Raises `StoreUnavailableError`.
        """

    def attempts(
        self, recipient: MemberCode, pin: Pin, employee: str | None, *, since: datetime
    ) -> AttemptCounts:
        """Return the counts of failed matches since an instant."""

    def receipt(self, recipient: MemberCode, request_id: UUID) -> KeptReceipt | None:
        """Return the receipt of the decision that closed this recipient's request id.

        Spaces are searched in the order of `Space`. If the id is still open in a space, the last
        decision in that space is used. A later refusal or dry run under the same id never takes
        precedence over a disclosure.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A leaf of the ledger: a salted commitment, which reveals nothing once the salt is deleted."""

    salt: bytes
    statement: bytes
    """The exact bytes committed to: the facts of the decision, including the subject's PIN."""
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A document on which a decision was judged, and the report of how it was judged."""

    digest: bytes
    kind: str
    document: bytes
    report: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperUse:
    """One more use of an official's daily quota of consents on paper."""

    official: bytes
    """The fingerprint of the official's certificate."""
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRevocation:
    """The revocation of a consent, signed by its subject or by the representative who gave it.

    The signed document is kept as evidence.
    """

    consent_id: UUID
    subject: Pin
    document: bytes | None
    """The digest of the revocation document; None if the operator revoked by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision, recorded completely or not at all before any byte of its answer leaves.

    The entry names the preconditions that the recording transaction checks again at commit:

        requires_active   recipient and agreement are active
        meter             the ground is neither used up nor revoked
        daily_quota       the agreement's quota of the day is not used up
        attempt_limits    no limit on failed matches is reached

    If one of them does not hold, nothing is recorded (`Conflict`).
    """

    disclosure_id: UUID
    key: RequestKey
    operation: Operation
    channel: Channel
    certificate: bytes | None
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
    """True if this decision closes the request id.

    A refusal that may be retried later does not close it, nor does a refusal for misuse of the id
    itself. Such an entry neither reads nor writes the request key.
    """
    keep_answer_until: datetime
    ground: GroundRef | None = None
    evidence: tuple[Evidence, ...] = ()
    requires_active: bool = False
    terms: Agreement | None = None
    """The agreement under which the request was decided.

    If its terms have changed by the commit, nothing is recorded and the id stays open (REQ-05). The
    request must then be judged by the new terms.
    """
    meter: bool = False
    """True if this decision counts as one use of `ground`."""
    daily_quota: int | None = None
    attempt_limits: AttemptLimits | None = None
    """Limits on failed matches, set if a person was compared.

    They must not have been reached by the commit (MAT-06).
    """
    failed_attempt: bool = False
    """Count a failed match against recipient, PIN and employee."""
    register_consent: bool = False
    """Keep the ground's document as a registered consent."""
    paper: PaperUse | None = None
    """The official's quota to use, set if a consent on paper is registered."""
    revokes: ConsentRevocation | None = None
    """The consent that allows no disclosure from this commit on."""
    mark: MessageMark | None = None
    sealed_to: bytes | None = None
    """SHA-256 of the certificate to which the answer is encrypted.

    The certificate must not have been withdrawn by the commit.
    """
    official: bytes | None = None
    """SHA-256 of the certificate of the official who signed the basis statement.

    The official must not have been withdrawn by the commit.
    """


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry is committed and its answer may leave."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The stored answer of a request that was decided before."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change since the decision forbids recording it. Nothing was recorded."""

    reasons: tuple[Reason, ...]


Recorded = Committed | Replay | Conflict


class Recorder(Protocol):
    """The recording transaction. If it raises `StoreUnavailableError`, no answer may be given."""

    def record(self, entry: Entry) -> Recorded:
        """Record a decision and all that belongs to it, or nothing.

        This covers the request key, usage, attempts, disclosure, leaf, evidence and answer.
        """

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """Return the stored answer of a closed id after checking its rights again.

        See docs/architecture.md, invariants 4 and 5. The same transaction records the repetition
        with a leaf of its own (docs/architecture.md, invariant 1).

        `Conflict` carries what forbids the replay: RCP-02, RCP-03 or RCP-04; AGR-01 to AGR-04;
        CNS-05; REQ-08 for a channel that is not agreed; REQ-04 for another digest or asker; REQ-09
        for a repeated message.
        """

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """Record the mark of a message that records nothing else.

        Return False if the message was received before (REQ-09).
        """

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """Count a request that records nothing else; return the count of this minute."""
