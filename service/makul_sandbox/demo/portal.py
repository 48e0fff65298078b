"""The citizens' portal of the demo: a SOAP client of the subject port, made from its WSDL alone."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import makul_schemas
import makul_wsdl
import zeep

from makul.domain.identifiers import Pin
from makul_client._internal.crypto.credentials import load_credential
from makul_client._internal.wsse import BinarySignature
from makul_sandbox.data.identity_provider import IdentityProvider
from makul_sandbox.demo.client_session import DemoClient

SECONDS = 60
_BINDING = "{urn:makul:subject:1}SubjectSoap11"


# zeep has no type annotations.
_ZEEP: Any = zeep.Client


class _Packaged(zeep.Transport):
    """A transport that reads the WSDL and the schemas from the packages."""

    def load(self, url: str) -> bytes:
        name = url.rpartition("/")[2]
        return makul_wsdl.read(name) if name.endswith(".wsdl") else makul_schemas.read(name)


class DemoPortal:
    """The portal: it sends requests of citizens who are logged in, or who opened a link."""

    def __init__(self, demo: DemoClient) -> None:
        details = demo.portal_details
        credential = load_credential(
            demo.path(details["messageKey"]), demo.path(details["messageCertificate"])
        )
        transport: Any = _Packaged
        client = _ZEEP(
            "subject.wsdl",
            wsse=BinarySignature(credential),
            transport=transport(timeout=SECONDS, operation_timeout=SECONDS),
        )
        self._service = client.create_service(_BINDING, demo.subject_url)
        self._audience = details["audience"]
        self._provider = IdentityProvider.load(demo.path(demo.identity_keys).read_bytes())

    def list_disclosures(self, pin: str) -> list[Any]:
        """Return every decision about the citizen that the list shows, over all its pages."""
        found: list[Any] = []
        position: dict[str, str] = {}
        while True:
            request_id = uuid4()
            answer = self._service.ListDisclosures(
                requestId=str(request_id), idToken=self._token(pin, request_id), **position
            )
            found += answer.disclosure
            if answer.next is None:
                return found
            position = {"after": answer.next}

    def report_not_me(self, link: str) -> str:
        """Deny the disclosure of a notification by its link, and return the result as text."""
        answer = self._service.ReportNotMe(
            requestId=str(uuid4()), linkToken=link.rpartition("/")[2]
        )
        return " ".join([answer.outcome, *sorted({each.code for each in answer.reason})])

    def _token(self, pin: str, request_id: UUID) -> str:
        claims = self._provider.claims(
            Pin(pin), request_id, audience=self._audience, at=datetime.now(UTC)
        )
        return self._provider.sign(claims)
