"""Limits on how much one recipient may use the service: requests a minute and bytes a day.

They bound the cost of a recipient at full speed for others and for the record. The Procedure gives
no number. An agreement may set its own limits; otherwise the operator's settings apply.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from makul.domain.agreements import Agreement
from makul.domain.reasons import Code, Reason

REQUESTS_A_MINUTE = 600
"""Requests allowed in a minute: ten a second for one recipient, a large bank's peak.

The service processes some 120 a second.
"""

BYTES_A_DAY = 4 * 1024**3
"""Bytes recorded for one recipient in a UTC day: some million decisions, or 50,000 documents."""

DOCUMENTS_A_DAY = 256 * 1024**2
"""Part of these bytes for documents and scans.

It holds 25 of the largest scans or a thousand of the largest documents. Refused documents are kept
as well, because cl. 12 may need them.
"""

TOLERATED_REQUESTS = 2
"""Multiple of the request limit up to which refusals are recorded, with a receipt.

Beyond it, requests are rejected by a fault and nothing is written, so that a flood does not fill
the disk.
"""

TOLERATED_BYTES = 1.125
"""Multiple of the byte limit up to which refusals are recorded, with a receipt.

A refusal costs some 3 KB, so an eighth of the limit holds many of them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A recipient's usage so far: requests in this minute, bytes in this UTC day."""

    requests: int = 0
    bytes: int = 0


NO_USE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLimits:
    """The limits of one recipient; both are at least 1."""

    requests_a_minute: int = REQUESTS_A_MINUTE
    bytes_a_day: int = BYTES_A_DAY

    def under(self, agreement: Agreement | None, *, at: datetime) -> "UsageLimits":
        """Return these limits with those that the agreement sets itself.

        An agreement that is not in force raises no limit. Otherwise a recipient could name an
        expired agreement to send faster than others.
        """
        if agreement is None:
            return self
        own = UsageLimits(
            requests_a_minute=_agreed_limit(agreement.requests_a_minute, self.requests_a_minute),
            bytes_a_day=_agreed_limit(agreement.bytes_a_day, self.bytes_a_day),
        )
        if agreement.covers(at):
            return own
        return UsageLimits(
            requests_a_minute=min(own.requests_a_minute, self.requests_a_minute),
            bytes_a_day=min(own.bytes_a_day, self.bytes_a_day),
        )

    def doubled(self) -> "UsageLimits":
        """Return twice these limits, so that a consent can be revoked although a day is used up."""
        return replace(
            self, requests_a_minute=2 * self.requests_a_minute, bytes_a_day=2 * self.bytes_a_day
        )


DEFAULT_LIMITS = UsageLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A limit that is reached."""

    reason: Reason
    recorded: bool
    """True if the refusal is a recorded decision; otherwise the message is rejected by a fault."""


def find_excess(usage: Usage, limits: UsageLimits, *, at: datetime) -> Excess | None:
    """Return the limit that is reached (REQ-06); None if the request may be judged.

    `usage` is the count before this request. Concurrent transactions may exceed a limit by as many
    requests as there are workers, because a rate limit is not an exact quota.
    """
    if usage.requests >= limits.requests_a_minute:
        outer = TOLERATED_REQUESTS * limits.requests_a_minute
        return Excess(
            reason=_rate_reason("requestsPerMinute", seconds_to_next_minute(at)),
            recorded=usage.requests < outer,
        )
    if usage.bytes >= limits.bytes_a_day:
        outer_bytes = TOLERATED_BYTES * limits.bytes_a_day
        return Excess(
            reason=_rate_reason("bytesPerDay", seconds_to_midnight(at)),
            recorded=usage.bytes < outer_bytes,
        )
    return None


def seconds_to_next_minute(at: datetime) -> int:
    """Return the whole seconds until the next minute begins: 1 to 60."""
    return 60 - at.second


def seconds_to_midnight(at: datetime) -> int:
    """Return the whole seconds until the next UTC day, rounded up."""
    now = at.astimezone(UTC)
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    return -((now - midnight) // timedelta(seconds=1))


def _agreed_limit(agreed: int | None, general: int) -> int:
    return general if agreed is None else agreed


def _rate_reason(field: str, retry_after: int) -> Reason:
    return Reason(code=Code.REQ_06, field=field, retry_after=retry_after)
