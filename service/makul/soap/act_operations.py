# mypy: allow-untyped-calls
"""The operations that are acts: one generic way from a verified Body to a request.

An operation needs no code here. Its request class (`app.oversight`, `app.recipient_acts`,
`app.subject_acts`) has the fields of its schema in snake case, and the type of each field says how
the text is parsed.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import NoneType
from typing import Any, Final, get_args, get_type_hints
from uuid import UUID

from makul.app.acts import ActPort, ActRequest, find_operations, wire_name
from makul.app.ports.identity import IdToken
from makul.app.ports.subject import (
    ConsentPosition,
    PagePosition,
    parse_consent_position,
    parse_page_position,
)
from makul.app.ports.subject_answers import LinkToken, parse_link_token
from makul.domain.attributes import Attribute
from makul.domain.cases import CaseScope
from makul.domain.corrections import CorrectionKind, CorrectionOutcome
from makul.domain.identifiers import (
    AgreementNumber,
    MemberCode,
    parse_agreement_number,
    parse_member_code,
)
from makul.domain.incidents import IncidentKind
from makul.domain.months import Month, parse_month
from makul.domain.oversight_cases import CaseChoice
from makul.domain.subject_answers import SubjectAnswer
from makul.soap.operation_input import OperationInput
from makul.soap.request_models import published_operations
from makul.soap.spyne_setup import ByteArray, Service, rpc

_PARSERS: Final[Mapping[Any, Callable[[str], object]]] = {
    AgreementNumber: parse_agreement_number,
    CaseChoice: CaseChoice,
    Attribute: Attribute,
    CaseScope: CaseScope,
    CorrectionKind: CorrectionKind,
    CorrectionOutcome: CorrectionOutcome,
    IncidentKind: IncidentKind,
    MemberCode: parse_member_code,
    ConsentPosition: parse_consent_position,
    IdToken: IdToken,
    LinkToken: parse_link_token,
    Month: parse_month,
    PagePosition: parse_page_position,
    SubjectAnswer: SubjectAnswer,
    UUID: UUID,
}
"""How a text becomes a value of the domain. Values of other types are taken as they were read."""


def build_act_service(port: str, package: str, acts_of: Callable[[Any], ActPort]) -> type:
    """Return a Spyne service with one method for each operation of a package.

    `port` names the WSDL that publishes them. `acts_of` returns them from the port of an exchange.
    Raises `TypeError` for an operation that is not published.
    """
    published = published_operations(port)
    names = [operation.name for operation in find_operations(package)]
    if not set(names) <= set(published.models):
        raise TypeError(f"{package} has operations that {port}.wsdl does not publish")
    methods = {
        name: rpc(
            published.models[name],
            _returns=ByteArray,
            _body_style="bare",
            _in_message_name=name,
        )(_handler(name, acts_of))
        for name in names
    }
    return type("ActService", (Service,), methods)


def _handler(name: str, acts_of: Callable[[Any], ActPort]) -> Callable[[Any, Any], bytes]:
    def handle(ctx: Any, body: Any) -> bytes:
        operation = acts_of(ctx.udc.port)[name]
        call = OperationInput.of(ctx.udc, body)
        return operation(read_request(operation.request, call), call.caller)

    handle.__name__ = name
    return handle


def read_request(kind: type[ActRequest], call: OperationInput) -> ActRequest:
    """Return the request of an operation. Raises `RejectedError` (REQ-01), naming the field."""
    values: dict[str, object] = {}
    for name, (element, parse) in _fields_of(kind).items():
        value = getattr(call.body, element)
        values[name] = value if value is None or parse is None else call.parsed(element, parse)
    return kind(request_id=call.request_id, digest=call.digest, **values)


def _fields_of(
    kind: type[ActRequest],
) -> Mapping[str, tuple[str, Callable[[str], object] | None]]:
    """Return the element and the parser of each field that the request adds to `ActRequest`."""
    hints = get_type_hints(kind)
    common = {field.name for field in fields(ActRequest)}
    return {
        field.name: (wire_name(field.name), _PARSERS.get(_without_none(hints[field.name])))
        for field in fields(kind)
        if field.name not in common
    }


def _without_none(hint: Any) -> Any:
    """Return the type of an optional field."""
    types = [each for each in get_args(hint) if each is not NoneType]
    return types[0] if len(types) == 1 and NoneType in get_args(hint) else hint
