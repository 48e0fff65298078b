"""What is asked, on what ground, and what came of it (Procedure, cl. 4, 5 and 10)."""

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
    """What a recipient may ask for, by its name on the wire."""

    VERIFY_PERSON = "VerifyPerson"
    GET_PERSON_DATA = "GetPersonData"
    EXPLAIN_DECISION = "ExplainDecision"
    REGISTER_CONSENT = "RegisterConsent"
    REVOKE_CONSENT = "RevokeConsent"

    @property
    def result_form(self) -> ResultForm | None:
        """What comes back about a person; None where nothing does."""
        return _RESULT_FORM.get(self)


_RESULT_FORM = {
    Operation.VERIFY_PERSON: ResultForm.YES_NO,
    Operation.GET_PERSON_DATA: ResultForm.DATA,
}


class Outcome(StrEnum):
    """What came of a request."""

    RELEASED = "RELEASED"
    MATCHED = "MATCHED"
    NOT_MATCHED = "NOT_MATCHED"
    REFUSED = "REFUSED"
    UNDETERMINED = "UNDETERMINED"
    ACCEPTED = "ACCEPTED"
    """An act was done that gives no data: a consent registered or revoked, a dry run without a
    refusal."""


TELLS_OF_A_PERSON = frozenset({Outcome.RELEASED, Outcome.MATCHED, Outcome.NOT_MATCHED})
"""After a comparison: each closes its request id, and needs every right at commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRequest:
    """What a recipient asks, as read from the verified Body.

    `operation` is the one judged: for a dry run, the operation asked about. `attributes` keeps
    names as written; one that does not exist is outside every agreement (AGR-04).
    """

    request_id: UUID
    operation: Operation
    recipient: MemberCode
    channel: Channel
    agreement_number: AgreementNumber
    purpose: PurposeCode
    subject: Pin | None
    """None only in a dry run that names nobody; rules about the subject then do not apply."""
    methods: frozenset[str]
    attributes: frozenset[str] = frozenset()
    employee: str | None = None
    case_number: str | None = None


class ProofStatus(StrEnum):
    """Did its supposed signer sign it? After ETSI EN 319 102-1, 5.1.3: three answers, not two."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INDETERMINATE = "INDETERMINATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSigner:
    """Whose certificate verified: what the path proved, before anyone is believed to be them."""

    fingerprint: bytes
    """SHA-256 of the certificate."""
    pin: Pin | None
    """The citizen's PIN that the certificate's subject carries, if any."""
    official: str | None = None
    """The registered official this certificate belongs to, looked up by fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What verifying a document's signature gave."""

    status: ProofStatus
    reasons: tuple[Code, ...] = ()
    """SIG-*; empty exactly where the status is `PASSED`."""
    field: str | None = None
    """The element that the reason is about, by a name of the standards or of a published schema."""
    cause: Cause | None = None
    """What exactly was wrong with it."""
    signer: DocumentSigner | None = None

    def __bool__(self) -> bool:
        raise TypeError("compare a proof's status; it has no truth of its own")


class GroundKind(StrEnum):
    """The two grounds there are."""

    CONSENT = "CONSENT"
    BASIS = "BASIS"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundUse:
    """What the record says of a ground's use so far."""

    used: int = 0
    revoked: bool = False
    registered_at: datetime | None = None
    """When the document was registered, which proves that it was there by then."""
    digest_differs: bool = False
    """The same id was used before for a document with other bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGround:
    """A consent document, what its signature proves, and its use so far."""

    proof: Proof
    consent: Consent | None
    """None where the document could not be read; nothing then rests on it."""
    digest: bytes
    """SHA-256 of the document's exact bytes."""
    use: GroundUse = GroundUse()
    scan_held: bool = False
    """Is the scan of this paper consent held, equal in digest and of the type stated?"""
    authority_held: bool = False
    """Likewise the document of the representative's authority."""
    notice_approved: bool = False
    """Is the notice that it cites registered, approved, and of that digest?"""


HIDDEN_AT_MOST = timedelta(days=365)
"""Where the settings say nothing: no disclosure is kept from its subject for more than a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisGround:
    """A basis statement, what its signature proves, and its use so far."""

    proof: Proof
    statement: BasisStatement | None
    digest: bytes
    use: GroundUse = GroundUse()
    hidden_at_most: timedelta = HIDDEN_AT_MOST
    """For how long from its issue it may be kept from the subject, where it may at all (5.1)."""


Ground = ConsentGround | BasisGround | None
"""On what a request rests; None where nothing was presented (CNS-01)."""


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
    """Whose consent it is; a revocation counts for its id and its subject together."""
    representative: Pin | None = None
    """Who gave the consent for the subject, and may take it back as well."""


def consent_reference(consent: Consent, digest: bytes) -> GroundRef:
    """How records name a consent document of this digest."""
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
    """How records name this ground; None where there is none that could be read."""
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
            )
    return None
