"""Ports that authenticate a caller, and the error that rejects a message."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.domain.agreements import Channel
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Reason

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


class Clock(Protocol):
    """The only source of the current time; it returns a timezone-aware instant in UTC."""

    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMark:
    """The values by which a repeated signed message is recognised (REQ-09)."""

    digest: bytes
    """SHA-256 over the message's signature value and certificate."""
    forget_after: datetime
    """The instant after which the message's own timestamp is stale.

    A repetition after it is refused anyway (REQ-03).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageStatement:
    """What a client says to the subject about its request (the X-Road header `pdu`).

    It is recorded and shown to the subject, and no rule reads it.
    """

    reason: str = field(repr=False)
    system: str | None = None
    hidden: bool | None = None
    """Whether the client asks to hide the request. Only a basis statement of cl. 5.1 hides it."""

    def state(self) -> list[object]:
        """Return it as plain values, for the statement of the leaf."""
        return [self.reason, self.system, self.hidden]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The sender of a message, as exactly one channel proved it. No field comes from the Body."""

    recipient: MemberCode
    channel: Channel
    certificate: bytes | None = None
    """SHA-256 of the registered certificate that proved the caller; None on the X-Road channel."""
    subsystem: str | None = None
    """The member's subsystem, if X-Road names one. A request id belongs to it (REQ-04)."""
    employee: str | None = None
    request_id: UUID | None = None
    """The value of `xrd:id`, if the channel gives one. It must equal the id in the Body."""
    case_number: str | None = None
    mark: MessageMark | None = None
    usage: UsageStatement | None = None
    """What the client says to the subject; only X-Road has a header for it."""
    message: bytes | None = field(default=None, repr=False)
    """The signed message, exactly as it was received; None on a channel whose messages have no
    signature of the sender."""


class RejectedError(Exception):
    """The message cannot be answered with a decision and becomes a SOAP Fault without a receipt.

    The message of this exception contains only codes.
    """

    def __init__(self, *reasons: Reason, request_id: UUID | None = None) -> None:
        super().__init__(" ".join(reason.code.value for reason in reasons))
        self.reasons = reasons
        self.request_id = request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessage:
    """A signed message after verification. From here on, code may read only `child`."""

    child: "Element"
    """The only child of the Body, taken from the verified bytes of the Body."""
    fingerprint: bytes
    """SHA-256 of the certificate that signed the message; its owner is not yet established."""
    mark: MessageMark


class CertificateJudge(Protocol):
    """Judges the certificate of a TLS client, independently of which proxy terminated TLS."""

    def judge(self, certificate: bytes, *, at: datetime) -> bytes:
        """Return the fingerprint of a valid certificate: SHA-256 of these DER bytes.

        This establishes only that the certificate is valid, not who owns it. Raises `RejectedError`
        (SIG-*).
        """


class MessageVerifier(Protocol):
    """Verifies a SOAP message signed with a WS-Security X.509 token over Body and Timestamp."""

    def verify(self, envelope: "Element", *, at: datetime) -> VerifiedMessage:
        """Verify a message; the envelope is not modified.

        Raises `RejectedError` (SIG-*, REQ-03).
        """
