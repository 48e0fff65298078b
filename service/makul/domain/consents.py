"""What a subject agreed to (Procedure, cl. 4)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from makul.domain.calendar import has_begun
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode


class ResultForm(StrEnum):
    """What may come back: yes or no, or data."""

    YES_NO = "YES_NO"
    DATA = "DATA"


class ConsentState(StrEnum):
    """Where a consent stands at a moment."""

    PENDING = "PENDING"
    IN_FORCE = "IN_FORCE"
    EXPIRED = "EXPIRED"
    USED_UP = "USED_UP"
    REVOKED = "REVOKED"


class AuthorityKind(StrEnum):
    """By what a representative may consent for the subject. What is not among them proves none."""

    PARENT = "PARENT"
    GUARDIAN = "GUARDIAN"
    POWER_OF_ATTORNEY = "POWER_OF_ATTORNEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Who consented for the subject, and by which document they may."""

    pin: Pin | None
    kind: str
    """As written: an authority that is not known is one that proves nothing."""
    valid_to: date | None
    """The last day of the authority; None where its document names none."""
    document_digest: bytes
    """SHA-256 of the authority document."""
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTaken:
    """How a consent on paper came about: the official answers that it is what was signed."""

    date: date
    official: str
    media_type: str
    scan_digest: bytes
    """SHA-256 of the scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the subject signed. In force over [`begins_at`, `valid_to`), both aware."""

    consent_id: UUID
    subject: Pin
    controller: MemberCode
    recipient: MemberCode
    agreement_number: AgreementNumber
    notice_ref: str
    notice_digest: bytes
    language: str
    purpose: PurposeCode
    attributes: frozenset[str]
    """As written: a name that is no attribute is simply never released."""
    methods: frozenset[str]
    result_form: ResultForm
    given_at: datetime
    valid_from: datetime
    valid_to: datetime
    max_disclosures: int
    representative: Representation | None = None
    """Who gave it for the subject, if the subject did not (CNS-11)."""
    paper: PaperTaken | None = None
    """Given on paper; then an official signs the document (CNS-12, CNS-13)."""

    @property
    def begins_at(self) -> datetime:
        """Its first instant in force: never before it was given."""
        return max(self.valid_from, self.given_at)

    @property
    def represented(self) -> bool:
        """Did somebody else give it for the subject?"""
        return self.representative is not None

    @property
    def on_paper(self) -> bool:
        """Was it signed by hand?"""
        return self.paper is not None


def consent_state(
    *,
    valid_from: datetime,
    valid_to: datetime,
    used: int,
    allowed: int,
    revoked: bool,
    at: datetime,
) -> ConsentState:
    """Where a consent stands. Revoked outweighs used up, which outweighs its term."""
    if revoked:
        return ConsentState.REVOKED
    if used >= allowed:
        return ConsentState.USED_UP
    if not has_begun(valid_from, at=at):
        return ConsentState.PENDING
    return ConsentState.IN_FORCE if max(at, valid_from) < valid_to else ConsentState.EXPIRED
