"""The only table from errors to SOAP faults.

A fault answers a message that could not be understood, authenticated or processed. A decision,
including a refusal, is a normal answer (docs/recipients.md). Every fault, in each SOAP version,
carries `{urn:makul:types:1}Fault` in its detail. No fault contains a value of the request.
"""

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape

from makul.app.ports import RejectedError, SignerUnavailableError, StoreUnavailableError
from makul.domain.reason_texts import Text, find_text, with_expectation
from makul.domain.reasons import Code, Reason, Side
from makul.net.supervision import trace
from makul.soap.spyne_setup import Fault as SpyneFault
from makul.soap.versions import SOAP_12, Reply, SoapVersion, envelope

log = logging.getLogger(__name__)

_TYPES: Final = "urn:makul:types:1"
_FIELD_NAME: Final = re.compile(r"[A-Za-z_][0-9A-Za-z_.\-]{0,63}", re.ASCII)
_REQUEST_ID_UNSAFE: Final = re.compile(
    rb"<(?:[A-Za-z_][\w.\-]{0,63}:)?requestId(?:\s[^<>]{0,512})?>\s{0,64}"
    rb"(?:<!\[CDATA\[\s{0,64})?"
    rb"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\s{0,64}(?:\]\]>\s{0,64})?</"
)
_REFERENCE_BYTES: Final = 8  # 64 random bits: enough to find one log line, without meaning


class FaultCode(Enum):
    """The side at fault: SOAP 1.1, section 4.4.1, and SOAP 1.2 part 1, section 5.4.6."""

    SENDER = ("Client", "Sender")
    RECEIVER = ("Server", "Receiver")
    VERSION_MISMATCH = ("VersionMismatch", "VersionMismatch")
    MUST_UNDERSTAND = ("MustUnderstand", "MustUnderstand")

    def in_version(self, version: SoapVersion) -> str:
        """Return the local name of the code in this version of SOAP."""
        return self.value[1] if version is SOAP_12 else self.value[0]


class EnvelopeError(RejectedError):
    """An error of an envelope that breaks the rules of SOAP."""

    def __init__(self, *reasons: Reason, code: FaultCode) -> None:
        super().__init__(*reasons)
        self.code = code


class HttpError(RejectedError):
    """A refusal of an HTTP request before any part of it is parsed as XML."""

    def __init__(
        self, status: int, *reasons: Reason, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(*reasons)
        self.status = status
        self.headers = headers


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """The contents of a fault."""

    code: FaultCode
    reasons: tuple[Reason, ...]
    request_id: UUID | None = None
    reference: str | None = None
    """The reference of the cause in the log, set if the service itself failed."""
    http_status: int | None = None
    """The status for an error for which HTTP has a status of its own."""
    http_headers: tuple[tuple[str, str], ...] = ()

    def status(self, version: SoapVersion) -> int:
        """Return 500, or 400 in SOAP 1.2 for a sender's error (SOAP 1.2 part 2, table 20)."""
        if self.http_status is not None:
            return self.http_status
        return 400 if version is SOAP_12 and self.code is FaultCode.SENDER else 500


def report(error: BaseException) -> FaultReport:
    """Return the fault for an error. An error that is not listed here is OPS-99."""
    match error:
        case HttpError(reasons=(_, *_)):
            return FaultReport(
                code=FaultCode.SENDER,
                reasons=error.reasons,
                http_status=error.status,
                http_headers=error.headers,
            )
        case EnvelopeError(reasons=(_, *_)):
            return FaultReport(code=error.code, reasons=error.reasons)
        case RejectedError(reasons=(_, *_)):
            return FaultReport(
                code=_fault_code(error.reasons), reasons=error.reasons, request_id=error.request_id
            )
        case StoreUnavailableError() | SignerUnavailableError():
            signer = isinstance(error, SignerUnavailableError)
            return _own_failure(Code.OPS_01 if signer else Code.OPS_03)
        case SpyneFault() if str(error.faultcode).partition(".")[0] == "Client":
            return FaultReport(code=FaultCode.SENDER, reasons=(Reason(code=Code.REQ_01),))
        case _:
            return _own_failure(Code.OPS_99)


def log_fault(error: BaseException, *, during: str) -> FaultReport:
    """Return the fault for an error, and log the trace if the service itself failed."""
    fault = report(error)
    if fault.reference is not None:
        log.error("%s failed, reference %s: %s", during, fault.reference, trace(error))
    return fault


def with_request_id(fault: FaultReport, raw: Callable[[], bytes]) -> FaultReport:
    """Return the fault with the id of the request, if the id could be read.

    The message is unverified and may not even be XML. The first UUID in an element `requestId` is
    used. It helps the sender to find the request, and proves nothing.
    """
    if fault.request_id is not None:
        return fault
    match = _REQUEST_ID_UNSAFE.search(raw())
    return fault if match is None else replace(fault, request_id=UUID(match[1].decode("ascii")))


def _own_failure(code: Code) -> FaultReport:
    return FaultReport(
        code=FaultCode.RECEIVER,
        reasons=(Reason(code=code),),
        reference=secrets.token_hex(_REFERENCE_BYTES),
    )


def _fault_code(reasons: tuple[Reason, ...]) -> FaultCode:
    ours = any(reason.side is Side.OPERATOR for reason in reasons)
    return FaultCode.RECEIVER if ours else FaultCode.SENDER


def reply(
    fault: FaultReport, version: SoapVersion, echoed: bytes = b"", *, status: int | None = None
) -> Reply:
    """Render a fault in the SOAP version of the request.

    `status` replaces the HTTP status of the fault.
    """
    body = _body_12(fault) if version is SOAP_12 else _body_11(fault)
    return Reply(
        status=status or fault.status(version),
        content_type=version.content_type,
        chunks=envelope(version, body.encode(), echoed),
        headers=fault.http_headers,
    )


def _body_11(fault: FaultReport) -> str:
    statement = _statements(fault.reasons[0], fault.reference).en
    return (
        f"<soap:Fault><faultcode>soap:{fault.code.value[0]}</faultcode>"
        f"<faultstring>{escape(statement)}</faultstring>"
        f"<detail>{_detail(fault)}</detail></soap:Fault>"
    )


def _body_12(fault: FaultReport) -> str:
    text = _statements(fault.reasons[0], fault.reference)
    texts = "".join(
        f'<soap:Text xml:lang="{language}">{escape(sentence)}</soap:Text>'
        for language, sentence in (("en", text.en), ("ky", text.ky), ("ru", text.ru))
    )
    return (
        f"<soap:Fault><soap:Code><soap:Value>soap:{fault.code.value[1]}</soap:Value></soap:Code>"
        f"<soap:Reason>{texts}</soap:Reason>"
        f"<soap:Detail>{_detail(fault)}</soap:Detail></soap:Fault>"
    )


def _statements(reason: Reason, reference: str | None) -> Text:
    """Return `CODE: sentence` in each language."""
    text = _add_reference(with_expectation(find_text(reason), reason), reference)
    code = reason.code.value
    return Text(ky=f"{code}: {text.ky}", ru=f"{code}: {text.ru}", en=f"{code}: {text.en}")


def _add_reference(text: Text, reference: str | None) -> Text:
    if reference is None:
        return text
    tail = f" [{reference}]"
    return Text(ky=text.ky + tail, ru=text.ru + tail, en=text.en + tail)


def _detail(fault: FaultReport) -> str:
    reasons = "".join(_reason(reason, fault.reference) for reason in fault.reasons)
    request_id = _element("requestId", str(fault.request_id)) if fault.request_id else ""
    return f'<t:Fault xmlns:t="{_TYPES}">{reasons}{request_id}</t:Fault>'


def _reason(reason: Reason, reference: str | None) -> str:
    """Return `{urn:makul:types:1}Reason`, with its elements in the order of the schema."""
    text = _add_reference(with_expectation(find_text(reason), reason), reference)
    parts = [
        ("code", reason.code.value),
        ("because", reason.because.value if reason.because else None),
        ("clause", reason.clause),
        ("side", None if reason.side is Side.NOBODY else reason.side.value),
        ("retry", reason.retry.value),
        ("retryAfter", None if reason.retry_after is None else str(reason.retry_after)),
        ("field", _published_field(reason.field)),
    ]
    stated = "".join(_element(name, value) for name, value in parts if value is not None)
    texts = _element("ky", text.ky) + _element("ru", text.ru) + _element("en", text.en)
    return f"<t:reason>{stated}<t:text>{texts}</t:text></t:reason>"


def _published_field(field: str | None) -> str | None:
    """Return the field only if it has the form of a name, because another text may be a value."""
    return field if field is not None and _FIELD_NAME.fullmatch(field) else None


def _element(name: str, content: str) -> str:
    return f"<t:{name}>{escape(content)}</t:{name}>"
