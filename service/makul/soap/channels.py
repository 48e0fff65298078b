"""Channels, which authenticate the caller. A listener has exactly one channel.

Headers of other channels confer nothing. A channel converts a message of an unknown sender into a
`Caller` and the one element that may be read afterwards (Procedure, cl. 7: a recipient calls
through the channels of its agreement).
"""

import re
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from uuid import UUID

from lxml import etree

from makul.app.ports import (
    Caller,
    CertificateRegister,
    MessageVerifier,
    RejectedError,
    UsageStatement,
)
from makul.domain.agreements import Channel as ChannelName
from makul.domain.causes import Cause
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, parse_member_code
from makul.domain.reasons import Code, Reason
from makul.soap.envelope import Message, collapse, local_name
from makul.soap.schema import PublishedSchema
from makul.soap.versions import SoapVersion

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_XRD: Final = "http://x-road.eu/xsd/xroad.xsd"
_ID: Final = "http://x-road.eu/xsd/identifiers"
_PDU: Final = "http://x-road.eu/xsd/pdu.xsd"
_REQUEST_HASH: Final = f"{{{_XRD}}}requestHash"
_XRD_FAMILY: Final = "{http://x-road.eu/xsd/"
_XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"

_USAGE: Final = f"{{{_PDU}}}pdu"

PROTOCOL_VERSION: Final = "4.0"
"""X-Road message protocol for SOAP, version 4.0."""

SERVICE_VERSION: Final = "v1"

_MANDATORY: Final = ("client", "service", "id", "protocolVersion")
_OPTIONAL: Final = ("userId", "issue", "securityServer")
_CALLER_KINDS: Final = ("MEMBER", "SUBSYSTEM")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

MAX_EMPLOYEE: Final = 64
"""The limit of UserId and CaseNumber in types.xsd, which the record uses. X-Road allows 255."""

MAX_HEADER_TEXT: Final = 4096
"""Characters of one header. An identifier has at most seven parts of 255 characters."""


def fault_status(channel: ChannelName) -> int | None:
    """Return the HTTP status of every fault of a channel, or None if each fault has its own.

    A security server reads only 200 and 500. With any other status it loses the text of the fault.
    """
    return 500 if channel is ChannelName.XROAD else None


class AuthenticatedMessage(NamedTuple):
    """The sender of a message, and the child of the Body that the sender is proved to have sent."""

    caller: Caller
    child: "Element"


class RequestChannel(Protocol):
    """One method of authentication."""

    @property
    def understood(self) -> frozenset[str]:
        """The header blocks that this channel understands, by Clark name."""

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:
        """Authenticate the sender of the message. Raises `RejectedError`."""

    def echo(self, message: Message) -> bytes:
        """Return the rendered header blocks that accompany the answer or fault; often none."""


@dataclass(frozen=True, slots=True)
class WsseChannel:
    """WS-Security 1.1.1, X.509 token profile: the certificate that signed the Body is the proof."""

    verifier: MessageVerifier
    register: CertificateRegister

    @property
    def understood(self) -> frozenset[str]:
        """The Security header."""
        return frozenset({f"{{{_WSSE}}}Security"})

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:
        """Return the recipient with this signing certificate. Raises `RejectedError` (RCP-04)."""
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
        return AuthenticatedMessage(caller, verified.child)

    def echo(self, message: Message) -> bytes:  # noqa: ARG002 - the Protocol's signature
        """Return nothing, because a signed header belongs to its message."""
        return b""


class XRoadChannel:
    """X-Road message protocol 4.0, behind the operator's own security server.

    Use this channel only on a listener that no other process than the security server can reach.
    This channel trusts the client identity in the X-Road headers.
    """

    def __init__(self, instance: str) -> None:
        """`instance` is the X-Road instance whose member codes are registered here: `KG`."""
        self._instance = instance
        self._schema = PublishedSchema("xroad.xsd")
        self._usage_schema = PublishedSchema("pdu.xsd")

    @property
    def understood(self) -> frozenset[str]:
        """The headers that are read."""
        names = {f"{{{_XRD}}}{name}" for name in (*_MANDATORY, *_OPTIONAL)}
        return frozenset({*names, _USAGE})

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:  # noqa: ARG002
        """Return the member that `xrd:client` names.

        Raises `RejectedError` (REQ-01, REQ-02, RCP-01). The represented member (`representedParty`)
        and the user's token (`securityToken`) are returned unread, because the agreement belongs to
        the calling member.
        """
        headers = self._read(message)
        self._check_service(headers, message.child)
        caller = Caller(
            recipient=self._member(headers["client"]),
            channel=ChannelName.XROAD,
            subsystem=_read_part(headers["client"], "subsystemCode"),
            employee=_read_short(headers, "userId"),
            case_number=_read_short(headers, "issue"),
            request_id=_uuid(headers["id"]),
            usage=self._read_usage(message),
        )
        return AuthenticatedMessage(caller, message.child)

    def echo(self, message: Message) -> bytes:
        """Return every X-Road header in the received order and with the received values.

        Headers of extensions are included. A security server rejects an answer with duplicate
        headers, so in that case none is returned. The security server writes `requestHash` itself.
        """
        blocks = [block for block in _xroad_blocks(message) if block.tag != _REQUEST_HASH]
        if len({block.tag for block in blocks}) != len(blocks):
            return b""
        return b"".join(
            etree.tostring(block, encoding="UTF-8", xml_declaration=False, with_tail=False)
            for block in blocks
        )

    def _read(self, message: Message) -> dict[str, "Element"]:
        """Return the headers by local name, each once and valid against its schema.

        Raises `RejectedError` if a mandatory header is missing.
        """
        headers: dict[str, Element] = {}
        for block in _xroad_blocks(message):
            if block.tag in headers:
                raise _header_error(_published_header(block))
            headers[block.tag] = block
        read: dict[str, Element] = {}
        for name in (*_MANDATORY, *_OPTIONAL):
            header = headers.get(f"{{{_XRD}}}{name}")
            if header is None and name in _MANDATORY:
                raise _header_error(name)
            if header is not None and not (name in _OPTIONAL and _is_nil(header)):
                _require_short(header, name)
                self._schema.check(_without_soap_attributes(header, message.version))
                read[name] = header
        return read

    def _read_usage(self, message: Message) -> UsageStatement | None:
        """Return what the client says to the subject (the header `pdu`), if it says anything.

        Raises `RejectedError` (REQ-01). It is free text, so it confers nothing.
        """
        block = next((each for each in message.headers if each.tag == _USAGE), None)
        if block is None or _is_nil(block):
            return None
        _require_short(block, "pdu")
        bare = _without_soap_attributes(block, message.version)
        try:
            self._usage_schema.check(bare)
        except RejectedError:
            raise _header_error("pdu") from None
        hidden = bare.findtext(f"{{{_PDU}}}hidden")
        system = bare.findtext(f"{{{_PDU}}}system")
        return UsageStatement(
            reason=collapse(bare.findtext(f"{{{_PDU}}}reason")),
            system=collapse(system) if system is not None else None,
            hidden=collapse(hidden) in ("true", "1") if hidden is not None else None,
        )

    def _check_service(self, headers: dict[str, "Element"], child: "Element") -> None:
        if _text(headers["protocolVersion"]) != PROTOCOL_VERSION:
            raise RejectedError(Reason(code=Code.REQ_02, field="protocolVersion"))
        service = headers["service"]
        if service.get(f"{{{_ID}}}objectType") != "SERVICE":
            raise _header_error("objectType")
        if _read_part(service, "serviceCode") != local_name(child):
            raise _header_error("serviceCode")
        if _read_part(service, "serviceVersion") not in (None, SERVICE_VERSION):
            raise RejectedError(Reason(code=Code.REQ_02, field="serviceVersion"))
        if _read_part(service, "xRoadInstance") != self._instance:
            raise _header_error("xRoadInstance")

    def _member(self, client: "Element") -> MemberCode:
        """Return the caller. A member of another instance is refused.

        Member codes of another instance may coincide with codes registered here.
        """
        if client.get(f"{{{_ID}}}objectType") not in _CALLER_KINDS:
            raise _header_error("objectType")
        if _read_part(client, "xRoadInstance") != self._instance:
            raise RejectedError(Reason(code=Code.RCP_01, field="xRoadInstance"))
        try:
            return parse_member_code(
                f"{_read_part(client, 'memberClass')}/{_read_part(client, 'memberCode')}"
            )
        except MalformedIdentifierError:
            raise _header_error("memberCode") from None


def _xroad_blocks(message: Message) -> list["Element"]:
    return [block for block in message.headers if block.tag.startswith(_XRD_FAMILY)]


def _published_header(block: "Element") -> str:
    """Return the name of a header that is read, or `Header` for any other."""
    name = local_name(block)
    return name if name in (*_MANDATORY, *_OPTIONAL) else "Header"


def _without_soap_attributes(block: "Element", version: SoapVersion) -> "Element":
    """Return a block without SOAP attributes such as `mustUnderstand`.

    They may occur on any block, and no schema of a block declares them.
    """
    names = [name for name, _ in block.items() if str(name).startswith(version.qualified(""))]
    if not names:
        return block
    bare = deepcopy(block)
    for name in names:
        del bare.attrib[name]
    return bare


def _is_nil(block: "Element") -> bool:
    """Return whether the block is nil. JAX-WS clients send an unset optional header as nil."""
    return block.get(_XSI_NIL) in ("true", "1") and not len(block) and not block.text


def _require_short(block: "Element", name: str) -> None:
    """Refuse a long header.

    The schema does not limit every text. 16 MB in one text of a large message cost seconds.
    """
    if sum(len(str(text)) for text in block.itertext()) > MAX_HEADER_TEXT:
        raise _header_error(name)


def _text(block: "Element") -> str:
    return collapse(block.text)


def _read_part(identifier: "Element", name: str) -> str | None:
    """Return a part of an identifier exactly as written. White space around it is significant."""
    return identifier.findtext(f"{{{_ID}}}{name}")


def _read_short(headers: dict[str, "Element"], name: str) -> str | None:
    """Return an optional text. An empty text counts as absent."""
    text = _text(headers[name]) if name in headers else ""
    if len(text) > MAX_EMPLOYEE:
        raise _header_error(name)
    return text or None


def _uuid(block: "Element") -> UUID:
    text = _text(block)
    if not _UUID.fullmatch(text):
        raise _header_error("id")
    return UUID(text)


def _header_error(field: str) -> RejectedError:
    return RejectedError(Reason(code=Code.REQ_01, field=field, cause=Cause.XROAD_HEADER))
