"""The REST service of a state's data tracker, beside the SOAP operations of the subject port.

`GET /v2/findUsage` over X-Road REST (X-Road: Message Protocol for REST 1.0) or by mutual TLS.
Errors are JSON with the reason. A query contains a PIN, so it is never logged.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote
from uuid import UUID, uuid4
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from makul.app.find_usage import MAX_USAGES, UsageQuery
from makul.app.ports import Caller, Clock, RejectedError
from makul.domain.agreements import Channel
from makul.domain.calendar import BISHKEK, is_usual_year
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, Pin, parse_member_code
from makul.domain.reasons import Code, Reason
from makul.soap import faults
from makul.soap.channels import MAX_EMPLOYEE
from makul.soap.mtls import MtlsChannel
from makul.soap.transport_metadata import FRONT_HEADER, Arrival
from makul.soap.versions import Reply

PREFIX: Final = "/v2/"
MAX_QUERY: Final = 512
"""Characters of a query. All parameters together take some 150."""
MAX_HEADER: Final = 255
MAX_OFFSET: Final = 100_000

_PARAMETERS: Final = frozenset({"userCode", "periodStart", "periodEnd", "offset", "limit"})
_NUMBER: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_STATUS: Final = {
    Code.REQ_01: 400,
    Code.REQ_06: 429,
    Code.OVR_01: 403,
    Code.RCP_01: 403,
    Code.RCP_04: 403,
}
"""The HTTP status of an error; 503 if it passes by itself, and otherwise 403."""


class Authenticate(Protocol):
    """A way to identify the caller of a REST request."""

    def __call__(self, environ: WSGIEnvironment, *, at: datetime) -> Caller:
        """Return the caller. Raises `RejectedError`."""


@dataclass(frozen=True, slots=True)
class XRoadRestCaller:
    """The caller behind the operator's security server, by `X-Road-Client`."""

    instance: str

    def __call__(self, environ: WSGIEnvironment, *, at: datetime) -> Caller:  # noqa: ARG002
        """Return the member that the header names. Raises `RejectedError` (REQ-01, RCP-01)."""
        parts = [unquote(part) for part in _header(environ, "X-Road-Client").split("/")]
        if len(parts) not in (3, 4) or not all(parts):
            raise _error("X-Road-Client")
        if parts[0] != self.instance:
            raise RejectedError(Reason(code=Code.RCP_01, field="X-Road-Client"))
        return Caller(
            recipient=_member(f"{parts[1]}/{parts[2]}"),
            channel=Channel.XROAD,
            subsystem=parts[3] if len(parts) == 4 else None,
            employee=_header(environ, "X-Road-UserId")[:MAX_EMPLOYEE] or None,
        )


@dataclass(frozen=True, slots=True)
class MtlsRestCaller:
    """The caller by the certificate of the TLS connection."""

    channel: MtlsChannel

    def __call__(self, environ: WSGIEnvironment, *, at: datetime) -> Caller:
        """Return the holder of the connection's key. Raises `RejectedError` (SIG-*, RCP-04)."""
        return self.channel.identify(Arrival.of(environ), at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTracker:
    """A WSGI application that answers the tracker and passes everything else on."""

    soap: WSGIApplication
    find: Callable[[UsageQuery, Caller], bytes]
    first_record: Callable[[], datetime | None]
    authenticate: Authenticate
    clock: Clock
    secret: bytes | None = field(default=None, repr=False)
    """The secret of the front; None if the front is identified otherwise."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not str(environ.get("PATH_INFO", "")).startswith(PREFIX):
            return self.soap(environ, start_response)
        reply = self._reply(environ)
        length = sum(len(chunk) for chunk in reply.chunks)
        start_response(
            reply.status_line,
            [
                ("Content-Type", reply.content_type),
                ("Content-Length", str(length)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                *reply.headers,
            ],
        )
        return reply.chunks

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        try:
            return self._answer(environ)
        except Exception as error:  # noqa: BLE001 - nothing may pass: the fault table knows the rest
            report = faults.log_fault(error, during="tracker")
            return _error_reply(report.reasons)

    def _answer(self, environ: WSGIEnvironment) -> Reply:
        path = str(environ.get("PATH_INFO", "")).removeprefix(PREFIX)
        if environ.get("REQUEST_METHOD") != "GET":
            return _json(405, {"error": "only GET"}, (("Allow", "GET"),))
        if path == "heartbeat":
            return _json(200, {"status": "OK"})
        if path not in ("findUsage", "usagePeriod"):
            return _json(404, {"error": "no such service"})
        at = self.clock()
        caller = self._identify(environ, at=at)
        if path == "usagePeriod":
            first = self.first_record()
            period = {"periodStart": _instant(first or at), "periodEnd": _instant(at)}
            return _json(200, period)
        query = _read_query(environ)
        return Reply(
            status=200,
            content_type="application/json; charset=utf-8",
            chunks=(self.find(query, caller),),
        )

    def _identify(self, environ: WSGIEnvironment, *, at: datetime) -> Caller:
        if self.secret is not None:
            proof = (Arrival.of(environ).front_proof or "").encode("utf-8", "replace")
            if not hmac.compare_digest(proof, self.secret):
                raise RejectedError(Reason(code=Code.RCP_04, field=FRONT_HEADER))
        return self.authenticate(environ, at=at)


def _read_query(environ: WSGIEnvironment) -> UsageQuery:
    """Return the query. Raises `RejectedError` (REQ-01), which names the parameter."""
    text = str(environ.get("QUERY_STRING", ""))
    if len(text) > MAX_QUERY:
        raise _error("query")
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=None)
    given = dict(pairs)
    if len(given) != len(pairs) or not given.keys() <= _PARAMETERS:
        raise _error("query")
    represented = _header(environ, "X-Road-Represented-Party")
    request_id = _header(environ, "X-Road-Id")
    limit = _number(given, "limit", MAX_USAGES)
    if not 1 <= limit <= MAX_USAGES:
        raise _error("limit")
    offset = _number(given, "offset", 0)
    if offset > MAX_OFFSET:
        raise _error("offset")
    return UsageQuery(
        request_id=UUID(request_id) if _UUID.fullmatch(request_id) else uuid4(),
        user=_pin(given),
        start=_moment(given, "periodStart", ends=False),
        end=_moment(given, "periodEnd", ends=True),
        offset=offset,
        limit=limit,
        represented=_member("/".join(represented.split("/")[-2:])) if represented else None,
    )


def _pin(given: Mapping[str, str]) -> Pin:
    try:
        return Pin(given.get("userCode", "").removeprefix("KG"))
    except MalformedIdentifierError:
        raise _error("userCode") from None


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise _error(name)
    return int(text)


def _moment(given: Mapping[str, str], name: str, *, ends: bool) -> datetime | None:
    """Return an instant. A day is one of Bishkek; as the end of a period it is the day after."""
    text = given.get(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            begins = datetime(day.year, day.month, day.day, tzinfo=BISHKEK)
            moment = begins + timedelta(days=1) if ends else begins
        elif _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
        else:
            raise _error(name)
        if not is_usual_year(moment.year):
            raise _error(name)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _error(name) from None


def _member(text: str) -> MemberCode:
    try:
        return parse_member_code(text)
    except MalformedIdentifierError:
        raise _error("memberCode") from None


def _header(environ: WSGIEnvironment, name: str) -> str:
    value = str(environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))
    if len(value) > MAX_HEADER:
        raise _error(name)
    return value


def _error(name: str) -> RejectedError:
    return RejectedError(Reason(code=Code.REQ_01, field=name))


def _error_reply(reasons: tuple[Reason, ...]) -> Reply:
    first = reasons[0] if reasons else Reason(code=Code.OPS_99)
    status = _STATUS.get(first.code, 503 if first.code.value.startswith("OPS") else 403)
    listed = [
        {"code": reason.code.value, "clause": reason.clause, "field": reason.field}
        for reason in reasons
    ]
    return _json(status, {"reasons": listed})


def _json(
    status: int, content: Mapping[str, object], headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    return Reply(
        status=status,
        content_type="application/json; charset=utf-8",
        chunks=(json.dumps(content).encode() + b"\n",),
        headers=headers,
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
