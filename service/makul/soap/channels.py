"""Who is calling: channels. A listener has exactly one, and headers of the others confer nothing.

A channel turns a message of an unknown sender into a `Caller` and the one element that may be
read from here on (Procedure, cl. 7: a recipient calls as its agreement says).
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from uuid import UUID

from lxml import etree

from makul.app.ports import Caller, MessageVerifier, Register, RejectedError
from makul.domain.agreements import Channel as ChannelName
from makul.domain.causes import Cause
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, parse_member_code
from makul.domain.reasons import Code, Reason
from makul.soap.envelope import Message, collapsed, local_name
from makul.soap.schema import PublishedSchema
from makul.soap.versions import SoapVersion

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_XRD: Final = "http://x-road.eu/xsd/xroad.xsd"
_ID: Final = "http://x-road.eu/xsd/identifiers"
_REQUEST_HASH: Final = f"{{{_XRD}}}requestHash"
_XRD_FAMILY: Final = "{http://x-road.eu/xsd/"
_XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"

PROTOCOL_VERSION: Final = "4.0"
"""X-Road message protocol for SOAP, version 4.0."""

SERVICE_VERSION: Final = "v1"

_MANDATORY: Final = ("client", "service", "id", "protocolVersion")
_OPTIONAL: Final = ("userId", "issue", "securityServer")
_CALLER_KINDS: Final = ("MEMBER", "SUBSYSTEM")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

MAX_EMPLOYEE: Final = 64
"""As types.xsd has UserId and CaseNumber, which the record keeps; X-Road would allow 255."""

MAX_HEADER_TEXT: Final = 4096
"""Characters of one header. An identifier has seven parts of 255 at most."""


def fault_status(channel: ChannelName) -> int | None:
    """The HTTP status of every fault of a channel; None where each fault has its own.

    A security server reads 200 and 500 alone: of any other status it loses the fault's text.
    """
    return 500 if channel is ChannelName.XROAD else None


class Authenticated(NamedTuple):
    """Who sent a message, and the Body's child that they are proved to have sent."""

    caller: Caller
    child: "Element"


class RequestChannel(Protocol):
    """One way to come in."""

    @property
    def understood(self) -> frozenset[str]:
        """Header blocks that this channel understands, by Clark name."""

    def authenticate(self, message: Message, *, at: datetime) -> Authenticated:
        """Prove who sent the message; raises `RejectedError`."""

    def echo(self, message: Message) -> bytes:
        """The header blocks that go back with the answer or fault, rendered; often none."""


@dataclass(frozen=True, slots=True)
class WsseChannel:
    """WS-Security 1.1.1, X.509 token profile: the certificate that signed the Body says who."""

    verifier: MessageVerifier
    register: Register

    @property
    def understood(self) -> frozenset[str]:
        """The Security header."""
        return frozenset({f"{{{_WSSE}}}Security"})

    def authenticate(self, message: Message, *, at: datetime) -> Authenticated:
        """The recipient for whom the signing certificate is registered (RCP-04 where none)."""
        verified = self.verifier.verify(message.envelope, at=at)
        registered = self.register.certificate(verified.fingerprint)
        if registered is None:
            raise RejectedError(Reason(code=Code.RCP_04))
        caller = Caller(
            recipient=registered.recipient,
            channel=ChannelName.WSSE,
            certificate=verified.fingerprint,
            mark=verified.mark,
        )
        return Authenticated(caller, verified.child)

    def echo(self, message: Message) -> bytes:  # noqa: ARG002 - the Protocol's signature
        """Nothing: a signed header belongs to its message."""
        return b""


class XRoadChannel:
    """X-Road message protocol 4.0, behind the operator's own security server.

    Only for a listener that nobody but that security server can reach: who reaches it *is* believed
    to say truly who the client is.
    """

    def __init__(self, instance: str) -> None:
        """`instance` is the X-Road instance whose member codes are ours: `KG`."""
        self._instance = instance
        self._schema = PublishedSchema("xroad.xsd")

    @property
    def understood(self) -> frozenset[str]:
        """The headers that are read."""
        return frozenset(f"{{{_XRD}}}{name}" for name in (*_MANDATORY, *_OPTIONAL))

    def authenticate(self, message: Message, *, at: datetime) -> Authenticated:  # noqa: ARG002
        """The member that `xrd:client` names; raises `RejectedError` (REQ-01, REQ-02, RCP-01).

        Whom that member represents (`representedParty`) and what its user holds (`securityToken`)
        are passed back unread: the agreement is the member's.
        """
        headers = self._read(message)
        self._check_service(headers, message.child)
        caller = Caller(
            recipient=self._member(headers["client"]),
            channel=ChannelName.XROAD,
            subsystem=_part(headers["client"], "subsystemCode"),
            employee=_short(headers, "userId"),
            case_number=_short(headers, "issue"),
            request_id=_uuid(headers["id"]),
        )
        return Authenticated(caller, message.child)

    def echo(self, message: Message) -> bytes:
        """Every X-Road header in the order and with the values received, those of extensions too.

        A security server rejects an answer whose headers are doubled, so such are not sent back;
        and it writes `requestHash` itself.
        """
        blocks = [block for block in _xroad_blocks(message) if block.tag != _REQUEST_HASH]
        if len({block.tag for block in blocks}) != len(blocks):
            return b""
        return b"".join(
            etree.tostring(block, encoding="UTF-8", xml_declaration=False, with_tail=False)
            for block in blocks
        )

    def _read(self, message: Message) -> dict[str, "Element"]:
        """The headers by local name: each once, each as its schema has it, none missing."""
        found: dict[str, Element] = {}
        for block in _xroad_blocks(message):
            if block.tag in found:
                raise _wrong(_known(block))
            found[block.tag] = block
        read: dict[str, Element] = {}
        for name in (*_MANDATORY, *_OPTIONAL):
            header = found.get(f"{{{_XRD}}}{name}")
            if header is None and name in _MANDATORY:
                raise _wrong(name)
            if header is not None and not (name in _OPTIONAL and _is_nil(header)):
                _require_short(header, name)
                self._schema.check(_without_soap_attributes(header, message.version))
                read[name] = header
        return read

    def _check_service(self, headers: dict[str, "Element"], child: "Element") -> None:
        if _text(headers["protocolVersion"]) != PROTOCOL_VERSION:
            raise RejectedError(Reason(code=Code.REQ_02, field="protocolVersion"))
        service = headers["service"]
        if service.get(f"{{{_ID}}}objectType") != "SERVICE":
            raise _wrong("objectType")
        if _part(service, "serviceCode") != local_name(child):
            raise _wrong("serviceCode")
        if _part(service, "serviceVersion") not in (None, SERVICE_VERSION):
            raise RejectedError(Reason(code=Code.REQ_02, field="serviceVersion"))
        if _part(service, "xRoadInstance") != self._instance:
            raise _wrong("xRoadInstance")

    def _member(self, client: "Element") -> MemberCode:
        """Who calls. Member codes of another instance may coincide with ours, so none is known."""
        if client.get(f"{{{_ID}}}objectType") not in _CALLER_KINDS:
            raise _wrong("objectType")
        if _part(client, "xRoadInstance") != self._instance:
            raise RejectedError(Reason(code=Code.RCP_01, field="xRoadInstance"))
        try:
            return parse_member_code(
                f"{_part(client, 'memberClass')}/{_part(client, 'memberCode')}"
            )
        except MalformedIdentifierError:
            raise _wrong("memberCode") from None


def _xroad_blocks(message: Message) -> list["Element"]:
    return [block for block in message.headers if block.tag.startswith(_XRD_FAMILY)]


def _known(block: "Element") -> str:
    """The name of a header that is read; of any other, only that it is one."""
    name = local_name(block)
    return name if name in (*_MANDATORY, *_OPTIONAL) else "Header"


def _without_soap_attributes(block: "Element", version: SoapVersion) -> "Element":
    """`mustUnderstand` and its like may stand on any block, and no schema of a block knows them."""
    names = [name for name, _ in block.items() if str(name).startswith(version.qualified(""))]
    if not names:
        return block
    bare = deepcopy(block)
    for name in names:
        del bare.attrib[name]
    return bare


def _is_nil(block: "Element") -> bool:
    """JAX-WS clients send an optional header that they do not set as nil."""
    return block.get(_XSI_NIL) in ("true", "1") and not len(block) and not block.text


def _require_short(block: "Element", name: str) -> None:
    """Its schema sets no limit to every text, and a large message's 16 MB in one cost seconds."""
    if sum(len(str(text)) for text in block.itertext()) > MAX_HEADER_TEXT:
        raise _wrong(name)


def _text(block: "Element") -> str:
    return collapsed(block.text)


def _part(identifier: "Element", name: str) -> str | None:
    """A part of an identifier, exactly as written: white space around it makes it another."""
    return identifier.findtext(f"{{{_ID}}}{name}")


def _short(headers: dict[str, "Element"], name: str) -> str | None:
    """An optional text; sent empty, it is absent."""
    text = _text(headers[name]) if name in headers else ""
    if len(text) > MAX_EMPLOYEE:
        raise _wrong(name)
    return text or None


def _uuid(block: "Element") -> UUID:
    text = _text(block)
    if not _UUID.fullmatch(text):
        raise _wrong("id")
    return UUID(text)


def _wrong(field: str) -> RejectedError:
    return RejectedError(Reason(code=Code.REQ_01, field=field, cause=Cause.XROAD_HEADER))
