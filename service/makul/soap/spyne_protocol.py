# mypy: allow-untyped-calls
"""Spyne's part: route a verified Body to its operation, and splice the answer.

Spyne never sees an envelope. `decompose_incoming_envelope` hands it the one element that a channel
proved and the schema passed; `deserialize` reads that by the plan of its model; `create_out_string`
puts an envelope around the bytes that the use case rendered, recorded and digested, without parsing
or serialising them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from makul.app.ports import Caller, RejectedError
from makul.app.requests import RecipientPort
from makul.domain.reasons import Code, Reason
from makul.soap import envelope
from makul.soap import spyne_models as types
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
"""What `out_document` holds once the answer is bytes already; Spyne asks only that it is set."""


@dataclass(slots=True)
class Exchange:
    """One request on its way through Spyne. Lives as long as the request, in one thread."""

    port: RecipientPort
    version: SoapVersion
    raw: bytes
    arrival: Arrival
    at: datetime
    message: Message | None = None
    caller: Caller | None = None
    child: "Element | None" = None
    """The Body's child, once a channel proved it and the schema passed it."""
    echoed: bytes = b""
    error: Exception | None = None
    """What the use case raised, kept from Spyne's translation of it."""

    @property
    def operation(self) -> str | None:
        """The operation asked for, once it is known to be one."""
        return None if self.child is None else envelope.local_name(self.child)

    @property
    def request_id(self) -> UUID | None:
        """The Body's, which the schema has proved to be a UUID."""
        if self.child is None:
            return None
        text = self.child.findtext(f"{{{types.NAMESPACE}}}requestId")
        return UUID(envelope.collapsed(text)) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a port's messages are authenticated and checked."""

    channel: RequestChannel
    schema: PublishedSchema
    operations: Mapping[str, Read]
    """The plan of every request, by the Clark name of the Body's child."""

    def open(self, exchange: Exchange) -> None:
        """Bytes to a split message, its headers to be echoed already known."""
        message = exchange.message = envelope.split(
            exchange.raw, exchange.version, exchange.arrival
        )
        exchange.echoed = self.channel.echo(message)
        envelope.check_understood(message, self.channel.understood)

    def register_message_id(self, message: Message, *, at: datetime) -> "tuple[Caller, Element]":
        """Authenticate, then hold what was authenticated, and only that, against the schema."""
        if message.child.tag not in self.operations:
            raise RejectedError(Reason(code=Code.REQ_01, field="Body"))
        caller, child = self.channel.authenticate(message, at=at)
        if child.tag not in self.operations:
            raise RejectedError(Reason(code=Code.REQ_01, field="Body"))
        self.schema.check(child)
        return caller, child


class _Splicing(Soap11):
    """Over Spyne's own protocol: our reading of envelopes, our writing of answers."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(validator=None, parse_xsi_type=False, replace_null_with_default=False)
        self._reading = reading

    def get_context(self, parent: Any, transport: Any) -> None:
        """Nothing of a protocol's own is kept while a message passes."""

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        """The message, split; nobody is yet believed to have sent it."""
        self._reading.open(ctx.udc)

    def decompose_incoming_envelope(self, ctx: Any, message: Any = None) -> None:  # noqa: ARG002
        """The verified Body's child is all that Spyne gets, and it chooses the operation."""
        exchange: Exchange = ctx.udc
        if exchange.message is None:
            raise TypeError("an envelope is split before it is read")
        exchange.caller, exchange.child = self._reading.register_message_id(
            exchange.message, at=exchange.at
        )
        ctx.in_document = ctx.in_body_doc = exchange.child
        ctx.method_request_string = exchange.child.tag

    def deserialize(self, ctx: Any, message: Any) -> None:  # noqa: ARG002
        """The Body's child, by the plan of its model."""
        ctx.in_object = self._reading.operations[ctx.method_request_string](ctx.in_body_doc)

    def serialize(self, ctx: Any, message: Any) -> None:  # noqa: ARG002
        """Nothing: the answer is bytes. Faults are not Spyne's to write (`faults` does)."""
        if ctx.out_error is not None:
            raise TypeError("faults are rendered by makul.soap.faults")
        ctx.out_document = _SPLICED

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        """The envelope around the very bytes that the use case returned."""
        (answer,) = ctx.out_object
        if not isinstance(answer, bytes) or not answer:
            raise TypeError("a use case returns its answer rendered")
        ctx.out_string = list(enclosed(ctx.udc.version, answer, ctx.udc.echoed))


class Splicing11(_Splicing):
    """SOAP 1.1."""


class Splicing12(_Splicing, Soap12):
    """SOAP 1.2."""


class _KeepingErrors(Application):
    """Spyne turns any exception into "Internal Error"; the fault table wants the exception."""

    def call_wrapper(self, ctx: Any) -> Any:
        """Call the operation, and keep what it raises for `PortServer`."""
        try:
            return super().call_wrapper(ctx)
        except Exception as error:
            ctx.udc.error = error
            raise


class _Context(MethodContext):
    """Spyne's account of one request, without what nobody here uses and each request would pay for.

    That is: events, a watch over attributes' names, and parts that refer back to the whole. Without
    those a message and its tree are gone once it is answered, and no collector has to find them.
    """

    TransportContext: Any = None
    __setattr__ = object.__setattr__
    event: Any

    def __init__(self, server: "PortServer", exchange: Exchange) -> None:
        super().__init__(server, MethodContext.SERVER)
        self.event = None
        self.udc = exchange

    def fire_event(self, event: str, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    def copy(self) -> "_Context":
        """Itself: a request has one operation, and so one context."""
        return self


class PortServer(ServerBase):
    """A transport for Spyne that returns the answer's bytes or raises what went wrong.

    HTTP is the guard's affair. Nothing has left when this raises, so no fault can go out as 200.
    """

    def answer(self, exchange: Exchange) -> Sequence[bytes]:
        """The answer's envelope, as chunks. Raises whatever the channel or the use case raises."""
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
    """One Spyne application for each SOAP version, over the same services."""
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
