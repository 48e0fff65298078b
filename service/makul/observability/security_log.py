"""Emits security events as lines that a SIEM accepts without translation.

The format is ECS rather than OCSF. The fields of ECS are flat names that every SIEM's shippers know
and a grep finds. The classes of OCSF need objects (`actor`, `api`, `src_endpoint`) that must stay
empty here.
"""

import logging
from types import MappingProxyType
from typing import Any, Final

from makul.domain.identifiers import MalformedIdentifierError, MemberCode, Pin
from makul.domain.reasons import Code
from makul.observability.request_context import RequestContext
from makul.observability.security_events import BY_REASON, CAUSES, Event, Severity

LOGGER: Final = "makul.security"

_log = logging.getLogger(LOGGER)
_LEVELS: Final = MappingProxyType(
    {
        Severity.LOW: logging.INFO,
        Severity.MEDIUM: logging.WARNING,
        Severity.HIGH: logging.ERROR,
        Severity.CRITICAL: logging.CRITICAL,
    }
)


def emit_security_event(
    event: Event,
    *,
    recipient: MemberCode | None = None,
    reasons: tuple[str, ...] = (),
    correlation: str | None = None,
    listener: str | None = None,
    user: str | None = None,
) -> None:
    """Emit one event. `user` is the operator's system user, as the audit log names it."""
    entry = event.value
    fields: dict[str, Any] = {
        "event.kind": "alert" if entry.severity >= Severity.HIGH else "event",
        "event.code": entry.code,
        "event.action": entry.action,
        "event.severity": int(entry.severity),
        "event.category": [entry.category],
        "event.type": [entry.kind],
        "event.outcome": entry.outcome,
    }
    optional = {
        "event.reason": " ".join(reasons) or None,
        "organization.id": None if recipient is None else redact_member_code(recipient),
        "trace.id": correlation,
        "service.node.name": listener,
        "user.name": user,
    }
    fields |= {name: value for name, value in optional.items() if value is not None}
    _log.log(_LEVELS[entry.severity], entry.meaning, extra={"ecs": fields})


def redact_member_code(code: MemberCode) -> str:
    """Return a member code for logs, masked if it may hold a natural person's PIN (cl. 3, e)."""
    group, _, number = code.partition("/")
    try:
        return f"{group}/{Pin(number).masked}"
    except MalformedIdentifierError:
        return code


def emit_request_events(context: RequestContext) -> None:
    """Emit the events of one request, each kind once."""
    for event, reasons in group_reasons_by_event(context).items():
        emit_security_event(
            event,
            recipient=context.decided.recipient if context.decided else context.caller,
            reasons=tuple(reasons),
            correlation=context.correlation,
            listener=context.listener,
        )


def group_reasons_by_event(context: RequestContext) -> dict[Event, list[str]]:
    """Return the kinds of event that a request caused, each with its reasons.

    The failure of a document (CNS-02, LAW-09) also counts by its cause if that is one of `CAUSES`.
    SIG-06 under it is still a revoked certificate.
    """
    pairs = [(BY_REASON.get(Code(code)), code) for code in context.codes]
    if context.decided is not None and not context.faults:
        causes = [reason.because for reason in context.decided.reasons if reason.because]
        pairs += [(BY_REASON[code], code.value) for code in causes if BY_REASON.get(code) in CAUSES]
    codes_by_event: dict[Event, list[str]] = {}
    for event, code in dict.fromkeys(pairs):
        if event is not None:
            codes_by_event.setdefault(event, []).append(code)
    return codes_by_event
