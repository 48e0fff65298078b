"""Who is calling, and how a message is rejected."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.domain.agreements import Channel
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Reason

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


class Clock(Protocol):
    """The one source of the present: an aware instant in UTC."""

    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMark:
    """What makes one signed message recognisable when it comes twice (REQ-09)."""

    digest: bytes
    """SHA-256 over the message's signature value and certificate."""
    forget_after: datetime
    """When its own timestamp makes a second arrival stale anyway (REQ-03)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a message, as exactly one channel proved it. Nothing of it comes from the Body."""

    recipient: MemberCode
    channel: Channel
    certificate: bytes | None = None
    """SHA-256 of the registered certificate that proved it; None on the X-Road channel."""
    subsystem: str | None = None
    """Of the member's, where X-Road names one: recorded, and no rule asks for it."""
    employee: str | None = None
    request_id: UUID | None = None
    """`xrd:id`, where the channel gives one; it must equal the Body's."""
    case_number: str | None = None
    mark: MessageMark | None = None


class RejectedError(Exception):
    """The message cannot be answered with a decision: it becomes a SOAP Fault, without a receipt.

    The message of this exception holds codes alone.
    """

    def __init__(self, *reasons: Reason, request_id: UUID | None = None) -> None:
        super().__init__(" ".join(reason.code.value for reason in reasons))
        self.reasons = reasons
        self.request_id = request_id


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMessage:
    """A signed message after verification: from here on only `child` is read."""

    child: "Element"
    """The Body's one child, taken from the verified bytes of the Body."""
    fingerprint: bytes
    """SHA-256 of the certificate that signed it. Nobody is yet believed to own it."""
    mark: MessageMark


class CertificateJudge(Protocol):
    """Judges the certificate of a TLS client, whoever ended the TLS connection."""

    def judge(self, certificate: bytes, *, at: datetime) -> bytes:
        """Its fingerprint, SHA-256 of these DER bytes; raises `RejectedError` (SIG-*).

        Only that it is good: nobody is yet believed to own it.
        """


class MessageVerifier(Protocol):
    """Verifies a SOAP message signed by WS-Security X.509 token: Body and Timestamp."""

    def verify(self, envelope: "Element", *, at: datetime) -> VerifiedMessage:
        """Raises `RejectedError` (SIG-*, REQ-03); the envelope is left as it was received."""
