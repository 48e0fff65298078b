"""The sending of one request: write, sign, send, receive, and repeat if that is safe.

All ports of the service use it. What an answer means is decided by the caller of this module, which
verifies the receipt first.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

from lxml import etree

from makul_client._internal import xroad_headers as xroad
from makul_client._internal.crypto.credentials import load_credential
from makul_client._internal.crypto.xml import canonical
from makul_client._internal.http_transport import MAX_ANSWER, Wire
from makul_client._internal.retry import RetryLoop
from makul_client._internal.soap_messages import (
    LARGE_ANSWERS,
    Messages,
    Port,
    ReceivedAnswer,
    find_request,
)
from makul_client._internal.wsse import BinarySignature
from makul_client.errors import MakulError
from makul_client.models.reasons import Language
from makul_client.profile import Channel, Endpoint, Patience, Signing, XRoad

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Connection(Protocol):
    """The part of a profile that every port needs."""

    @property
    def language(self) -> Language:
        """The language of reasons."""

    @property
    def service(self) -> Endpoint:
        """The address and the channel."""

    @property
    def signing(self) -> Signing | None:
        """The key that signs messages on the channel `wsse`."""

    @property
    def xroad(self) -> XRoad | None:
        """The subsystems on the channel `xroad`."""

    @property
    def patience(self) -> Patience:
        """The limits of repeating a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The employee and the case of a request, which the service records."""

    employee: str | None = None
    """The employee who asks, as named in the undertaking of secrecy (Procedure, cl. 16)."""
    case_number: str | None = None
    """The case in the recipient's own records."""
    request_id: UUID | None = None
    """The id of a request to repeat; None for a new one."""


class RequestSender:
    """The sender of one caller's requests to one port. Loads the keys; raises `ProfileError`."""

    def __init__(
        self,
        profile: Connection,
        port: Port,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
    ) -> None:
        self.messages = Messages(port, profile.service.channel, profile.language)
        self._profile = profile
        self._signature = _signature(profile, clock)
        _check_tls(profile.service)
        self._wire = Wire(profile.service)
        self._retrying = RetryLoop(patience=profile.patience, pause=pause)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def send_with_retries(
        self, operation: str, context: Context, attempt: Callable[[UUID], T]
    ) -> T:
        """Call `attempt` with the id of the request until it has a result or must not be repeated.

        The error of the last attempt names the request.
        """
        request_id = context.request_id or uuid4()
        try:
            result = self._retrying(lambda: attempt(request_id))
        except MakulError as error:
            error.request_id = request_id
            _log.info("%s %s: %s %s", operation, request_id, type(error).__name__, error.code)
            raise
        _log.info("%s %s: answered", operation, request_id)
        return result

    def send(
        self, operation: str, fields: Mapping[str, Any], context: Context, request_id: UUID
    ) -> tuple[bytes, ReceivedAnswer]:
        """Send a request once.

        Return the digest of the request and the answer, which is not yet proved.
        """
        envelope = self.messages.write(
            operation,
            fields,
            headers=self._headers(operation, context, request_id),
            request_id=request_id,
        )
        digest = hashlib.sha256(canonical(find_request(envelope))).digest()
        if self._signature is not None:
            self._signature.apply(envelope, {})
        message = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        max_answer = LARGE_ANSWERS.get(operation, MAX_ANSWER)
        answer = self._wire.send(operation, message, max_answer=max_answer)
        return digest, self.messages.receive(operation, answer)

    def _headers(self, operation: str, context: Context, request_id: UUID) -> dict[str, Any]:
        if self._profile.xroad is None or self._profile.service.channel is not Channel.XROAD:
            return {}
        return xroad.headers(
            self._profile.xroad,
            operation,
            request_id=request_id,
            employee=context.employee,
            case_number=context.case_number,
        )


def _check_tls(service: Endpoint) -> None:
    """Load the key and the certificate that identify the caller, so that an error appears at once.

    Otherwise OpenSSL would ask the terminal for a password.
    """
    if service.channel is Channel.MTLS and service.tls_key and service.tls_certificate:
        load_credential(service.tls_key, service.tls_certificate)


def _signature(profile: Connection, clock: Callable[[], datetime]) -> BinarySignature | None:
    """Return the signer of messages, only for the channel `wsse`.

    Exactly one channel authenticates the caller.
    """
    if profile.service.channel is not Channel.WSSE or profile.signing is None:
        return None
    credential = load_credential(
        profile.signing.key,
        profile.signing.certificate,
        password_env=profile.signing.key_password_env,
    )
    return BinarySignature(credential, clock=clock)
