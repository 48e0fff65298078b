# mypy: allow-untyped-calls
"""The use of Spyne: route a verified Body to its operation, and splice the answer.

Spyne never sees an envelope. `decompose_incoming_envelope` gives it the one element that a channel
authenticated and the schema accepted. `deserialize` reads that element by the plan of its model.
`create_out_string` puts an envelope around the bytes that the use case rendered, recorded and
hashed, without parsing or serialising them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from lxml import etree

from makul.app.ports import Caller, RejectedError
from makul.domain.reasons import Code, Reason
from makul.soap import envelope
from makul.soap.body_parser import Read
from makul.soap.channels import RequestChannel
from makul.soap.envelope import Message
from makul.soap.schema import PublishedSchema
from makul.soap.spyne_setup import Application, MethodContext, ServerBase, Soap11, Soap12
from makul.soap.transport_metadata import Arrival
from makul.soap.versions import SOAP_11, SOAP_12, SoapVersion
from makul.soap.versions import envelope as enclosed

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_SPLICED: Final = ()
"""The value of `out_document` once the answer is bytes. Spyne only requires that it is set."""


@dataclass(slots=True)
class Exchange:
    """One request on its way through Spyne. It lives as long as the request, in one thread."""

    port: Any
    """The use cases of the port, as its operations call them."""
    version: SoapVersion
    raw: bytes
    arrival: Arrival
    at: datetime
    message: Message | None = None
    caller: Caller | None = None
    child: "Element | None" = None
    """The Body's child, after a channel authenticated it and the schema accepted it."""
    echoed: bytes = b""
    error: Exception | None = None
    """The exception that the use case raised, before Spyne translated it."""

    @property
    def operation(self) -> str | None:
        """The requested operation; None until it is known to be one."""
        return None if self.child is None else envelope.local_name(self.child)

    @property
    def request_id(self) -> UUID | None:
        """The request id of the Body, which the schema has validated as a UUID."""
        if self.child is None:
            return None
        text = self.child.findtext(f"{{{etree.QName(self.child).namespace}}}requestId")
        return UUID(envelope.collapse(text)) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The authentication and validation of a port's messages."""

    channel: RequestChannel
    schema: PublishedSchema
    operations: Mapping[str, Read]
    """The plan of every request, by the Clark name of the Body's child."""

    def open(self, exchange: Exchange) -> None:
        """Split the bytes into a message, and determine first the headers to be echoed."""
        message = exchange.message = envelope.split(
            exchange.raw, exchange.version, exchange.arrival
        )
        exchange.echoed = self.channel.echo(message)
        envelope.check_understood(message, self.channel.understood)

    def authenticate(self, message: Message, *, at: datetime) -> "tuple[Caller, Element]":
        """Authenticate, then validate only the authenticated element against the schema."""
        if message.child.tag not in self.operations:
            raise RejectedError(Reason(code=Code.REQ_01, field="Body"))
        caller, child = self.channel.authenticate(message, at=at)
        if child.tag not in self.operations:
            raise RejectedError(Reason(code=Code.REQ_01, field="Body"))
        self.schema.check(child)
        return caller, child


class _Splicing(Soap11):
    """Spyne's protocol with our own parsing of envelopes and writing of answers."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(validator=None, parse_xsi_type=False, replace_null_with_default=False)
        self._reading = reading

    def get_context(self, parent: Any, transport: Any) -> None:
        """Return nothing: a protocol keeps no context of its own while a message passes."""

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        """Split the message. Its sender is not yet authenticated."""
        self._reading.open(ctx.udc)

    def decompose_incoming_envelope(self, ctx: Any, message: Any = None) -> None:  # noqa: ARG002
        """Give Spyne only the verified Body's child, which determines the operation."""
        exchange: Exchange = ctx.udc
        if exchange.message is None:
            raise TypeError("an envelope is split before it is read")
        exchange.caller, exchange.child = self._reading.authenticate(
            exchange.message, at=exchange.at
        )
        ctx.in_document = ctx.in_body_doc = exchange.child
        ctx.method_request_string = exchange.child.tag

    def deserialize(self, ctx: Any, message: Any) -> None:  # noqa: ARG002
        """Parse the Body's child by the plan of its model."""
        ctx.in_object = self._reading.operations[ctx.method_request_string](ctx.in_body_doc)

    def serialize(self, ctx: Any, message: Any) -> None:  # noqa: ARG002
        """Do nothing, because the answer is bytes. Spyne must not write faults (`faults` does)."""
        if ctx.out_error is not None:
            raise TypeError("faults are rendered by makul.soap.faults")
        ctx.out_document = _SPLICED

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        """Put the envelope around exactly the bytes that the use case returned."""
        (answer,) = ctx.out_object
        if not isinstance(answer, bytes) or not answer:
            raise TypeError("a use case returns its answer rendered")
        ctx.out_string = list(enclosed(ctx.udc.version, answer, ctx.udc.echoed))


class Splicing11(_Splicing):
    """The protocol for SOAP 1.1."""


class Splicing12(_Splicing, Soap12):
    """The protocol for SOAP 1.2."""


class _KeepingErrors(Application):
    """An application that keeps exceptions.

    Spyne converts any exception into "Internal Error", but the fault table needs the exception.
    """

    def call_wrapper(self, ctx: Any) -> Any:
        """Call the operation, and keep its exception for `PortServer`."""
        try:
            return super().call_wrapper(ctx)
        except Exception as error:
            ctx.udc.error = error
            raise


class _Context(MethodContext):
    """Spyne's context of one request, without parts that are unused here but cost time.

    These parts are events, a watch over attribute names, and references back to the whole. Without
    such references a message and its tree are freed after the answer, without the garbage
    collector.
    """

    TransportContext: Any = None
    __setattr__ = object.__setattr__
    event: Any

    def __init__(self, server: "PortServer", exchange: Exchange) -> None:
        super().__init__(server, MethodContext.SERVER)
        self.event = None
        self.udc = exchange

    def fire_event(self, event: str, *_: Any, **__: Any) -> None:
        """Do nothing, because there is no listener."""

    def copy(self) -> "_Context":
        """Return the context itself: a request has one operation, and so one context."""
        return self


class PortServer(ServerBase):
    """A transport for Spyne that returns the bytes of the answer or raises the error.

    HTTP is handled by the guard. Nothing has been sent when this raises, so no fault can have
    status 200.
    """

    def answer(self, exchange: Exchange) -> Sequence[bytes]:
        """Return the answer's envelope as chunks. Raises any error of the channel or use case."""
        (ctx,) = self.generate_contexts(_Context(self, exchange))
        if ctx.in_error is None:
            self.get_in_object(ctx)
        if ctx.in_error is not None:
            raise ctx.in_error
        self.get_out_object(ctx)
        if ctx.out_error is not None:
            raise exchange.error or ctx.out_error
        self.get_out_string(ctx)
        chunks: list[bytes] = ctx.out_string
        return chunks


def servers(
    services: Sequence[type], namespace: str, reading: Reading
) -> dict[SoapVersion, PortServer]:
    """Return one Spyne application for each SOAP version, over the same services."""
    protocols = {SOAP_11: Splicing11, SOAP_12: Splicing12}
    return {
        version: PortServer(
            _KeepingErrors(
                services,
                tns=namespace,
                in_protocol=protocol(reading),
                out_protocol=protocol(reading),
            )
        )
        for version, protocol in protocols.items()
    }
