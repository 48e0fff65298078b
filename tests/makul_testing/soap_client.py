"""Calls of the recipient port as WSGI: envelopes, a trusting channel, a fake port."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID
from wsgiref.types import WSGIApplication

import makul_schemas
from lxml import etree

from makul.app.ports import Caller
from makul.app.ports.health import Readiness, ReadinessState
from makul.app.requests import RecipientPort
from makul.domain.agreements import Channel as ChannelName
from makul.domain.identifiers import MemberCode
from makul.soap.channels import AuthenticatedMessage, RequestChannel
from makul.soap.envelope import Message
from makul.soap.versions import SOAP_11, SOAP_12, SoapVersion
from makul.soap.wsgi_app import AnswerSummary, build_application
from makul_testing.paths import SAMPLES

R = "urn:makul:recipient:1"
T = "urn:makul:types:1"
XRD = "http://x-road.eu/xsd/xroad.xsd"
ID = "http://x-road.eu/xsd/identifiers"

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REQUEST_ID = UUID("7d9a3c1e-0000-4000-8000-0000000000aa")
MEMBER = MemberCode("COM/60000001")
PUBLIC_URL = "https://makul.test/v1/recipient"
VERSIONS = (SOAP_11, SOAP_12)

GET_STATUS = f'<r:GetStatus xmlns:r="{R}"><r:requestId>{REQUEST_ID}</r:requestId></r:GetStatus>'
ANSWER = f'<r:GetStatusResponse xmlns:r="{R}"/>'.encode()
WSSE_CALLER = Caller(recipient=MEMBER, channel=ChannelName.WSSE)


@dataclass(frozen=True, slots=True)
class TrustingChannel:
    """Authenticates every message as that of one caller. Only for tests."""

    caller: Caller = WSSE_CALLER
    child: etree._Element | None = None
    """The content to read instead of the received one."""
    understood: frozenset[str] = frozenset()

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:
        return AuthenticatedMessage(
            self.caller, message.child if self.child is None else self.child
        )

    def echo(self, message: Message) -> bytes:
        return b""


@dataclass(slots=True)
class FakePort:
    """Use cases that keep their requests, and answer or raise as a test sets."""

    requests: list[tuple[Any, Caller]] = field(default_factory=list)
    answer: Any = ANSWER
    raises: BaseException | None = None

    def _take(self, request: Any, caller: Caller) -> bytes:
        self.requests.append((request, caller))
        if self.raises is not None:
            raise self.raises
        answer: bytes = self.answer
        return answer

    @property
    def port(self) -> RecipientPort:
        return RecipientPort(
            disclose=self._take,
            explain=self._take,
            register_consent=self._take,
            revoke_consent=self._take,
            consent_status=self._take,
            revocations=self._take,
            agreement=self._take,
            receipt=self._take,
            status=self._take,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, and that it was XML."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.body)

    def text(self, path: str, version: SoapVersion = SOAP_11) -> str | None:
        """Return the text at a path in which `soap:`, `t:`, `r:` and `xrd:` are bound."""
        names = {"soap": version.namespace, "t": T, "r": R, "xrd": XRD, "id": ID}
        found = self.root.findtext(path, namespaces=names)
        return None if found is None else str(found)

    @property
    def codes(self) -> list[str]:
        """Return the codes in a fault's detail."""
        return [str(code.text) for code in self.root.iter(f"{{{T}}}code")]

    @property
    def fields(self) -> list[str]:
        """Return the fields named in a fault's detail."""
        return [str(name.text) for name in self.root.iter(f"{{{T}}}field")]

    @property
    def fault_code(self) -> str:
        """Return the fault's code without its prefix, such as `Client` or `Sender`, or nothing."""
        code = self.text(".//faultcode") or self.text(".//soap:Fault/soap:Code/soap:Value", SOAP_12)
        return (code or "").rpartition(":")[2]


READY = Readiness({"store": ReadinessState.OK})


def build(
    fake: FakePort | None = None,
    channel: RequestChannel | None = None,
    *,
    ready: Callable[[], Readiness] = lambda: READY,
    observe: Callable[[AnswerSummary], None] = lambda _: None,
    **settings: Any,
) -> WSGIApplication:
    """Build the application under test."""
    return build_application(
        (fake or FakePort()).port,
        channel or TrustingChannel(),
        public_url=PUBLIC_URL,
        clock=lambda: NOW,
        ready=ready,
        observe=observe,
        **settings,
    )


def enveloped(body: str, version: SoapVersion = SOAP_11, header: str = "") -> bytes:
    """Return an envelope around a Body's child; `header` is the Header's content."""
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<s:Envelope xmlns:s="{version.namespace}">{head}<s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def send(
    application: WSGIApplication,
    raw: bytes,
    *,
    content_type: str | None = SOAP_11.content_type,
    **environ: Any,
) -> Response:
    """POST bytes; keyword arguments go into the WSGI environment, None removes one from it."""
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/recipient",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
        **environ,
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        started.append((status, headers))

    environment = {key: value for key, value in request.items() if value is not None}
    body = b"".join(application(environment, start))
    ((status, headers),) = started
    return Response(int(status.split()[0]), dict(headers), body)


def sample(name: str) -> str:
    """Return a sample message of the contract, without its XML declaration and comments."""
    root = etree.fromstring((SAMPLES / f"{name}.xml").read_bytes())
    etree.strip_tags(root, etree.Comment)
    return etree.tostring(root, encoding="unicode")


def xroad_headers(
    service: str = "GetStatus",
    *,
    request_id: str = str(REQUEST_ID),
    member: str = MEMBER,
    version: str = "4.0",
    more: str = "",
) -> str:
    """Return the mandatory X-Road headers, and more."""
    member_class, _, member_code = member.partition("/")
    return (
        f'<x:client xmlns:x="{XRD}" xmlns:i="{ID}" i:objectType="SUBSYSTEM">'
        "<i:xRoadInstance>KG</i:xRoadInstance>"
        f"<i:memberClass>{member_class}</i:memberClass><i:memberCode>{member_code}</i:memberCode>"
        "<i:subsystemCode>core</i:subsystemCode></x:client>"
        f'<x:service xmlns:x="{XRD}" xmlns:i="{ID}" i:objectType="SERVICE">'
        "<i:xRoadInstance>KG</i:xRoadInstance><i:memberClass>GOV</i:memberClass>"
        "<i:memberCode>70000001</i:memberCode><i:subsystemCode>makul</i:subsystemCode>"
        f"<i:serviceCode>{service}</i:serviceCode><i:serviceVersion>v1</i:serviceVersion></x:service>"
        f'<x:id xmlns:x="{XRD}">{request_id}</x:id>'
        f'<x:protocolVersion xmlns:x="{XRD}">{version}</x:protocolVersion>'
        f"{more}"
    )


def assert_typed_fault(response: Response) -> None:
    """Assert that a fault is XML with the published detail, and nothing else
    (docs/recipients.md).
    """
    assert response.headers["Content-Type"].startswith(("text/xml", "application/soap+xml"))
    assert b"<html" not in response.body.lower()
    assert int(response.headers["Content-Length"]) == len(response.body)
    detail = response.root.find(f".//{{{T}}}Fault")
    assert detail is not None
    schema = _types_schema()
    assert schema.validate(detail), schema.error_log


@cache
def _types_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(makul_schemas.location() / "types.xsd"))
