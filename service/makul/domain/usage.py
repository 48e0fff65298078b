"""Limits on what one recipient uses of the service: requests a minute and bytes a day.

They bound what a recipient at full speed costs others and the record; the Procedure has no number
for them. An agreement may set its own; else the operator's settings hold.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from makul.domain.agreements import Agreement
from makul.domain.reasons import Code, Reason

REQUESTS_A_MINUTE = 600
"""Ten a second for one recipient: a large bank's peak; the service carries some 120 a second."""

BYTES_A_DAY = 4 * 1024**3
"""What is recorded for one recipient in a UTC day: some million decisions, or 50,000 documents."""

DOCUMENTS_A_DAY = 256 * 1024**2
"""Of them, documents and scans: 25 of the largest scans, or a thousand of the largest documents;
refused ones are kept as well, for cl. 12 may need them."""

TOLERATED_REQUESTS = 2
"""Up to so many times the limit, requests are refused on record, with a receipt. Beyond it they are
turned away by a fault and nothing is written, so that a flood does not fill the disk."""

TOLERATED_BYTES = 1.125
"""Likewise of the bytes: a refusal costs some 3 KB, so an eighth holds many of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a recipient used so far: in this minute, and in this UTC day."""

    requests: int = 0
    bytes: int = 0


NO_USE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLimits:
    """What one recipient may use; both at least 1."""

    requests_a_minute: int = REQUESTS_A_MINUTE
    bytes_a_day: int = BYTES_A_DAY

    def under(self, agreement: Agreement | None, *, at: datetime) -> "UsageLimits":
        """Return these limits with those that the agreement sets itself.

        One that is not in force widens nothing: whose agreement is over could else name it to ask
        faster than others.
        """
        if agreement is None:
            return self
        own = UsageLimits(
            requests_a_minute=_own(agreement.requests_a_minute, self.requests_a_minute),
            bytes_a_day=_own(agreement.bytes_a_day, self.bytes_a_day),
        )
        if agreement.covers(at):
            return own
        return UsageLimits(
            requests_a_minute=min(own.requests_a_minute, self.requests_a_minute),
            bytes_a_day=min(own.bytes_a_day, self.bytes_a_day),
        )

    def doubled(self) -> "UsageLimits":
        """Return twice these limits: a subject may revoke a consent although a day is used up."""
        return replace(
            self, requests_a_minute=2 * self.requests_a_minute, bytes_a_day=2 * self.bytes_a_day
        )


DEFAULT_LIMITS = UsageLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A limit that is reached."""

    reason: Reason
    recorded: bool
    """Whether the refusal is a decision on record; if not, the message is turned away."""


def find_excess(usage: Usage, limits: UsageLimits, *, at: datetime) -> Excess | None:
    """Return the limit that is reached (REQ-06); None if the request may be judged.

    `usage` is what was counted before this request. Transactions that run side by side may exceed
    a limit by as many requests as there are workers: a rate is no quota.
    """
    if usage.requests >= limits.requests_a_minute:
        outer = TOLERATED_REQUESTS * limits.requests_a_minute
        return Excess(
            reason=_rate_exceeded("requestsPerMinute", seconds_to_next_minute(at)),
            recorded=usage.requests < outer,
        )
    if usage.bytes >= limits.bytes_a_day:
        outer_bytes = TOLERATED_BYTES * limits.bytes_a_day
        return Excess(
            reason=_rate_exceeded("bytesPerDay", seconds_to_midnight(at)),
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


def _own(agreed: int | None, general: int) -> int:
    return general if agreed is None else agreed


def _rate_exceeded(field: str, retry_after: int) -> Reason:
    return Reason(code=Code.REQ_06, field=field, retry_after=retry_after)
