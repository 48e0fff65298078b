"""The `mtls` channel: a recipient is known by the certificate of its TLS connection.

The connection ends in the operator's reverse proxy, which tells the certificate in a header, or in
this listener itself. Either way the certificate is judged here anew: path, term, revocation, use,
and for whom it is registered. TLS lets no message in twice (RFC 8446, 8; 0-RTT stays off), so a
message has no mark; an old request sent anew over a new connection is the request id's matter.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol
from urllib.parse import unquote

from makul.app.ports import Caller, CertificateJudge, Register, RejectedError
from makul.domain.agreements import Channel as ChannelName
from makul.domain.reasons import Code, Reason
from makul.soap.channels import Authenticated
from makul.soap.envelope import Message
from makul.soap.transport_metadata import Arrival

MAX_CERTIFICATE_HEADER: Final = 8 * 1024
"""Characters. An RSA-4096 certificate with all usual extensions takes some 4,000; gunicorn's limit
for a header is the same."""

_ENCODED: Final = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+", re.ASCII)
"""What nginx's escaping leaves (RFC 3986, 2.3): no comma, so that two headers are none."""
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?", re.ASCII
)
_VERIFIED: Final = "SUCCESS"


class CertificateSource(Protocol):
    """Where a listener learns the client's certificate."""

    def certificate(self, arrival: Arrival) -> bytes:
        """In DER; raises `RejectedError` where none is told by whom it may be told."""


class FromConnection:
    """The client's TLS connection ends here."""

    def certificate(self, arrival: Arrival) -> bytes:
        """The peer's; whatever headers say is the client's own word."""
        if arrival.peer_certificate is None:
            raise RejectedError(Reason(code=Code.RCP_04))
        return arrival.peer_certificate


@dataclass(frozen=True, slots=True)
class FromProxy:
    """The client's TLS connection ends in a proxy, which tells its certificate in a header."""

    proxies: frozenset[bytes] | None
    """SHA-256 of the certificates by which the proxy is known; None behind a Unix socket, where
    the operating system says who may connect, and where its secret was asked for (`fronts`)."""

    def certificate(self, arrival: Arrival) -> bytes:
        """The header's, from the proxy alone; raises `RejectedError` (RCP-04, SIG-09)."""
        if self.proxies is not None and not self._is_proxy(arrival.peer_certificate):
            raise RejectedError(Reason(code=Code.RCP_04))
        if not arrival.forwarded_certificate or arrival.forwarded_verdict in (None, "NONE"):
            raise RejectedError(Reason(code=Code.RCP_04))
        if arrival.forwarded_verdict != _VERIFIED:
            raise RejectedError(Reason(code=Code.SIG_09))
        return _der_of(arrival.forwarded_certificate)

    def _is_proxy(self, peer: bytes | None) -> bool:
        return peer is not None and sha256(peer).digest() in (self.proxies or ())


@dataclass(frozen=True, slots=True)
class MtlsChannel:
    """The recipient for whom the certificate of the TLS connection is registered."""

    source: CertificateSource
    judge: CertificateJudge
    register: Register

    @property
    def understood(self) -> frozenset[str]:
        """None: who calls stands beside the message, not in it."""
        return frozenset()

    def authenticate(self, message: Message, *, at: datetime) -> Authenticated:
        """Who holds the key of the connection; raises `RejectedError` (SIG-*, RCP-04)."""
        fingerprint = self.judge.judge(self.source.certificate(message.arrival), at=at)
        registered = self.register.certificate(fingerprint)
        if registered is None:
            raise RejectedError(Reason(code=Code.RCP_04))
        caller = Caller(
            recipient=registered.recipient,
            channel=ChannelName.MTLS,
            certificate=fingerprint,
        )
        return Authenticated(caller, message.child)

    def echo(self, message: Message) -> bytes:  # noqa: ARG002 - the Protocol's signature
        """Nothing."""
        return b""


def _der_of(header: str) -> bytes:
    """The one certificate in a header; anything beside it, or a second one, makes it none."""
    if len(header) > MAX_CERTIFICATE_HEADER or not _ENCODED.fullmatch(header):
        raise RejectedError(Reason(code=Code.RCP_04))
    pem = _PEM.fullmatch(unquote(header))
    if pem is None:
        raise RejectedError(Reason(code=Code.RCP_04))
    try:
        return base64.b64decode(pem[1].replace("\n", ""), validate=True)
    except binascii.Error:
        raise RejectedError(Reason(code=Code.RCP_04)) from None
