"""Port for reads of the record on the request path, and the errors of the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.app.ports.documents import ConsentStatus, RevokedConsent
from makul.app.ports.request_keys import KnownRequest, RequestKey, Space
from makul.app.ports.signed_documents import RecordedSignature
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef, GroundUse
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.match_attempts import AttemptCounts
from makul.domain.persons import Person
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSnapshot:
    """The state of the record when a request arrives, read in one snapshot."""

    recipient: Recipient | None
    agreement: Agreement | None
    usage: Usage = NO_USE
    """The recipient's usage so far in the minute and in the UTC day of the request."""
    known: KnownRequest | None = None
    """The earlier request that closed this request id; None if the id is open."""
    corrections: tuple[UUID, ...] = ()
    """Corrections that the recipient has not acknowledged (cl. 14)."""
    employee_bound: bool = False
    """True if the agreement requires undertakings and the employee has one in force (cl. 16)."""


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


class CertificateRegister(Protocol):
    """The certificates by which a channel identifies the callers of a port."""

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """Return the member for whom this certificate is registered and not withdrawn."""


class Register(CertificateRegister, Protocol):
    """Reads on the request path.

    No authorisation is ever cached (docs/architecture.md, invariant 9).
    """

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return the recipient as registered."""

    def snapshot(
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

    def encryption_certificate(self, recipient: MemberCode) -> bytes | None:
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

    def with_samples(self, person: Person, attributes: frozenset[Attribute]) -> Person:
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
