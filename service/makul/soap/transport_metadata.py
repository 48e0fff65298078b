"""How a message arrived, besides its bytes: what the TLS end in front of it says of the client.

Read of every request and believed of none: only the `mtls` channel looks at it, on a listener that
its own front alone can reach.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable
from wsgiref.types import WSGIEnvironment

CERTIFICATE_HEADER: Final = "X-SSL-Client-Cert"
"""The client's certificate, in PEM, percent-encoded: nginx's `$ssl_client_escaped_cert`."""
VERIFY_HEADER: Final = "X-SSL-Client-Verify"
"""`SUCCESS`, `NONE` or `FAILED:reason`: nginx's `$ssl_client_verify`."""
FRONT_HEADER: Final = "X-Makul-Front"
"""The secret by which a front on a loopback address proves that it is the front."""


@runtime_checkable
class CertifiedSocket(Protocol):
    """A connection that knows the certificate of its peer (`peer_connection.MessageSocket`)."""

    def peer_certificate(self) -> bytes | None:
        """In DER; None where TLS does not end here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What came with a message."""

    peer_certificate: bytes | None = None
    """In DER, of whoever holds the other end of this very TLS connection: it has the key."""
    forwarded_certificate: str | None = None
    """As the header has it; where it was sent twice, joined by a comma."""
    forwarded_verdict: str | None = None
    front_proof: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> "Arrival":
        """From a WSGI environment; nothing of it is checked here."""
        return cls(
            peer_certificate=_peer_certificate(environ),
            forwarded_certificate=environ.get(_variable(CERTIFICATE_HEADER)),
            forwarded_verdict=environ.get(_variable(VERIFY_HEADER)),
            front_proof=environ.get(_variable(FRONT_HEADER)),
        )


NOTHING_TOLD: Final = Arrival()


def _variable(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _peer_certificate(environ: WSGIEnvironment) -> bytes | None:
    """Return what the worker knows of its connection; None where TLS does not end here."""
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, CertifiedSocket):
        return None
    return connection.peer_certificate()
