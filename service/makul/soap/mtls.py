"""The channel `mtls`, which identifies a recipient by the certificate of its TLS connection.

The connection ends in the operator's reverse proxy, which passes the certificate in a header, or in
this listener itself. In both cases the certificate is verified again here: path, term, revocation,
use, and its registered recipient. TLS prevents replay (RFC 8446, 8; 0-RTT stays off), so a message
has no mark. A request repeated over a new connection is handled by its request id.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol
from urllib.parse import unquote

from makul.app.ports import Caller, CertificateJudge, CertificateRegister, RejectedError
from makul.domain.agreements import Channel as ChannelName
from makul.domain.reasons import Code, Reason
from makul.soap.channels import AuthenticatedMessage
from makul.soap.envelope import Message
from makul.soap.transport_metadata import Arrival

MAX_CERTIFICATE_HEADER: Final = 8 * 1024
"""Characters. An RSA-4096 certificate with all usual extensions takes some 4,000.

The limit of gunicorn for a header is equal.
"""

_ENCODED: Final = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+", re.ASCII)
"""The characters of nginx's escaping (RFC 3986, 2.3). A comma, which joins two headers, fails."""
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?", re.ASCII
)
_VERIFIED: Final = "SUCCESS"


class CertificateSource(Protocol):
    """The source of the client's certificate."""

    def certificate(self, arrival: Arrival) -> bytes:
        """Return the certificate in DER. Raises `RejectedError` if no trusted source has one."""


class FromConnection:
    """The source on a listener at which the client's TLS connection ends."""

    def certificate(self, arrival: Arrival) -> bytes:
        """Return the peer's certificate. Headers are ignored, because the client writes them."""
        if arrival.peer_certificate is None:
            raise RejectedError(Reason(code=Code.RCP_04))
        return arrival.peer_certificate


@dataclass(frozen=True, slots=True)
class FromProxy:
    """The source behind a proxy at which the TLS connection ends, and which passes a header."""

    proxies: frozenset[bytes] | None
    """SHA-256 of the certificates that identify the proxy; None behind a Unix socket.

    The operating system controls access to a Unix socket. A front's secret is checked before
    (`front_secret`).
    """

    def certificate(self, arrival: Arrival) -> bytes:
        """Return the certificate in the header of the proxy.

        Raises `RejectedError` (RCP-04, SIG-09), also if another peer sent the header.
        """
        if self.proxies is not None and not self._is_proxy(arrival.peer_certificate):
            raise RejectedError(Reason(code=Code.RCP_04))
        if not arrival.forwarded_certificate or arrival.forwarded_verdict in (None, "NONE"):
            raise RejectedError(Reason(code=Code.RCP_04))
        if arrival.forwarded_verdict != _VERIFIED:
            raise RejectedError(Reason(code=Code.SIG_09))
        return _parse_certificate_header(arrival.forwarded_certificate)

    def _is_proxy(self, peer: bytes | None) -> bool:
        return peer is not None and sha256(peer).digest() in (self.proxies or ())


@dataclass(frozen=True, slots=True)
class MtlsChannel:
    """The channel that identifies a recipient by the certificate of the TLS connection."""

    source: CertificateSource
    judge: CertificateJudge
    register: CertificateRegister

    @property
    def understood(self) -> frozenset[str]:
        """None, because the caller is identified outside the message."""
        return frozenset()

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:
        """Return the holder of the connection's key. Raises `RejectedError` (SIG-*, RCP-04)."""
        return AuthenticatedMessage(self.identify(message.arrival, at=at), message.child)

    def identify(self, arrival: Arrival, *, at: datetime) -> Caller:
        """Return the holder of the connection's key. Raises `RejectedError` (SIG-*, RCP-04)."""
        fingerprint = self.judge.judge(self.source.certificate(arrival), at=at)
        registered = self.register.certificate(fingerprint)
        if registered is None:
            raise RejectedError(Reason(code=Code.RCP_04))
        return Caller(
            recipient=registered.recipient,
            channel=ChannelName.MTLS,
            certificate=fingerprint,
        )

    def echo(self, message: Message) -> bytes:  # noqa: ARG002 - the Protocol's signature
        """Return nothing."""
        return b""


def _parse_certificate_header(header: str) -> bytes:
    """Return the only certificate in a header. Raises `RejectedError` for any other content."""
    if len(header) > MAX_CERTIFICATE_HEADER or not _ENCODED.fullmatch(header):
        raise RejectedError(Reason(code=Code.RCP_04))
    pem = _PEM.fullmatch(unquote(header))
    if pem is None:
        raise RejectedError(Reason(code=Code.RCP_04))
    try:
        return base64.b64decode(pem[1].replace("\n", ""), validate=True)
    except binascii.Error:
        raise RejectedError(Reason(code=Code.RCP_04)) from None
