"""The context of one request while it is answered: never content, never the subject.

One thread answers a request from its first byte to its last, and the context belongs to that
thread. The use cases do not know it, because their ports are wrapped (`instrumented_ports`).
"""

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Reason

CORRELATION_BYTES = 8
"""64 random bits: enough to find the lines of a request, without meaning."""


class Stage(StrEnum):
    """The stages in which a request spends time."""

    MESSAGE = "message"
    """Authentication of the sender: signature, certificate path, registration."""
    GROUNDS = "grounds"
    """Verification of the signer of its document."""
    MATCHING = "matching"
    """Comparison of the probe with a record, or with a decoy."""
    SIGNING = "signing"
    """Signing of the receipt, and of an encrypted delivery."""
    RECORDING = "recording"
    """The recording transaction, including its commit."""


REPLAYED = "REPLAYED"
"""The outcome of a request that got its stored answer, which is not parsed again."""

ANSWERED = "ANSWERED"
"""The outcome of a request for no decision, such as GetStatus."""

FAULT = "FAULT"
"""The outcome of a message that got a SOAP fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSummary:
    """A decision that is recorded."""

    outcome: str
    """An `Outcome`, or `REPLAYED`."""
    reasons: tuple[Reason, ...]
    recipient: MemberCode


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """One request, from the guard to its complete answer. It lives in one thread."""

    listener: str
    correlation: str = field(default_factory=lambda: secrets.token_hex(CORRELATION_BYTES))
    """The id of its log lines, which the client receives as `X-Request-Id`."""
    seconds: dict[Stage, float] = field(default_factory=dict)
    decided: DecisionSummary | None = None
    operation: str | None = None
    """The operation, set once an authenticated message is known to request it."""
    request_id: UUID | None = None
    caller: MemberCode | None = None
    """The sender, set once a channel has authenticated it; it may be unregistered."""
    faults: tuple[str, ...] = ()
    received: int = 0
    """Bytes of the message; 0 if the guard refused it."""
    sent: int = 0
    status: int = 0
    took: float = 0.0
    """Seconds until the answer was complete."""

    def add(self, stage: Stage, seconds: float) -> None:
        """Add time that the request spent in a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @property
    def outcome(self) -> str:
        """The outcome, from a closed list."""
        if self.faults:
            return FAULT
        return self.decided.outcome if self.decided is not None else ANSWERED

    @property
    def codes(self) -> tuple[str, ...]:
        """Every reason of the fault or the decision, each once."""
        if self.faults or self.decided is None:
            return self.faults
        return tuple(dict.fromkeys(reason.code.value for reason in self.decided.reasons))


_CURRENT: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current() -> RequestContext | None:
    """Return the context of the request that this thread answers."""
    return _CURRENT.get()


def activate(context: RequestContext) -> None:
    """Make this context the one of the request that this thread answers."""
    _CURRENT.set(context)


def clear() -> None:
    """Remove the context after the request was answered."""
    _CURRENT.set(None)
