"""Consents of subjects (Procedure, cl. 4)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from makul.domain.calendar import has_begun
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode


class ResultForm(StrEnum):
    """The form of a result: yes or no, or data."""

    YES_NO = "YES_NO"
    DATA = "DATA"


class ConsentState(StrEnum):
    """The state of a consent at a moment."""

    PENDING = "PENDING"
    IN_FORCE = "IN_FORCE"
    EXPIRED = "EXPIRED"
    USED_UP = "USED_UP"
    REVOKED = "REVOKED"


class AuthorityKind(StrEnum):
    """The closed list of authorities by which a representative may consent for the subject.

    An authority that is not in this list proves nothing.
    """

    PARENT = "PARENT"
    GUARDIAN = "GUARDIAN"
    POWER_OF_ATTORNEY = "POWER_OF_ATTORNEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """The representative who consented for the subject, and the document that allows it."""

    pin: Pin | None
    kind: str
    """The authority as written; an unknown authority proves nothing."""
    valid_to: date | None
    """The last day of the authority; None if its document names none."""
    document_digest: bytes
    """SHA-256 of the authority document."""
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConsent:
    """The record of how a consent on paper was taken.

    The official is responsible for the document being what the subject signed.
    """

    date: date
    official: str
    media_type: str
    scan_digest: bytes
    """SHA-256 of the scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent as signed. It is in force over [`begins_at`, `valid_to`), both timezone-aware."""

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
    """The names as written; a name that is no attribute is never released."""
    methods: frozenset[str]
    result_form: ResultForm
    given_at: datetime
    valid_from: datetime
    valid_to: datetime
    max_disclosures: int
    representative: Representation | None = None
    """The representative who gave it for the subject; None if the subject did (CNS-11)."""
    paper: PaperConsent | None = None
    """Set if the consent was given on paper.

    An official then signs the document (CNS-12, CNS-13).
    """

    @property
    def begins_at(self) -> datetime:
        """The first instant in force: never before the consent was given."""
        return max(self.valid_from, self.given_at)

    @property
    def represented(self) -> bool:
        """True if a representative gave the consent for the subject."""
        return self.representative is not None

    @property
    def on_paper(self) -> bool:
        """True if the subject signed by hand."""
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
    """Return the state of a consent.

    Revoked takes precedence over used up, and used up over the term.
    """
    if revoked:
        return ConsentState.REVOKED
    if used >= allowed:
        return ConsentState.USED_UP
    if not has_begun(valid_from, at=at):
        return ConsentState.PENDING
    return ConsentState.IN_FORCE if max(at, valid_from) < valid_to else ConsentState.EXPIRED
