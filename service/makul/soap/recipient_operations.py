# mypy: allow-untyped-calls
"""The ten operations of the recipient port: from a verified Body to a domain request.

The plan of its model (`request_models`) has parsed the Body. This module converts it to the frozen
request of its use case. It checks what the schema cannot express. The date in a PIN must exist. The
channel and the Body must name the same request, employee and case.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from makul.app import requests
from makul.domain.disclosures import Operation
from makul.domain.identifiers import Pin, parse_agreement_number, parse_purpose
from makul.domain.matches import DemographicProbe, MatchMethod
from makul.soap.operation_input import OperationInput, parse_field
from makul.soap.request_models import published_operations
from makul.soap.spyne_setup import ByteArray, Service, rpc

FunctionT = TypeVar("FunctionT", bound=Callable[..., bytes])


RECIPIENT: Final = published_operations("recipient")


def _operation(name: str) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator for a published operation, which returns its rendered answer."""
    decorator = rpc(
        RECIPIENT.models[name],
        _returns=ByteArray,
        _body_style="bare",
        _in_message_name=name,
    )
    return cast("Callable[[FunctionT], FunctionT]", decorator)


def _port_of(ctx: Any) -> requests.RecipientPort:
    port: requests.RecipientPort = ctx.udc.port
    return port


class RecipientService(Service):
    """The operations of a recipient. Spyne passes the exchange in `ctx.udc`."""

    @_operation("VerifyPerson")
    def verify_person(ctx: Any, body: Any) -> bytes:  # noqa: N805 - Spyne's services have no self
        """Answer yes or no, never with data (Procedure, cl. 2, 4, 5 and 10)."""
        call = OperationInput.of(ctx.udc, body)
        return _port_of(ctx).disclose(_person_request(call, Operation.VERIFY_PERSON), call.caller)

    @_operation("GetPersonData")
    def get_person_data(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Match the person and release exactly the named attributes (cl. 4, 5 and 10)."""
        call = OperationInput.of(ctx.udc, body)
        return _port_of(ctx).disclose(_person_request(call, Operation.GET_PERSON_DATA), call.caller)

    @_operation("ExplainDecision")
    def explain_decision(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Explain the decision in a dry run that reads no person (Procedure, cl. 7)."""
        call = OperationInput.of(ctx.udc, body)
        return _port_of(ctx).explain(_explain_request(call), call.caller)

    @_operation("RegisterConsent")
    def register_consent(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Register a subject's consent and count its use (Procedure, cl. 4)."""
        call = OperationInput.of(ctx.udc, body)
        request = requests.ConsentRequest(
            request_id=call.request_id,
            digest=call.digest,
            agreement_number=call.parsed("agreementNumber", parse_agreement_number),
            document=body.consentDocument,
            scan=body.scan,
            authority=body.authorityDocument,
            employee=call.employee,
            case_number=call.case_number,
        )
        return _port_of(ctx).register_consent(request, call.caller)

    @_operation("RevokeConsent")
    def revoke_consent(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Revoke a consent with a document that its subject signed (Procedure, cl. 4)."""
        call = OperationInput.of(ctx.udc, body)
        request = requests.RevocationRequest(
            request_id=call.request_id,
            digest=call.digest,
            document=body.revocationDocument,
            employee=call.employee,
            case_number=call.case_number,
        )
        return _port_of(ctx).revoke_consent(request, call.caller)

    @_operation("GetConsentStatus")
    def get_consent_status(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Return the status of a consent given to the caller (Procedure, cl. 4)."""
        call = OperationInput.of(ctx.udc, body)
        query = requests.ConsentQuery(
            request_id=call.request_id, consent_id=call.parsed("consentId", UUID)
        )
        return _port_of(ctx).consent_status(query, call.caller)

    @_operation("ListRevocations")
    def list_revocations(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """List the revoked consents that were given to the caller (Procedure, cl. 4)."""
        call = OperationInput.of(ctx.udc, body)
        query = requests.RevocationsQuery(
            request_id=call.request_id,
            since=body.since,
            after=None if body.after is None else call.parsed("after", UUID),
            limit=body.limit,
        )
        return _port_of(ctx).revocations(query, call.caller)

    @_operation("GetAgreement")
    def get_agreement(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Return what the caller may request (Procedure, cl. 7)."""
        call = OperationInput.of(ctx.udc, body)
        query = requests.AgreementQuery(
            request_id=call.request_id,
            agreement_number=call.parsed("agreementNumber", parse_agreement_number),
        )
        return _port_of(ctx).agreement(query, call.caller)

    @_operation("GetReceipt")
    def get_receipt(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Return the receipt of the caller's earlier request (Procedure, cl. 10 and 11)."""
        call = OperationInput.of(ctx.udc, body)
        query = requests.ReceiptQuery(
            request_id=call.request_id, of_request=call.parsed("ofRequest", UUID)
        )
        return _port_of(ctx).receipt(query, call.caller)

    @_operation("GetStatus")
    def get_status(ctx: Any, body: Any) -> bytes:  # noqa: N805
        """Return versions, limits and time (Procedure, cl. 9)."""
        call = OperationInput.of(ctx.udc, body)
        return _port_of(ctx).status(requests.StatusQuery(request_id=call.request_id), call.caller)


def _person_request(call: OperationInput, operation: Operation) -> requests.PersonRequest:
    body = call.body
    return requests.PersonRequest(
        request_id=call.request_id,
        digest=call.digest,
        operation=operation,
        agreement_number=call.parsed("agreementNumber", parse_agreement_number),
        purpose=call.parsed("purpose", parse_purpose),
        probe=_demographic(body.probe.demographic, call.request_id),
        other_methods=_other_methods(body.probe),
        ground=_ground(body.ground, call.request_id),
        attributes=_names_in(getattr(body, "requestedAttributes", None), "attribute"),
        employee=call.employee,
        case_number=call.case_number,
    )


def _explain_request(call: OperationInput) -> requests.ExplainRequest:
    body = call.body
    return requests.ExplainRequest(
        request_id=call.request_id,
        digest=call.digest,
        asked_operation=body.operation,
        agreement_number=call.parsed("agreementNumber", parse_agreement_number),
        purpose=call.parsed("purpose", parse_purpose),
        subject=None if body.pin is None else call.parsed("pin", Pin),
        methods=_names_in(body.methods, "method"),
        ground=_ground(body.ground, call.request_id),
        attributes=_names_in(body.requestedAttributes, "attribute"),
        employee=call.employee,
        case_number=call.case_number,
    )


def _demographic(probe: Any, request_id: UUID) -> DemographicProbe:
    birth_date: date | None = probe.birthDate
    return DemographicProbe(
        pin=parse_field("pin", Pin, probe.pin, request_id),
        document_number=probe.documentNumber,
        surname=probe.surname,
        given_name=probe.givenName,
        patronymic=probe.patronymic,
        birth_date=birth_date,
        sex=probe.sex,
    )


def _other_methods(probe: Any) -> frozenset[str]:
    present = {MatchMethod.FACE: probe.face, MatchMethod.FINGER: probe.finger}
    return frozenset(method.value for method, sample in present.items() if sample)


def _ground(ground: Any, request_id: UUID) -> requests.Presented:
    if ground is None:
        return None
    if ground.consentDocument is not None:
        return requests.PresentedConsent(ground.consentDocument)
    if ground.consentId is not None:
        return requests.RegisteredConsent(
            parse_field("consentId", UUID, ground.consentId, request_id)
        )
    return requests.PresentedBasis(ground.basisDocument)


def _names_in(wrapper: Any, name: str) -> frozenset[str]:
    return frozenset() if wrapper is None else frozenset(getattr(wrapper, name))


SERVICES: Final = (RecipientService,)
