"""What is noted of one request while it is answered: never content, never whom it is about.

A request is answered by one thread from its first byte to its last, and its account is that
thread's. The use cases know nothing of it: the ports that they use are wrapped (`timed`).
"""

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Reason

CORRELATION_BYTES = 8
"""64 random bits: enough to find a request's lines, and they say nothing."""


class Stage(StrEnum):
    """Where the time of a request goes."""

    MESSAGE = "message"
    """Proving who sent it: signature, certificate path, registration."""
    GROUNDS = "grounds"
    """Proving who signed its document."""
    MATCHING = "matching"
    """Comparing the probe with a record, or with a decoy."""
    SIGNING = "signing"
    """Signing the receipt, and a sealed delivery."""
    RECORDING = "recording"
    """The recording transaction, its commit included."""


REPLAYED = "REPLAYED"
"""The outcome of a request that got its stored answer: what that said is not read again."""

ANSWERED = "ANSWERED"
"""The outcome of a request that asks for no decision, such as GetStatus."""

FAULT = "FAULT"
"""The outcome of a message that got a SOAP fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSummary:
    """A decision that is on record."""

    outcome: str
    """An `Outcome`, or `REPLAYED`."""
    reasons: tuple[Reason, ...]
    recipient: MemberCode


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """One request, from the guard to its complete answer. Lives in one thread."""

    listener: str
    correlation: str = field(default_factory=lambda: secrets.token_hex(CORRELATION_BYTES))
    """By which its lines are found; told to the client as `X-Request-Id`."""
    seconds: dict[Stage, float] = field(default_factory=dict)
    decided: DecisionSummary | None = None
    operation: str | None = None
    """Once an authenticated message is known to ask for one."""
    request_id: UUID | None = None
    caller: MemberCode | None = None
    """Who sent it, once a channel has proved it; nobody need know them."""
    faults: tuple[str, ...] = ()
    received: int = 0
    """Bytes of the message; 0 where the guard turned it away."""
    sent: int = 0
    status: int = 0
    took: float = 0.0
    """Seconds, until the answer was complete."""

    def add(self, room: Stage, seconds: float) -> None:
        """Some of its time went there."""
        self.seconds[room] = self.seconds.get(room, 0.0) + seconds

    @property
    def outcome(self) -> str:
        """What came of it, in one word of a closed list."""
        if self.faults:
            return FAULT
        return self.decided.outcome if self.decided is not None else ANSWERED

    @property
    def codes(self) -> tuple[str, ...]:
        """Every reason it was given, once each: a fault's, or the decision's."""
        if self.faults or self.decided is None:
            return self.faults
        return tuple(dict.fromkeys(reason.code.value for reason in self.decided.reasons))


_CURRENT: ContextVar[RequestContext | None] = ContextVar("account", default=None)


def current() -> RequestContext | None:
    """The account of the request that this thread answers."""
    return _CURRENT.get()


def opened(account: RequestContext) -> None:
    """From here on, this thread answers that request."""
    _CURRENT.set(account)


def closed() -> None:
    """It is answered."""
    _CURRENT.set(None)
