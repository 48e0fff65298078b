"""Requests, their grounds and their outcomes (Procedure, cl. 4, 5 and 10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from makul.domain.agreements import Channel
from makul.domain.causes import Cause
from makul.domain.consents import Consent, ResultForm
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.legal_bases import BasisStatement
from makul.domain.reasons import Code


class Operation(StrEnum):
    """An operation that a recipient may request, by its name on the wire."""

    VERIFY_PERSON = "VerifyPerson"
    GET_PERSON_DATA = "GetPersonData"
    EXPLAIN_DECISION = "ExplainDecision"
    REGISTER_CONSENT = "RegisterConsent"
    REVOKE_CONSENT = "RevokeConsent"

    @property
    def result_form(self) -> ResultForm | None:
        """The form of the result about a person; None if the operation returns none."""
        return _RESULT_FORM.get(self)


_RESULT_FORM = {
    Operation.VERIFY_PERSON: ResultForm.YES_NO,
    Operation.GET_PERSON_DATA: ResultForm.DATA,
}


class Outcome(StrEnum):
    """The outcome of a request."""

    RELEASED = "RELEASED"
    MATCHED = "MATCHED"
    NOT_MATCHED = "NOT_MATCHED"
    REFUSED = "REFUSED"
    UNDETERMINED = "UNDETERMINED"
    ACCEPTED = "ACCEPTED"
    """An act was done that gives no data.

    A consent was registered or revoked, or a dry run ended without a refusal.
    """
    DONE = "DONE"
    """An act of oversight was done (Procedure, cl. 11 and 12)."""


AFTER_COMPARISON = frozenset({Outcome.RELEASED, Outcome.MATCHED, Outcome.NOT_MATCHED})
"""Outcomes after a comparison: each closes its request id, and needs every right at commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRequest:
    """A recipient's request, as read from the verified Body.

    `operation` is the operation judged: for a dry run, the operation asked about. `attributes`
    keeps names as written. A name that does not exist is outside every agreement (AGR-04).
    """

    request_id: UUID
    operation: Operation
    recipient: MemberCode
    channel: Channel
    agreement_number: AgreementNumber
    purpose: PurposeCode
    subject: Pin | None
    """The subject; None only in a dry run that names nobody.

    Rules on the subject then do not apply.
    """
    methods: frozenset[str]
    attributes: frozenset[str] = frozenset()
    employee: str | None = None
    case_number: str | None = None


class ProofStatus(StrEnum):
    """The result of verifying a signature: three answers, not two (ETSI EN 319 102-1, 5.1.3)."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INDETERMINATE = "INDETERMINATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSigner:
    """The owner of the certificate that verified, as proven by its path and not yet identified."""

    fingerprint: bytes
    """SHA-256 of the certificate."""
    pin: Pin | None
    """The citizen's PIN that the certificate's subject carries, if any."""
    official: str | None = None
    """The registered official who owns this certificate, looked up by fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The result of verifying a document's signature."""

    status: ProofStatus
    reasons: tuple[Code, ...] = ()
    """Codes SIG-*; empty exactly if the status is `PASSED`."""
    field: str | None = None
    """The element that the reason concerns, by a name of the standards or of a published schema."""
    cause: Cause | None = None
    """The exact cause of the failure."""
    signer: DocumentSigner | None = None

    def __bool__(self) -> bool:
        raise TypeError("compare a proof's status; it has no truth of its own")


class GroundKind(StrEnum):
    """The two kinds of ground."""

    CONSENT = "CONSENT"
    BASIS = "BASIS"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundUse:
    """The use of a ground so far, as the record knows it."""

    used: int = 0
    revoked: bool = False
    registered_at: datetime | None = None
    """The time of registration, which proves that the document existed by then."""
    digest_differs: bool = False
    """True if the same id was used before for a document with other bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGround:
    """A consent document, what its signature proves, and its use so far."""

    proof: Proof
    consent: Consent | None
    """The consent; None if the document could not be read. It then permits nothing."""
    digest: bytes
    """SHA-256 of the document's exact bytes."""
    use: GroundUse = GroundUse()
    scan_held: bool = False
    """True if the scan of this consent on paper is held, with the stated digest and type."""
    authority_held: bool = False
    """True if the document of the representative's authority is held.

    It must have the stated digest and type.
    """
    notice_approved: bool = False
    """True if the notice that it cites is registered and approved, with that digest."""


HIDDEN_AT_MOST = timedelta(days=365)
"""The longest time, a year, for which a disclosure is kept from its subject.

The settings may define another.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisGround:
    """A basis statement, what its signature proves, and its use so far."""

    proof: Proof
    statement: BasisStatement | None
    digest: bytes
    use: GroundUse = GroundUse()
    hidden_at_most: timedelta = HIDDEN_AT_MOST
    """The longest time from its issue for which it may be kept from the subject.

    Only a statement under cl. 5.1 may be kept from the subject at all.
    """


Ground = ConsentGround | BasisGround | None
"""The ground of a request; None if none was presented (CNS-01)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRef:
    """A ground as records and receipts name it."""

    kind: GroundKind
    id: UUID
    digest: bytes
    max_disclosures: int
    valid_from: datetime
    valid_to: datetime
    subject: Pin | None = None
    """The subject of the consent; a revocation counts for its id and its subject together."""
    representative: Pin | None = None
    """The representative who gave the consent for the subject, and who may revoke it as well."""
    hidden_until: datetime | None = None
    """The time until which a decision on this basis is kept from its subject (cl. 5.1)."""


def consent_reference(consent: Consent, digest: bytes) -> GroundRef:
    """Return the reference to a consent document of this digest, for records and receipts."""
    return GroundRef(
        kind=GroundKind.CONSENT,
        id=consent.consent_id,
        digest=digest,
        max_disclosures=consent.max_disclosures,
        valid_from=consent.begins_at,
        valid_to=consent.valid_to,
        subject=consent.subject,
        representative=(consent.representative.pin if consent.representative is not None else None),
    )


def reference(ground: Ground) -> GroundRef | None:
    """Return the reference to this ground; None if there is none that could be read."""
    match ground:
        case ConsentGround(consent=Consent() as consent):
            return consent_reference(consent, ground.digest)
        case BasisGround(statement=BasisStatement() as statement):
            return GroundRef(
                kind=GroundKind.BASIS,
                id=statement.statement_id,
                digest=ground.digest,
                max_disclosures=statement.max_disclosures,
                valid_from=statement.issued_at,
                valid_to=statement.valid_to,
                hidden_until=statement.hiding_end(ground.hidden_at_most),
            )
    return None
