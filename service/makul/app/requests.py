"""What recipients ask, as read from a verified Body.

Every use case takes one of these with its `Caller` and returns the answer's rendered Body child.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul.app.ports import Caller
from makul.domain.disclosures import Operation
from makul.domain.identifiers import AgreementNumber, Pin, PurposeCode
from makul.domain.matches import DemographicProbe


@dataclass(frozen=True, slots=True)
class PresentedConsent:
    """A consent document, carried in the request; when it is registered, with its papers."""

    document: bytes
    scan: bytes | None = None
    authority: bytes | None = None


@dataclass(frozen=True, slots=True)
class RegisteredConsent:
    """A consent that this recipient registered before."""

    consent_id: UUID


@dataclass(frozen=True, slots=True)
class PresentedBasis:
    """A basis statement, carried in the request."""

    document: bytes


Presented = PresentedConsent | RegisteredConsent | PresentedBasis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRequest:
    """What every request for a decision says."""

    request_id: UUID
    digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    employee: str | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRequest(BaseRequest):
    """What may be asked for under an agreement alone (cl. 7)."""

    agreement_number: AgreementNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest(AgreementRequest):
    """VerifyPerson or GetPersonData."""

    operation: Operation
    purpose: PurposeCode
    probe: DemographicProbe
    other_methods: frozenset[str] = frozenset()
    """Methods probed besides `demographic`: `face`, `finger`."""
    ground: Presented = None
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest(AgreementRequest):
    """A dry run: the same decision up to the match, about nobody's record."""

    asked_operation: str
    """As written; an operation that cannot be explained is REQ-01."""
    purpose: PurposeCode
    subject: Pin | None
    methods: frozenset[str]
    ground: Presented = None
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest(AgreementRequest):
    """RegisterConsent: keep this document, to be cited by its id."""

    document: bytes
    scan: bytes | None = None
    """Of a consent on paper."""
    authority: bytes | None = None
    """The document of a representative's authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRequest(BaseRequest):
    """RevokeConsent: take the consent back that this document names."""

    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationsQuery:
    """ListRevocations."""

    request_id: UUID
    since: datetime | None = None
    after: UUID | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentQuery:
    """GetConsentStatus."""

    request_id: UUID
    consent_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementQuery:
    """GetAgreement."""

    request_id: UUID
    agreement_number: AgreementNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptQuery:
    """GetReceipt."""

    request_id: UUID
    of_request: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuery:
    """GetStatus."""

    request_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientPort:
    """The operations of the recipient port. Each returns the answer's Body child, rendered.

    Each raises `ports.RejectedError` for what becomes a fault, and `StoreUnavailableError`.
    """

    disclose: Callable[[PersonRequest, Caller], bytes]
    explain: Callable[[ExplainRequest, Caller], bytes]
    register_consent: Callable[[ConsentRequest, Caller], bytes]
    revoke_consent: Callable[[RevocationRequest, Caller], bytes]
    consent_status: Callable[[ConsentQuery, Caller], bytes]
    revocations: Callable[[RevocationsQuery, Caller], bytes]
    agreement: Callable[[AgreementQuery, Caller], bytes]
    receipt: Callable[[ReceiptQuery, Caller], bytes]
    status: Callable[[StatusQuery, Caller], bytes]
