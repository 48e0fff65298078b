"""The record: what a request reads of it, and the transaction that decides whether it may leave."""

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
    """The record store cannot be reached or cannot commit (OPS-03). Nothing was recorded, except
    perhaps where it is a `CommitUnknownError`.
    """


class CommitUnknownError(StoreUnavailableError):
    """The store was lost during a commit: what was written may stand, or not. Nothing is answered,
    and whoever asks again learns it.
    """


class NotThisDutyError(StoreUnavailableError):
    """The database's role may not do this: it belongs to another `Duty`, or to the owner."""


class Space(StrEnum):
    """Where a request id is unique, for one recipient."""

    DISCLOSURE = "DISCLOSURE"
    CONSENT = "CONSENT"
    REVOCATION = "REVOCATION"
    """Takes and never gives: its stored answers need no rights."""
    EXPLANATION = "EXPLANATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who of a recipient asks: a request id belongs to one asker (invariant 5)."""

    subsystem: str | None = None
    """The X-Road subsystem of the member; None on other channels."""
    employee: str | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """A request as it is known when it comes again."""

    recipient: MemberCode
    space: Space
    request_id: UUID
    digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    asker: Asker = Asker()

    def reused_by(self, known: "KnownRequest") -> str | None:
        """Return the element in which this request differs from the one that closed its id.

        None if it is the same request of the same asker. An answer goes to nobody else: another
        employee, case or subsystem has its own consent to show (Procedure, cl. 4, 15).
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
    """What the record holds when a request arrives, read in one snapshot."""

    recipient: Recipient | None
    agreement: Agreement | None
    usage: Usage = NO_USE
    """What the recipient used so far in the minute and the UTC day of the request."""
    known: KnownRequest | None = None
    """The request that closed this request id before; None if the id is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCertificate:
    """A certificate that the operator registered for a recipient's messages."""

    recipient: MemberCode
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldConsent:
    """A registered consent: that the operator recorded these bytes then proves they existed."""

    document: bytes
    """Its exact bytes."""
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReceipt:
    """The receipt of a decision, as it was signed."""

    disclosure_id: UUID
    document: bytes
    space: Space
    agreement_number: AgreementNumber | None


class Register(Protocol):
    """Reads on the request path. No authorisation is ever cached (invariant 9)."""

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """The recipient for whom this certificate is registered and not withdrawn."""

    def recipient(self, code: MemberCode) -> Recipient | None:
        """The recipient as registered."""

    def standing(
        self, key: RequestKey, agreement: AgreementNumber | None, *, at: datetime
    ) -> RequestSnapshot:
        """Recipient, agreement, use, and whether the request id is closed, in one snapshot."""

    def official(
        self, recipient: MemberCode, fingerprint: bytes, *, as_of: datetime | None = None
    ) -> str | None:
        """The registered official of this recipient to whom this certificate belongs.

        None once withdrawn, unless that was after `as_of`, when the document was proven to be.
        """

    def sealing_certificate(self, recipient: MemberCode) -> bytes | None:
        """The newest certificate (DER) to which this recipient's data may be encrypted."""

    def notice_approved(self, ref: str, digest: bytes, language: str) -> bool:
        """Is this consent notice approved, with exactly this text in this language?"""

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Who signed an agreement's newest draft; not read by any decision."""

    def use(self, recipient: MemberCode, ground: GroundRef) -> GroundUse:
        """How a ground was used so far."""

    def registered_consent(self, recipient: MemberCode, consent_id: UUID) -> HeldConsent | None:
        """A consent document that this recipient registered."""

    def consent_status(self, recipient: MemberCode, consent_id: UUID) -> ConsentStatus | None:
        """A consent of this recipient, registered or used inline."""

    def given_by(self, recipient: MemberCode, consent_id: UUID, giver: Pin) -> bool:
        """Did this person, as the subject's representative, give this recipient this consent?"""

    def revocations(
        self, recipient: MemberCode, *, since: datetime | None, after: UUID | None, limit: int
    ) -> tuple[Sequence[RevokedConsent], bool]:
        """Consents to this recipient that were taken back, oldest first, and are there more?

        From `since` on; with `after`, behind that consent of that very instant.
        """

    def person(self, pin: Pin) -> Person | None:
        """The current version of a person's record, its samples named and not read.

        The work is the same for an unknown PIN, and whatever the record holds (invariant 6).
        """

    def with_samples(self, person: Person, wanted: frozenset[Attribute]) -> Person:
        """Return this version with those of its samples read that are wanted.

        Only for what is released: the work tells what is held. Raises `StoreUnavailableError`.
        """

    def attempts(
        self, recipient: MemberCode, pin: Pin, employee: str | None, *, since: datetime
    ) -> AttemptCounts:
        """Failed matches since an instant."""

    def receipt(self, recipient: MemberCode, request_id: UUID) -> KeptReceipt | None:
        """The receipt of the decision that closed this recipient's request id.

        Searched in the order of `Space`; in one space, the last decision if the id is still open.
        A later refusal or dry run under the same id never stands before a disclosure.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What the ledger commits to: a salted digest, which says nothing once the salt is gone."""

    salt: bytes
    statement: bytes
    """The exact bytes committed to: the decision's facts, the subject's PIN among them."""
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a decision was judged on: the exact bytes, and how they were judged."""

    digest: bytes
    kind: str
    document: bytes
    report: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperUse:
    """One more consent on paper by an official, of those they may hand in a day."""

    official: bytes
    """The fingerprint of their certificate."""
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRevocation:
    """A consent revoked by what its subject, or who gave it, signed; its document is evidence."""

    consent_id: UUID
    subject: Pin
    document: bytes | None
    """The revocation's digest; None where the operator revoked by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision, to be recorded whole or not at all, before a byte of its answer leaves.

    What must still be true at commit is named here, and re-checked in the recording transaction:
    `requires_active` (recipient and agreement), `meter` (the ground is neither used up nor
    revoked), `daily_quota`, `attempt_limits`. Where it is not, nothing is recorded (`Conflict`).
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
    """Does this decision close the request id? A refusal that may be asked again later does not,
    and neither does one for the id's own misuse; such an entry neither reads nor writes the key."""
    keep_answer_until: datetime
    ground: GroundRef | None = None
    evidence: tuple[Evidence, ...] = ()
    requires_active: bool = False
    terms: Agreement | None = None
    """The agreement under which it was decided. Where its terms are others by now, nothing is
    recorded and the id stays open (REQ-05): the request is to be judged by the new ones."""
    meter: bool = False
    """Does it count as one use of `ground`?"""
    daily_quota: int | None = None
    attempt_limits: AttemptLimits | None = None
    """Set where a person was compared: limits not to have been reached meanwhile (MAT-06)."""
    failed_attempt: bool = False
    """Count a failed match against recipient, PIN and employee."""
    register_consent: bool = False
    """Keep the ground's document as a registered consent."""
    paper: PaperUse | None = None
    """Set where a consent on paper is registered."""
    revokes: ConsentRevocation | None = None
    """From this commit on, this consent carries nothing more."""
    mark: MessageMark | None = None
    sealed_to: bytes | None = None
    """SHA-256 of the certificate to which the answer is encrypted; not to be withdrawn by now."""
    official: bytes | None = None
    """SHA-256 of the certificate of the official who signed the basis; likewise."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry stands; its answer may leave."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The same request was decided before; this is the answer it got."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """Meanwhile something changed that forbids it. Nothing was recorded."""

    reasons: tuple[Reason, ...]


Recorded = Committed | Replay | Conflict


class Recorder(Protocol):
    """The recording transaction. Raises `StoreUnavailableError`; then nothing may be answered."""

    def record(self, entry: Entry) -> Recorded:
        """All or nothing: request key, meter, attempts, disclosure, leaf, evidence, answer."""

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """The stored answer of a closed id, its rights re-checked (invariants 4 and 5).

        The repetition is recorded in the same transaction, with a leaf of its own (invariant 1).

        `Conflict` carries what forbids it: RCP-02/03/04, AGR-01 to 04, CNS-05, REQ-08 for a
        channel that is not agreed, REQ-04 for another digest or asker, REQ-09 for a message that
        came before.
        """

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """Note a message that records nothing else; False where it came before (REQ-09)."""

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """Count a request that records nothing else; return how many came in this minute."""
