"""A replacement for the service on loopback: it gives a test's answers, and signs receipts.

It has the operator's side of the contract and makes none of its decisions.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from lxml import etree
from signxml.xades import XAdESSigner

from makul_client._internal.crypto.credentials import Credential

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
RECIPIENT = "urn:makul:recipient:1"
OVERSIGHT = "urn:makul:oversight:1"

MONTH_OPERATIONS = ("GetMonthlyStatement", "ConfirmMonth")
"""The acts of recipients."""

PERSON = (
    f'<person xmlns="{RECIPIENT}"><pin>20101199000001</pin>'
    '<surname><t:ky xmlns:t="urn:makul:types:1">Үлгүлөва</t:ky></surname>'
    "<birthDate>1990-01-01</birthDate></person>"
).encode()
"""A person who does not exist, in exclusive canonical form."""

SALT = b"\7" * 32
"""The salt of a person in the payload digest, which travels with the person."""


@dataclass(frozen=True)
class ReceivedRequest:
    """A request on its arrival."""

    message: bytes

    @property
    def envelope(self) -> Any:
        """Return the SOAP envelope."""
        return etree.fromstring(self.message)

    @property
    def child(self) -> Any:
        """Return the Body's child."""
        return self.envelope.find(f"{{{SOAP}}}Body")[0]

    @property
    def operation(self) -> str:
        """Return its local name."""
        return etree.QName(self.child).localname

    @property
    def namespace(self) -> str:
        """Return its namespace, which is that of the port."""
        return str(etree.QName(self.child).namespace)

    @property
    def is_act(self) -> bool:
        """Return whether it is an act, whose answer names an act and whose receipt no agreement."""
        return self.namespace == OVERSIGHT or self.operation in MONTH_OPERATIONS

    @property
    def digest(self) -> bytes:
        """Return the request's digest, as the contract defines it."""
        return hashlib.sha256(etree.tostring(self.child, method="c14n", exclusive=True)).digest()

    def text(self, name: str) -> str:
        """Return the text of a child, by name."""
        return self.child.findtext(f"{{{self.namespace}}}{name}") or ""


Reply = Callable[[ReceivedRequest], tuple[int, bytes]]


@dataclass
class FakeService:
    """Gives one reply after another; the last is repeated."""

    replies: list[Reply]
    requests: list[ReceivedRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    extra_headers: dict[str, str] = field(default_factory=dict)
    """Headers that every answer has beside the usual ones."""

    def answer(self, message: bytes) -> tuple[int, bytes]:
        """Accept a message and answer it."""
        self.requests.append(ReceivedRequest(message))
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        return reply(self.requests[-1])


@contextmanager
def run_fake_service(*replies: Reply) -> Iterator[FakeService]:
    """Run a fake service on a free port of the loopback interface."""
    service = FakeService(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            service.headers.append(dict(self.headers))
            status, body = service.answer(self.rfile.read(int(self.headers["Content-Length"])))
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in service.extra_headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}/v1/recipient"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def envelope(body: str | bytes) -> bytes:
    """Return a SOAP 1.1 envelope around a body."""
    inner = body.decode() if isinstance(body, bytes) else body
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def reason(
    code: str, *, retry: str = "F", clause: str = "4", retry_after: int | None = None
) -> str:
    """Return a reason in the form of answers and faults."""
    after = f"<t:retryAfter>{retry_after}</t:retryAfter>" if retry_after is not None else ""
    return (
        f"<t:code>{code}</t:code><t:clause>4</t:clause><t:side>R</t:side>"
        f"<t:retry>{retry}</t:retry>{after}"
        f"<t:text><t:ky>{code} кыргызча</t:ky><t:ru>{code} по-русски</t:ru>"
        f"<t:en>{code} in English</t:en></t:text>"
    )


def fault(code: str, *, retry: str = "F", retry_after: int | None = None) -> Reply:
    """Return a typed fault."""
    reason_xml = reason(code, retry=retry, retry_after=retry_after)
    body = (
        "<s:Fault><faultcode>s:Client</faultcode>"
        f"<faultstring>{code}: {code} in English</faultstring>"
        f'<detail><t:Fault xmlns:t="urn:makul:types:1"><t:reason>{reason_xml}</t:reason></t:Fault>'
        "</detail></s:Fault>"
    )
    return lambda _: (500, envelope(body))


def hang_up(_: ReceivedRequest) -> tuple[int, bytes]:
    """Close the connection without an answer."""
    return 0, b""


def status(code: int, body: bytes = b"<html>no</html>") -> Reply:
    """Return a bare HTTP status, like a proxy's."""
    return lambda _: (code, body)


def answer(operation: str, content: str) -> Reply:
    """Return an answer that is no decision."""

    def reply(request: ReceivedRequest) -> tuple[int, bytes]:
        return 200, envelope(
            f'<{operation}Response xmlns="{request.namespace}" xmlns:t="urn:makul:types:1">'
            f"<requestId>{request.text('requestId')}</requestId>{content}</{operation}Response>"
        )

    return reply


@dataclass(frozen=True)
class FakeOperator:
    """Signs receipts, by default genuine ones."""

    credential: Credential
    at: datetime
    code: str = "GOV/70000001"
    recipient: str = "COM/60000001"

    def decide(
        self,
        outcome: str,
        *,
        codes: tuple[str, ...] = (),
        retry: str = "F",
        person: bytes | None = None,
        content: str = "",
        in_answer: dict[str, Any] | None = None,
        in_receipt: dict[str, Any] | None = None,
        signed: Callable[[bytes], bytes] = lambda receipt: receipt,
        on_its_way: Callable[[bytes], bytes] = lambda answer: answer,
    ) -> Reply:
        """Return a decision.

        `in_answer` and `in_receipt` make an operator that states two things, and signs both;
        `signed` changes the receipt, and `on_its_way` the answer in transit.
        """

        def reply(request: ReceivedRequest) -> tuple[int, bytes]:
            facts: dict[str, Any] = {
                "id": str(uuid4()),
                "outcome": outcome,
                "codes": codes,
                "person": person,
                "at": self.at,
            }
            decision = {**facts, **(in_answer or {})}
            reasons = "".join(
                f"<reason>{reason(c, retry=retry)}</reason>" for c in decision["codes"]
            )
            data = (
                ""
                if decision["person"] is None
                else f"{decision['person'].decode()}<payloadSalt>{_b64(SALT)}</payloadSalt>"
            )
            id_name = "actId" if request.is_act else "disclosureId"
            before = (
                f"<outcome>{decision['outcome']}</outcome>{reasons}"
                f"<{id_name}>{decision['id']}</{id_name}>"
                f"<decidedAt>{_instant(decision['at'])}</decidedAt>{data}{content}"
            )
            _, bare = answer(request.operation, before)(request)
            facts["answer"] = answer_digest(bare)
            receipt = signed(self.receipt(request, **{**facts, **(in_receipt or {})}))
            status, whole = answer(
                request.operation, f"{before}<receipt>{_b64(receipt)}</receipt>"
            )(request)
            return status, on_its_way(whole)

        return reply

    def receipt(self, request: ReceivedRequest, **facts: Any) -> bytes:
        """Return a signed receipt of a request."""
        person = facts["person"]
        names = (
            [] if person is None else [etree.QName(e).localname for e in etree.fromstring(person)]
        )
        payload = b"" if person is None else hashlib.sha256(SALT + person).digest()
        document = request.child.find(".//{urn:makul:recipient:1}consentDocument")
        content = [
            ("receiptId", facts["id"]),
            ("requestId", facts.get("request_id", request.text("requestId"))),
            ("requestDigest", _b64(facts.get("digest", request.digest))),
            ("operation", facts.get("operation", request.operation)),
            ("recipient", facts.get("recipient", self.recipient)),
            *_agreement(request, facts),
            ("outcome", facts["outcome"]),
            *((("reason", [("code", code)])) for code in facts["codes"]),
            *(("attribute", name) for name in facts.get("released", names)),
        ]
        if payload:
            content.append(("payloadDigest", _b64(facts.get("payload", payload))))
        if facts.get("salt") is not None:
            content.append(("payloadSalt", _b64(facts["salt"])))
        if facts.get("answer") is not None:
            content.append(("answerDigest", _b64(facts["answer"])))
        if document is not None:
            digest = hashlib.sha256(base64.b64decode(document.text)).digest()
            ground = [
                ("kind", "CONSENT"),
                ("id", str(uuid4())),
                ("digest", _b64(facts.get("ground", digest))),
            ]
            content.append(("ground", ground))
        content += [
            ("decidedAt", _instant(facts["at"])),
            ("leafHash", _b64(facts.get("leaf", b"\1" * 32))),
            ("operator", facts.get("operator", self.code)),
        ]
        root = etree.fromstring(b'<Receipt xmlns="urn:makul:receipt:1" Id="receipt"/>')
        _build(root, content)
        return self.sign(root)

    def sign(self, root: Any) -> bytes:
        """Sign a receipt's root as XAdES-B."""
        signer = XAdESSigner(signature_algorithm=self.credential.method)
        signed = signer.sign(root, key=self.credential.key, cert=[self.credential.certificate])
        return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


def answer_digest(message: bytes) -> bytes:
    """Return the digest of an answer that has no receipt yet, as the contract defines it."""
    parser = etree.XMLParser(huge_tree=True)
    child = etree.fromstring(message, parser).find(f"{{{SOAP}}}Body")[0]
    return hashlib.sha256(etree.tostring(child, method="c14n", exclusive=True)).digest()


def _agreement(request: ReceivedRequest, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the agreement of a receipt. The receipt of an act has none."""
    if request.is_act:
        return []
    return [("agreementNumber", facts.get("agreement", request.text("agreementNumber")))]


def _build(parent: Any, content: list[tuple[str, Any]]) -> None:
    for name, value in content:
        child = etree.SubElement(parent, f"{{urn:makul:receipt:1}}{name}")
        if isinstance(value, list):
            _build(child, value)
        else:
            child.text = value


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
