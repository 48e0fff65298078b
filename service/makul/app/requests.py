"""Requests of recipients, as read from a verified Body.

Every use case takes one of these with its `Caller` and returns the answer's rendered Body child.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from makul.app.ports import Caller
from makul.domain.disclosures import Operation
from makul.domain.identifiers import AgreementNumber, Pin, PurposeCode
from makul.domain.matches import DemographicProbe


@dataclass(frozen=True, slots=True)
class PresentedConsent:
    """A consent document carried in the request; for its registration, with its attachments."""

    document: bytes
    scan: bytes | None = None
    authority: bytes | None = None


@dataclass(frozen=True, slots=True)
class RegisteredConsent:
    """A reference to a consent that this recipient registered before."""

    consent_id: UUID


@dataclass(frozen=True, slots=True)
class PresentedBasis:
    """A basis statement carried in the request."""

    document: bytes


Presented = PresentedConsent | RegisteredConsent | PresentedBasis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRequest:
    """The fields of every request that leads to a decision."""

    request_id: UUID
    digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    employee: str | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRequest(BaseRequest):
    """A request that is allowed only under an agreement (cl. 7)."""

    agreement_number: AgreementNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRequest(AgreementRequest):
    """A VerifyPerson or GetPersonData request."""

    operation: Operation
    purpose: PurposeCode
    probe: DemographicProbe
    other_methods: frozenset[str] = frozenset()
    """Methods probed in addition to `demographic`: `face`, `finger`."""
    ground: Presented = None
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest(AgreementRequest):
    """A dry run: the same decision up to the match, which reads no person's record."""

    asked_operation: str
    """The operation as written; an operation that cannot be explained is REQ-01."""
    purpose: PurposeCode
    subject: Pin | None
    methods: frozenset[str]
    ground: Presented = None
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest(AgreementRequest):
    """A RegisterConsent request: register this document, so that later requests may cite its id."""

    document: bytes
    scan: bytes | None = None
    """The scan of a consent on paper."""
    authority: bytes | None = None
    """The document that proves a representative's authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRequest(BaseRequest):
    """A RevokeConsent request: revoke the consent that this document names."""

    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationsQuery:
    """A ListRevocations request."""

    request_id: UUID
    since: datetime | None = None
    after: UUID | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentQuery:
    """A GetConsentStatus request."""

    request_id: UUID
    consent_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementQuery:
    """A GetAgreement request."""

    request_id: UUID
    agreement_number: AgreementNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptQuery:
    """A GetReceipt request."""

    request_id: UUID
    of_request: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuery:
    """A GetStatus request."""

    request_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientPort:
    """The operations of the recipient port. Each returns the answer's Body child, rendered.

    Each raises `ports.RejectedError` for an error that becomes a fault, and
    `StoreUnavailableError`.
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
    acts: Mapping[str, Any] = field(default_factory=dict)
    """The operations that are acts (`app.recipient_acts`), by their names in the WSDL."""
