"""The typed answers of the service. The `repr` of a person names attributes, never their values."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import NoReturn
from uuid import UUID

from makul_client.models.reasons import Language, Reason
from makul_client.models.request import ValueFreeRepr


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRef:
    """The ground of a decision, as its receipt states it."""

    kind: str
    """`CONSENT` or `BASIS`."""
    id: UUID
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReason:
    """A reason as a receipt contains it."""

    code: str
    because: str | None
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt of one decision. Every field was read from the bytes that the operator signed."""

    receipt_id: UUID
    request_id: UUID
    request_digest: bytes
    operation: str
    recipient: str
    agreement: str | None
    outcome: str
    reasons: tuple[ReceiptReason, ...]
    released: frozenset[str]
    payload_digest: bytes | None
    answer_digest: bytes | None
    """The SHA-256 of the whole answer except the receipt; None in receipts of earlier versions."""
    ground: GroundRef | None
    decided_at: datetime
    leaf_hash: bytes
    """The hash of the decision's leaf in the operator's log (RFC 6962)."""
    operator: str
    document: bytes = field(repr=False)
    """The exact bytes of the receipt. Keep them, because they are the proof (Procedure, cl. 11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The proof that a receipt's leaf is in the log, as received. `LedgerVerifier` verifies it."""

    index: int
    size: int
    path: tuple[bytes, ...]
    """The audit path, the lowest node first (RFC 6962, 2.1.1)."""
    checkpoint: bytes
    """The exact bytes of the signed checkpoint (C2SP tlog-checkpoint)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptInLog:
    """A verified receipt and its proof, not verified. The proof is None if there is none yet."""

    receipt: Receipt
    inclusion: Inclusion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision. Its receipt was verified before this object was made."""

    request_id: UUID
    disclosure_id: UUID
    outcome: str
    reasons: tuple[Reason, ...]
    decided_at: datetime
    receipt: Receipt
    corrections: tuple[UUID, ...] = ()
    """Corrections of values that you were given earlier, which you must acknowledge (cl. 14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The result of one method. Scores are present if the agreement permits them."""

    method: str
    result: str
    """`MATCH`, `NO_MATCH` or `INCONCLUSIVE`."""
    score: Decimal | None = None
    threshold: Decimal | None = None
    algorithm: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """Whether the person is the person named.

    Read `.matched`: the result itself refuses truth-testing.
    """

    matched: bool
    matches: tuple[Match, ...]
    decision: Decision

    def __bool__(self) -> NoReturn:
        raise TypeError("ask .matched: the result itself is neither true nor false")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Name(ValueFreeRepr):
    """A name in the scripts of the record."""

    ky: str | None = None
    ru: str | None = None
    latin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sample(ValueFreeRepr):
    """An image or a template from the record."""

    data: bytes
    format: str | None = None
    position: int | None = None


Value = str | date | Name | Sample | tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person(ValueFreeRepr):
    """The data released.

    An attribute that was not asked for, or is not stored, is None or empty.
    """

    pin: str | None = None
    surname: Name | None = None
    given_name: Name | None = None
    patronymic: Name | None = None
    sex: str | None = None
    birth_date: date | None = None
    birth_place: str | None = None
    citizenship: str | None = None
    address: str | None = None
    document_type: str | None = None
    document_number: str | None = None
    document_issuer: str | None = None
    document_issued: date | None = None
    document_expires: date | None = None
    document_state: str | None = None
    person_state: str | None = None
    face_image: Sample | None = None
    fingerprint_templates: tuple[Sample, ...] = ()
    fingerprint_images: tuple[Sample, ...] = ()
    signature_image: Sample | None = None

    def given(self) -> Iterator[tuple[str, Value]]:
        """Yield every attribute that was released, by its name on the wire, with its value."""
        for each in fields(self):
            value = getattr(self, each.name)
            if value not in (None, ()):
                yield wire_name(each.name), value


def wire_name(field_name: str) -> str:
    """Return the name of an attribute in agreements and consents: `birth_date` → `birthDate`."""
    first, *rest = field_name.split("_")
    return first + "".join(word.capitalize() for word in rest)


ATTRIBUTES: tuple[str, ...] = tuple(wire_name(each.name) for each in fields(Person))
"""The names of all attributes on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonData:
    """The person, as released. `decision.reasons` names what was omitted (REL-*)."""

    person: Person
    matches: tuple[Match, ...]
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the decision, and its verdict."""

    code: str
    clause: str | None
    verdict: str
    """`PASSED`, `FAILED`, `UNKNOWN` or `NOT_APPLICABLE`."""
    texts: dict[Language, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A dry run. `decision.outcome` is ACCEPTED if no rule blocks the request."""

    rules: tuple[Rule, ...]
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredConsent:
    """A consent that the operator now stores and counts."""

    consent_id: UUID
    state: str
    remaining: int
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedConsent:
    """A consent that permits nothing after its revocation."""

    consent_id: UUID
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A consent that was revoked, and when the revocation was recorded."""

    consent_id: UUID
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatus:
    """The state of a consent."""

    consent_id: UUID
    state: str
    """`PENDING`, `IN_FORCE`, `EXPIRED`, `USED_UP` or `REVOKED`."""
    used: int
    remaining: int
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """A power of a state body and the attributes that correspond to it (Procedure, cl. 5.3)."""

    purpose: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Competence:
    """The act of law on which a recipient's competence for a purpose rests (Procedure, cl. 3)."""

    purpose: str
    citation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartySignature:
    """A party's signature under an agreement (Procedure, cl. 7)."""

    role: str
    """`AUTHORISED_BODY`, `OPERATOR` or `RECIPIENT`."""
    member_code: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The terms of an agreement (Procedure, cl. 7)."""

    number: str
    state: str
    valid_from: datetime
    valid_to: datetime
    purposes: tuple[str, ...]
    attributes: tuple[str, ...]
    methods: tuple[str, ...]
    channels: tuple[str, ...]
    provisions: tuple[str, ...]
    powers: tuple[Power, ...]
    daily_quota: int | None
    requests_per_minute: int | None
    bytes_per_day: int | None
    paper_daily_quota: int | None
    """The consents on paper that one official may register in a day; None: paper is not allowed."""
    representatives: bool
    delivery: str
    competences: tuple[Competence, ...] = ()
    """For recipients of cl. 3 a to c and e."""
    signatures: tuple[PartySignature, ...] = ()
    """The parties that have signed these terms."""
    undertakings_required: bool = False
    """True if data are given only to employees with an undertaking of secrecy in force (RCP-05)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of the service."""

    name: str
    value: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptCertificate:
    """A certificate of the operator's receipts, as GetStatus announces it."""

    fingerprint: bytes
    """The SHA-256 of the certificate."""
    valid_from: datetime
    valid_to: datetime
    state: str
    """`CURRENT`, `NEXT`, `RETIRED` or `COMPROMISED`."""
    compromised_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerInfo:
    """The log as GetStatus announces it. A client must trust only the log in its profile."""

    origin: str
    key: str
    max_merge_delay: int
    """The maximum merge delay, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """What the service reports about itself."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    software_version: str
    contract_version: str
    time: datetime
    limits: tuple[Limit, ...]
    receipt_certificates: tuple[ReceiptCertificate, ...] = ()
    """The certificates that the operator announces. The announcement makes none of them trusted."""
    ledger: LedgerInfo | None = None
