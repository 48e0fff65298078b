"""The common input of an operation: the caller, the request id, and the parsed Body."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from lxml import etree

from makul.app.ports import Caller, RejectedError
from makul.domain.agreements import Channel
from makul.domain.identifiers import MalformedIdentifierError
from makul.domain.reasons import Code, Reason
from makul.soap.spyne_protocol import Exchange

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationInput:
    """The common input of operations: the caller, the request id, and the parsed Body."""

    caller: Caller
    body: Any
    request_id: UUID
    digest: bytes
    employee: str | None
    case_number: str | None

    @classmethod
    def of(cls, exchange: Exchange, body: Any) -> "OperationInput":
        """Return the input. Raises `RejectedError` (REQ-01) if channel and Body contradict."""
        if exchange.caller is None or exchange.child is None:
            raise TypeError("an operation requires an authenticated message")
        request_id, caller = UUID(body.requestId), exchange.caller
        if caller.request_id is not None and caller.request_id != request_id:
            raise _field_error("requestId", None)
        if caller.mark is not None:  # only a signed message has one, and only it is evidence
            caller = replace(caller, message=exchange.raw)
        return cls(
            caller=caller,
            body=body,
            request_id=request_id,
            digest=request_digest(exchange.child),
            employee=_select_value(caller, caller.employee, body, "employee", request_id),
            case_number=_select_value(caller, caller.case_number, body, "caseNumber", request_id),
        )

    def parsed(self, name: str, parse: Callable[[str], T]) -> T:
        """Parse a field of the Body. Raises `RejectedError` (REQ-01), which names the field."""
        return parse_field(name, parse, getattr(self.body, name), self.request_id)


def request_digest(child: "Element") -> bytes:
    """Return SHA-256 over the Body's child in exclusive canonical form.

    Two requests with equal digests are the same request.
    """
    return sha256(
        etree.tostring(child, method="c14n", exclusive=True, with_comments=False)
    ).digest()


def _select_value(
    caller: Caller, proved: str | None, body: Any, name: str, request_id: UUID
) -> str | None:
    """Return the value of the channel if it has one (`xrd:userId`, `xrd:issue`), else the Body's.

    Over X-Road the Body may repeat the header and must not contradict it.
    """
    stated: str | None = getattr(body, name, None)
    if caller.channel is not Channel.XROAD:
        return stated
    if stated is not None and stated != proved:
        raise _field_error(name, request_id)
    return proved


def parse_field(name: str, parse: Callable[[str], T], text: str, request_id: UUID) -> T:
    """Parse one field of a Body. Raises `RejectedError` (REQ-01), which names the field."""
    try:
        return parse(text)
    except (MalformedIdentifierError, ValueError):
        raise _field_error(name, request_id) from None


def _field_error(name: str, request_id: UUID | None) -> RejectedError:
    return RejectedError(Reason(code=Code.REQ_01, field=name), request_id=request_id)
