"""The two SOAP versions, and the replies over HTTP."""

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final
from xml.sax.saxutils import quoteattr


@dataclass(frozen=True, slots=True)
class SoapVersion:
    """A version of SOAP, identified by the namespace of its envelope and its media type."""

    name: str
    namespace: str
    media_type: str

    @property
    def content_type(self) -> str:
        """The content type of an answer in this version."""
        return f"{self.media_type}; charset=utf-8"

    def qualified(self, local_name: str) -> str:
        """Return the name of an element of the envelope in Clark notation."""
        return f"{{{self.namespace}}}{local_name}"


SOAP_11: Final = SoapVersion("1.1", "http://schemas.xmlsoap.org/soap/envelope/", "text/xml")
"""SOAP 1.1, section 6: media type text/xml."""

SOAP_12: Final = SoapVersion(
    "1.2", "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"
)
"""SOAP 1.2 part 2, section 7.1.4: media type application/soap+xml."""

VERSIONS: Final = {version.media_type: version for version in (SOAP_11, SOAP_12)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply. It is complete before its first byte is sent, so its status is final."""

    status: int
    content_type: str
    chunks: tuple[bytes, ...]
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status_line(self) -> str:
        """`200 OK`, in the form of WSGI (PEP 3333)."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def envelope(version: SoapVersion, body: bytes, echoed: bytes = b"") -> tuple[bytes, ...]:
    """Return an envelope around a rendered Body child and rendered header blocks.

    The parts are joined and not parsed. Each part carries its own namespace declarations.
    """
    header = (b"<soap:Header>", echoed, b"</soap:Header>") if echoed else ()
    return (
        _envelope_start(version),
        *header,
        b"<soap:Body>",
        body,
        b"</soap:Body></soap:Envelope>",
    )


@cache
def _envelope_start(version: SoapVersion) -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f"<soap:Envelope xmlns:soap={quoteattr(version.namespace)}>"
    ).encode()
