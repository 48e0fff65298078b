"""The closed catalogue of security events for a monitoring centre (SIEM).

An event says what was attempted or done, never about whom. Its code is stable, because rules in a
SIEM depend on it. The terms are those of the Elastic Common Schema (ECS 8.17).
docs/operating/events.md lists all events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Final

from makul.domain.reasons import Code


class Severity(IntEnum):
    """ECS `event.severity`, in the four steps that Elastic's rules use."""

    LOW = 21
    MEDIUM = 47
    HIGH = 73
    CRITICAL = 99


@dataclass(frozen=True, slots=True)
class EventDescription:
    """The catalogue entry of one kind of event."""

    code: str
    action: str
    """ECS `event.action`."""
    severity: Severity
    category: str
    """ECS `event.category`, one of its allowed values."""
    kind: str
    """ECS `event.type`, one of those that the category allows."""
    outcome: str
    """ECS `event.outcome`."""
    meaning: str
    reasons: tuple[Code, ...] = ()
    """The reasons of an answer or a fault that cause the event."""


def _entry(
    code: str,
    action: str,
    severity: Severity,
    shape: tuple[str, str, str],
    meaning: str,
    *reasons: Code,
) -> EventDescription:
    return EventDescription(code, action, severity, *shape, meaning, reasons)


_REFUSED: Final = ("authentication", "start", "failure")
_HOSTILE: Final = ("intrusion_detection", "denied", "failure")
_BEYOND: Final = ("api", "denied", "failure")
_LOOKED: Final = ("database", "access", "success")
_OVERSEEN: Final = ("api", "allowed", "success")
_CHANGED: Final = ("configuration", "change", "success")
_UNCHANGED: Final = ("configuration", "info", "failure")
_BROKEN: Final = ("host", "info", "failure")

_LOW, _MEDIUM, _HIGH, _CRITICAL = Severity


class Event(Enum):
    """Every kind of security event."""

    # The sender could not be authenticated.
    AUTHENTICATION_FAILED = _entry(
        "MKL-101", "authentication-failed", _MEDIUM, _REFUSED,
        "The sender of a message or a TLS client was not authenticated",
        Code.SIG_01, Code.SIG_02, Code.SIG_04, Code.SIG_05, Code.SIG_08, Code.SIG_09, Code.SIG_10,
        Code.RCP_04,
    )  # fmt: skip
    WRAPPING_SUSPECTED = _entry(
        "MKL-102", "wrapping-suspected", _HIGH, _HOSTILE,
        "What was signed is not what was sent: signature wrapping, or a broken client", Code.SIG_03,
    )  # fmt: skip
    MESSAGE_REPLAYED = _entry(
        "MKL-103", "message-replayed", _HIGH, _HOSTILE,
        "A signed message was received a second time", Code.REQ_09,
    )  # fmt: skip
    REVOKED_CERTIFICATE = _entry(
        "MKL-104", "revoked-certificate-used", _HIGH, _REFUSED,
        "A message or document was signed with a revoked certificate", Code.SIG_06,
    )  # fmt: skip
    STRANGER_ASKED = _entry(
        "MKL-105", "stranger-asked", _MEDIUM, _REFUSED,
        "An authenticated sender is not a registered recipient", Code.RCP_01,
    )  # fmt: skip
    STALE_MESSAGE = _entry(
        "MKL-106", "stale-message", _LOW, _REFUSED,
        "A message's time is in the past or in the future: a wrong clock, or an old message",
        Code.REQ_03,
    )  # fmt: skip
    FORBIDDEN_MESSAGE = _entry(
        "MKL-107", "forbidden-message", _MEDIUM, _HOSTILE,
        "A message was too large, or had forbidden XML or HTTP", Code.REQ_07,
    )  # fmt: skip
    REVOCATION_UNKNOWN = _entry(
        "MKL-108", "revocation-unknown", _MEDIUM, _REFUSED,
        "The revocation status of a certificate could not be determined; nothing was disclosed",
        Code.SIG_07,
    )  # fmt: skip

    # A known recipient requested what it may not have.
    STOPPED_RECIPIENT = _entry(
        "MKL-201", "stopped-recipient-asked", _HIGH, _BEYOND,
        "A recipient that is on hold or cut off sent a request", Code.RCP_02, Code.RCP_03,
    )  # fmt: skip
    BEYOND_AGREEMENT = _entry(
        "MKL-202", "beyond-agreement", _MEDIUM, _BEYOND,
        "A recipient requested more than its agreement or powers allow",
        Code.AGR_01, Code.AGR_02, Code.AGR_03, Code.AGR_04, Code.AGR_05, Code.AGR_07,
        Code.REQ_08, Code.RCP_05, Code.LAW_02, Code.LAW_04,
    )  # fmt: skip
    QUOTA_SPENT = _entry(
        "MKL-203", "quota-spent", _LOW, _BEYOND,
        "A quota of the agreement, of the day or of a ground is used up",
        Code.AGR_06, Code.REQ_06, Code.CNS_06, Code.LAW_08,
    )  # fmt: skip
    ATTEMPTS_EXHAUSTED = _entry(
        "MKL-204", "attempts-exhausted", _HIGH, _BEYOND,
        "Too many failed matches: somebody may be guessing", Code.MAT_06,
    )  # fmt: skip
    REQUEST_ID_REUSED = _entry(
        "MKL-205", "request-id-reused", _LOW, _BEYOND,
        "A request id was reused for another request", Code.REQ_04,
    )  # fmt: skip
    DOCUMENT_UNPROVED = _entry(
        "MKL-206", "document-unproved", _MEDIUM, _BEYOND,
        "The signature, notice or attachments of a consent or basis statement are not valid",
        Code.CNS_02, Code.CNS_10, Code.CNS_11, Code.CNS_12, Code.CNS_13, Code.LAW_09,
    )  # fmt: skip
    DOCUMENT_MISUSED = _entry(
        "MKL-207", "document-misused", _MEDIUM, _BEYOND,
        "A document is for another recipient, subject, agreement or purpose, or is exceeded",
        Code.CNS_07, Code.CNS_08, Code.CNS_09, Code.CNS_14, Code.CNS_15, Code.CNS_16, Code.LAW_05,
        Code.LAW_06,
    )  # fmt: skip
    REVOKED_CONSENT = _entry(
        "MKL-208", "revoked-consent-used", _MEDIUM, _BEYOND,
        "A revoked consent was presented", Code.CNS_05,
    )  # fmt: skip
    BEYOND_OFFICE = _entry(
        "MKL-209", "beyond-office", _MEDIUM, _BEYOND,
        "An officer requested an act of another role, or alone an act of two officers",
        Code.OVR_01, Code.OVR_05,
    )  # fmt: skip
    CITIZEN_UNPROVED = _entry(
        "MKL-210", "citizen-unproved", _MEDIUM, _BEYOND,
        "A portal acted for a citizen whose login or signature is not valid for the request",
        Code.SUB_01, Code.SUB_03,
    )  # fmt: skip

    # Acts of the operator (cl. 13 and 16) and of the supervising bodies (cl. 11 and 12).
    PERSON_SHOWN = _entry(
        "MKL-301", "person-shown", _MEDIUM, _LOOKED, "An operator read a person's record"
    )
    EVIDENCE_SHOWN = _entry(
        "MKL-302", "evidence-shown", _MEDIUM, _LOOKED, "An operator read a decision's evidence"
    )
    PERSONS_CHANGED = _entry(
        "MKL-303", "persons-changed", _LOW, _CHANGED, "Persons' records were imported or replaced"
    )
    RECIPIENT_CHANGED = _entry(
        "MKL-304", "recipient-changed", _MEDIUM, _CHANGED, "A recipient was added, held or released"
    )
    CERTIFICATE_CHANGED = _entry(
        "MKL-305", "certificate-changed", _MEDIUM, _CHANGED,
        "A certificate of a recipient, official, signatory or officer was registered or withdrawn",
    )  # fmt: skip
    AGREEMENT_CHANGED = _entry(
        "MKL-306", "agreement-changed", _MEDIUM, _CHANGED,
        "An agreement or notice was drawn up, signed, approved or ended",
    )  # fmt: skip
    KEY_COMPROMISED = _entry(
        "MKL-307", "key-compromised", _CRITICAL, _CHANGED,
        "A receipt key was marked as compromised",
    )  # fmt: skip
    RECORD_EXPORTED = _entry(
        "MKL-308",
        "record-exported",
        _MEDIUM,
        _LOOKED,
        "An operator exported decisions, stated a month, or built a case",
    )
    MONTH_CHANGED = _entry(
        "MKL-310", "month-changed", _MEDIUM, _CHANGED,
        "A statement of a month was issued, or a contested line was answered",
    )  # fmt: skip
    GROUND_REVOKED = _entry(
        "MKL-309", "ground-revoked", _MEDIUM, _CHANGED,
        "An operator revoked a consent or basis statement",
    )  # fmt: skip
    CASE_CHANGED = _entry(
        "MKL-312", "case-changed", _MEDIUM, _CHANGED,
        "The evidence file of a case was attached",
    )  # fmt: skip
    OVERSIGHT_ACT = _entry(
        "MKL-311", "oversight-act", _MEDIUM, _OVERSEEN,
        "An officer of a supervising body carried out an act, or read numbers",
    )  # fmt: skip
    BACKUP_MADE = _entry("MKL-314", "backup-made", _LOW, _LOOKED, "The store was copied")
    STORE_RESTORED = _entry(
        "MKL-315", "store-restored", _HIGH, _CHANGED, "A copy of the store was restored"
    )

    # The service itself.
    RELOADED = _entry(
        "MKL-401", "reloaded", _LOW, _CHANGED, "New workers loaded the settings and keys again"
    )
    RELOAD_REFUSED = _entry(
        "MKL-402", "reload-refused", _MEDIUM, _UNCHANGED,
        "New settings could not be used; the old workers continue",
    )  # fmt: skip
    REFRESH_FAILED = _entry(
        "MKL-403",
        "trust-refresh-failed",
        _MEDIUM,
        _BROKEN,
        "New revocation data could not be fetched",
    )
    STORE_FAILED = _entry(
        "MKL-404", "store-failed", _HIGH, _BROKEN,
        "The record could not be reached; nothing was disclosed", Code.OPS_03,
    )  # fmt: skip
    SIGNER_FAILED = _entry(
        "MKL-405", "signer-failed", _HIGH, _BROKEN,
        "Receipts could not be signed; nothing was disclosed", Code.OPS_01,
    )  # fmt: skip
    INTERNAL_ERROR = _entry(
        "MKL-406", "internal-error", _HIGH, _BROKEN,
        "The service failed to answer a request; the reference is in the log", Code.OPS_99,
    )  # fmt: skip
    THREAD_FAILED = _entry(
        "MKL-407", "thread-failed", _HIGH, _BROKEN,
        "A background thread had an unexpected error and continued; the log shows where",
    )  # fmt: skip
    LEDGER_ALARM = _entry(
        "MKL-501", "ledger-alarm", _CRITICAL, _HOSTILE,
        "The ledger does not match its records or its earlier checkpoint",
    )  # fmt: skip


CAUSES: Final = frozenset(
    {Event.WRAPPING_SUSPECTED, Event.REVOKED_CERTIFICATE, Event.REVOCATION_UNKNOWN}
)
"""Events that a document can cause as well as a message.

Any other failed signature of a document is `DOCUMENT_UNPROVED`.
"""

UNEVENTFUL: Final = frozenset(
    {
        *(Code.REQ_01, Code.REQ_02, Code.REQ_05, Code.OPS_02),
        *(Code.CNS_01, Code.CNS_03, Code.CNS_04),
        *(Code.LAW_01, Code.LAW_03, Code.LAW_07),
        *(Code.MAT_01, Code.MAT_02, Code.MAT_03, Code.MAT_04, Code.MAT_05),
        *(Code.REL_01, Code.REL_02),
        *(Code.OVR_02, Code.OVR_03, Code.OVR_04, Code.OVR_06, Code.SUB_02),
    }
)
"""Reasons of everyday work, which cause no event.

Reasons that reveal a person's record (MAT-01, MAT-02, MAT-05) are included on purpose. A reader of
events must not learn whose data are locked or do not match.
"""

BY_REASON: Final[Mapping[Code, Event]] = MappingProxyType(
    {code: event for event in Event for code in event.value.reasons}
)
