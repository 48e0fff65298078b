"""The writing of requests and reading of answers with zeep, from the published WSDL only.

zeep reads a value that it cannot parse as a missing one. So both directions are first validated
against the published schemas. Nothing is fetched, and nothing is trusted.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import makul_schemas
import makul_wsdl
import zeep
import zeep.exceptions

from makul_client._internal import response_decoder as reading
from makul_client._internal.crypto.xml import (
    SOAP,
    TYPES,
    UnsafeXmlError,
    broken_fields,
    canonical,
    canonical_without,
    local_name,
    parse,
)
from makul_client.errors import FaultError, InvalidRequestError, TransportError, fault
from makul_client.models.reasons import Language
from makul_client.profile import Channel
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_PACKAGED: Final = "file:///makul/wsdl/v1/"
"""A name, not an address, by which zeep resolves the relative imports of the packaged files."""
LARGE_ANSWERS: Final = {"GetMonthlyStatement": 48 * 1024 * 1024}
"""The maximum size of the answers that may be larger than others, in bytes.

A page of 10,000 lines has some 6 MB, and 16 MB if each line has several exceptions; base64 adds a
third. Other answers have texts below libxml2's limit of 10 MB.
"""
_FAULT_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:]{0,99}", re.ASCII)
_OWN_CODE: Final = re.compile(r"([A-Z]{3}-[0-9]{2}): ", re.ASCII)


class Port(StrEnum):
    """The ports of the service, by the names of their WSDLs and schemas."""

    RECIPIENT = "recipient"
    OVERSIGHT = "oversight"

    def wsdl(self, channel: Channel) -> str:
        """Return the name of the WSDL for a channel."""
        return f"{self}-xroad.wsdl" if channel is Channel.XROAD else f"{self}.wsdl"

    def tag(self, name: str) -> str:
        """Return the name of an element in the namespace of this port's messages."""
        return f"{{urn:makul:{self}:1}}{name}"


class _Packaged(zeep.Transport):
    """The transport that gives zeep only the packaged WSDLs and schemas, by name."""

    def load(self, url: str) -> bytes:
        name = url.rpartition("/")[2]
        if name.endswith(".wsdl"):
            return makul_wsdl.read(name)
        return makul_schemas.read(name)


# zeep has no type annotations.
_ZEEP: Final[Any] = zeep.Client
_TRANSPORT: Final[Any] = _Packaged


@dataclass(frozen=True, slots=True, repr=False)
class ReceivedAnswer:
    """The Body's child as received. Neither its schema nor its receipt is verified."""

    child: "Element"
    receipt_tag: str
    """The name of the element that contains the receipt."""

    def receipt(self) -> bytes | None:
        """Return the receipt's exact bytes, or None unless it is single, plain and the last child.

        The digest does not cover the position of the receipt, so the position is checked here.
        """
        receipts = self.child.findall(self.receipt_tag)
        if (
            len(receipts) != 1
            or receipts[0] is not self.child[-1]
            or len(receipts[0])
            or receipts[0].attrib
        ):
            return None
        try:
            return base64.b64decode("".join((receipts[0].text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            return None

    def digest(self) -> bytes:
        """Return the SHA-256 that a receipt contains as its answerDigest (receipt.xsd).

        It covers what arrived, not what was read from it. An attribute, an element or white space
        that no reader uses changes it too.
        """
        receipt = self.child.find(self.receipt_tag)
        if receipt is None:
            return hashlib.sha256(canonical(self.child)).digest()
        return hashlib.sha256(canonical_without(self.child, receipt)).digest()


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """An answer that is valid by the schema."""

    values: Any
    """The values as zeep reads them: attributes by element name."""
    person: bytes | None
    """The element `person` in exclusive canonical form, as receipts digest it."""
    payload_salt: bytes | None
    """The salt that precedes `person` in the receipt's payload digest."""
    sealed: bytes | None
    """The encrypted delivery that replaces `person` and salt."""


class Messages:
    """The messages of one port in both directions, for one channel."""

    def __init__(self, port: Port, channel: Channel, language: Language) -> None:
        self._port = port
        self._language = language
        self._zeep = _ZEEP(
            _PACKAGED + port.wsdl(channel),
            transport=_TRANSPORT(),
            settings=zeep.Settings(
                strict=True,
                raw_response=False,
                force_https=False,
                xml_huge_tree=False,
                forbid_dtd=True,
                forbid_entities=True,
                forbid_external=True,
                xsd_ignore_sequence_order=False,
            ),
        )

    def write(
        self,
        operation: str,
        fields: Mapping[str, Any],
        *,
        headers: Mapping[str, Any],
        request_id: UUID,
    ) -> "Element":
        """Return a SOAP envelope, not yet signed. Raises `InvalidRequestError`."""
        try:
            envelope: Element = self._zeep.create_message(
                self._zeep.service, operation, _soapheaders=dict(headers) or None, **fields
            )
        except zeep.exceptions.ValidationError as error:
            path = tuple(str(each) for each in error.path) or (translate("what it requires"),)
            raise InvalidRequestError(operation, path, request_id=request_id) from None
        except (TypeError, ValueError):
            raise InvalidRequestError(
                operation, (translate("its values' types"),), request_id=request_id
            ) from None
        broken = broken_fields(find_request(envelope), self._port)
        if broken:
            raise InvalidRequestError(operation, broken, request_id=request_id)
        return envelope

    def receive(self, operation: str, answer: bytes) -> ReceivedAnswer:
        """Return a received answer.

        Raises `FaultError`, and `TransportError` for what is no answer.

        Whether the answer belongs to this operation is not checked here, because the receipt must
        prove that first.
        """
        try:
            child = _body_child(parse(answer, large=operation in LARGE_ANSWERS))
        except UnsafeXmlError as error:
            raise TransportError(
                translate("the answer is not readable: {cause}", cause=error), passing=False
            ) from None
        if child.tag == f"{{{SOAP}}}Fault":
            raise self._fault(child)
        if child.tag != self._port.tag(local_name(child)):
            raise TransportError(
                translate("the answer is not one to {operation}", operation=operation),
                passing=False,
            )
        return ReceivedAnswer(child, self._port.tag("receipt"))

    def read(self, operation: str, received: ReceivedAnswer) -> Answer:
        """Return an answer, read by the schema. Raises `TransportError` if it is not valid."""
        child = received.child
        if child.tag != self._port.tag(f"{operation}Response"):
            raise TransportError(
                translate("the answer is not one to {operation}", operation=operation),
                passing=False,
            )
        broken = broken_fields(child, self._port)
        if broken:
            names = ", ".join(broken)
            raise TransportError(
                translate("the answer breaks the schema at {names}", names=names), passing=False
            )
        person = child.find(self._port.tag("person"))
        values = self._deserialize(child)
        return Answer(
            values=values,
            person=None if person is None else canonical(person),
            payload_salt=values.payloadSalt if "payloadSalt" in values else None,
            sealed=values.sealed if "sealed" in values else None,
        )

    def with_person(self, answer: Answer, person: "Element", payload_salt: bytes) -> Answer:
        """Return the answer with the decrypted element `person`, which was verified already."""
        answer.values.person = self._deserialize(person)
        return Answer(
            values=answer.values,
            person=canonical(person),
            payload_salt=payload_salt,
            sealed=None,
        )

    def _fault(self, node: "Element") -> FaultError | TransportError:
        detail = node.find(f"detail/{{{TYPES}}}Fault")
        if detail is None or broken_fields(detail, "types"):
            return _foreign_fault(node)
        read = self._deserialize(detail)
        request_id = UUID(read.requestId) if read.requestId else None
        return fault(reading.reasons(read.reason), request_id=request_id, language=self._language)

    def _deserialize(self, element: "Element") -> Any:
        try:
            return self._zeep.wsdl.types.deserialize(element)
        except (zeep.exceptions.Error, ValueError, TypeError, LookupError):
            raise TransportError(translate("the answer is not readable"), passing=False) from None


def find_request(envelope: "Element") -> "Element":
    """Return the Body's child: the content of the request, over which its digest is computed."""
    return _body_child(envelope)


def _body_child(envelope: "Element") -> "Element":
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise UnsafeXmlError(translate("not a SOAP 1.1 envelope"))
    bodies = envelope.findall(f"{{{SOAP}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise UnsafeXmlError(translate("not exactly one Body with one child"))
    return bodies[0][0]


def _foreign_fault(node: "Element") -> TransportError:
    """Return the error for a fault without the contract's detail.

    It comes from a security server, a proxy or another service. Security servers flatten the detail
    of a fault that they forward. Then only the code at the start of its text remains. No contract
    defines the rest of the text, so it is left out.
    """
    own = _OWN_CODE.match((node.findtext("faultstring") or "").strip())
    if own is not None:
        passing = own[1].startswith("OPS-") or own[1] in {"REQ-05", "REQ-06", "SIG-07"}
        return TransportError(
            translate("the service's fault {code}, without its detail", code=own[1]),
            passing=passing,
        )
    code = (node.findtext("faultcode") or "").strip()
    label = code if _FAULT_CODE.fullmatch(code) else translate("no code")
    return TransportError(
        translate("a fault that is not the service's own: {code}", code=label), passing=True
    )
