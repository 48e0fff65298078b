"""A port as a WSGI application, assembled from the modules of this package."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID
from wsgiref.types import WSGIApplication

from makul.app.ports import Clock
from makul.app.ports.health import Readiness
from makul.domain.identifiers import MemberCode
from makul.soap import faults
from makul.soap.act_operations import build_act_service
from makul.soap.body_parser import compile_parser
from makul.soap.channels import RequestChannel
from makul.soap.contract import ServedContract
from makul.soap.faults import FaultReport
from makul.soap.http_guard import MAX_MESSAGE, Guard
from makul.soap.recipient_operations import RecipientService
from makul.soap.request_models import published_operations
from makul.soap.schema import PublishedSchema
from makul.soap.spyne_protocol import Exchange, PortServer, Reading, servers
from makul.soap.transport_metadata import Arrival
from makul.soap.versions import Reply, SoapVersion

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSummary:
    """One answer, as it is counted: without content, and without the subject."""

    operation: str | None
    """None if the message failed before its operation was known."""
    status: int
    faults: tuple[str, ...] = ()
    """The codes of a fault; empty for a normal answer, refusals included."""
    request_id: UUID | None = None
    """The id of a message that a channel authenticated and the schema accepted."""
    caller: MemberCode | None = None
    """The sender, as authenticated by the channel; it may be unregistered."""
    received: int = 0
    """Bytes of the message; 0 if the guard refused it."""


Observer = Callable[[AnswerSummary], None]


@dataclass(frozen=True, slots=True)
class PortContract:
    """What is published of a port, and the Spyne services that carry it out."""

    name: str
    """The name of the WSDL and of the schema: `recipient`."""
    services: tuple[type, ...]


RECIPIENT_CONTRACT: Final = PortContract(
    "recipient",
    (
        RecipientService,
        build_act_service("recipient", "makul.app.recipient_acts", lambda port: port.acts),
    ),
)
OVERSIGHT_CONTRACT: Final = PortContract(
    "oversight", (build_act_service("oversight", "makul.app.oversight", lambda port: port),)
)
SUBJECT_CONTRACT: Final = PortContract(
    "subject", (build_act_service("subject", "makul.app.subject_acts", lambda port: port),)
)


def _ignore(_: AnswerSummary) -> None:
    """Count nothing."""


def build_application(
    port: Any,
    channel: RequestChannel,
    *,
    contract: PortContract = RECIPIENT_CONTRACT,
    public_url: str,
    clock: Clock,
    ready: Callable[[], Readiness],
    observe: Observer = _ignore,
    max_message: int = MAX_MESSAGE,
    fault_status: int | None = None,
) -> WSGIApplication:
    """Build a port for one listener.

    `port` has the use cases that the operations of `contract` call. `channel` is the only one that
    authenticates here. `public_url` is the address that clients use, such as
    `https://host/v1/recipient`. Its path is the served path, and the WSDLs state it.

    `ready` answers `/readyz`. It must be quick and must not raise if a dependency is down.
    `fault_status` is the HTTP status of every fault, if the channel knows only one.
    """
    operations = published_operations(contract.name)
    reading = Reading(
        channel=channel,
        schema=PublishedSchema(f"{contract.name}.xsd"),
        operations={
            f"{{{operations.namespace}}}{name}": compile_parser(model)
            for name, model in operations.models.items()
        },
    )
    endpoint = _Endpoint(
        port,
        servers(contract.services, operations.namespace, reading),
        clock,
        observe,
        fault_status,
    )
    return Guard(
        endpoint.answer,
        path=urlsplit(public_url).path or "/",
        contract=ServedContract(contract.name, public_url),
        ready=ready,
        refused=endpoint.count_refused,
        max_message=max_message,
        fault_status=fault_status,
    )


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """The endpoint that answers messages which passed the guard."""

    port: Any
    servers: dict[SoapVersion, PortServer]
    clock: Clock
    observe: Observer
    fault_status: int | None = None

    def answer(self, version: SoapVersion, raw: bytes, arrival: Arrival) -> Reply:
        """Return the answer, or the fault that explains why there is none."""
        exchange = Exchange(
            port=self.port, version=version, raw=raw, arrival=arrival, at=self.clock()
        )
        try:
            chunks = self.servers[version].answer(exchange)
        except Exception as error:  # noqa: BLE001 - the fault table is the place for all of them
            fault = faults.log_fault(error, during=exchange.operation or "reading")
            fault = faults.with_request_id(fault, lambda: raw)
            reply = faults.reply(fault, version, exchange.echoed, status=self.fault_status)
            self._count(exchange, reply, fault)
            return reply
        reply = Reply(status=200, content_type=version.content_type, chunks=tuple(chunks))
        self._count(exchange, reply, None)
        return reply

    def count_refused(self, reply: Reply, fault: FaultReport) -> None:
        """Count a message that the guard refused."""
        self._count(None, reply, fault)

    def _count(self, exchange: Exchange | None, reply: Reply, fault: FaultReport | None) -> None:
        codes = tuple(reason.code.value for reason in fault.reasons) if fault else ()
        try:
            self.observe(_summarize(exchange, reply.status, codes))
        except Exception as error:  # noqa: BLE001 - what cannot be counted is answered all the same
            log.warning("an answer could not be counted: %s", type(error).__name__)


def _summarize(exchange: Exchange | None, status: int, codes: tuple[str, ...]) -> AnswerSummary:
    if exchange is None:
        return AnswerSummary(operation=None, status=status, faults=codes)
    return AnswerSummary(
        operation=exchange.operation,
        status=status,
        faults=codes,
        request_id=exchange.request_id,
        caller=exchange.caller.recipient if exchange.caller is not None else None,
        received=len(exchange.raw),
    )
