"""Metadata of a message's transport, such as the client certificate from a TLS proxy.

They are read from every request and trusted for none. Only the `mtls` channel uses them, on a
listener that only its own front can reach.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable
from wsgiref.types import WSGIEnvironment

CERTIFICATE_HEADER: Final = "X-SSL-Client-Cert"
"""The client's certificate in PEM, percent-encoded: nginx's `$ssl_client_escaped_cert`."""
VERIFY_HEADER: Final = "X-SSL-Client-Verify"
"""`SUCCESS`, `NONE` or `FAILED:reason`: nginx's `$ssl_client_verify`."""
FRONT_HEADER: Final = "X-Makul-Front"
"""The secret by which a front on a loopback address authenticates itself."""


@runtime_checkable
class CertifiedSocket(Protocol):
    """A connection that knows the certificate of its peer (`net.peer_connection.MessageSocket`)."""

    def peer_certificate(self) -> bytes | None:
        """Return the certificate in DER, or None if TLS does not end here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The transport metadata of a message."""

    peer_certificate: bytes | None = None
    """The certificate, in DER, of the peer of this TLS connection, which has its key."""
    forwarded_certificate: str | None = None
    """The value of the header. Two headers are joined by a comma."""
    forwarded_verdict: str | None = None
    front_proof: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> "Arrival":
        """Read the metadata from a WSGI environment, without any check."""
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
    """Return the certificate that the worker knows, or None if TLS does not end here."""
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, CertifiedSocket):
        return None
    return connection.peer_certificate()
