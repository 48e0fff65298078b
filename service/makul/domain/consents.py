"""What a subject agreed to (Procedure, cl. 4)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

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
    represented: bool = False
    """A representative gave it; proof of their authority is needed (CNS-11)."""
    representative: Pin | None = None
    """Who that is, where the document says."""
    on_paper: bool = False
    """A scan of a paper, signed by an official (CNS-12, CNS-13)."""

    @property
    def begins_at(self) -> datetime:
        """Its first instant in force: never before it was given."""
        return max(self.valid_from, self.given_at)


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
    if at < valid_from:
        return ConsentState.PENDING
    return ConsentState.IN_FORCE if at < valid_to else ConsentState.EXPIRED
