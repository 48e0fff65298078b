"""A channel behind a front that proves itself by a secret.

The secret is needed if any local user could connect to the listener.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from makul.app.ports import RejectedError
from makul.domain.reasons import Code, Reason
from makul.soap.channels import AuthenticatedMessage, RequestChannel
from makul.soap.envelope import Message
from makul.soap.transport_metadata import FRONT_HEADER


@dataclass(frozen=True, slots=True)
class FrontedChannel:
    """A channel that accepts messages only with the secret of the front."""

    channel: RequestChannel
    secret: bytes = field(repr=False)

    @property
    def understood(self) -> frozenset[str]:
        """The header blocks that the channel understands."""
        return self.channel.understood

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:
        """Authenticate with the channel. Raises `RejectedError` (RCP-04) if the secret is wrong.

        A header that occurs twice is joined by a comma, and so does not equal the secret.
        """
        proof = (message.arrival.front_proof or "").encode("utf-8", "replace")
        if not hmac.compare_digest(proof, self.secret):
            raise RejectedError(Reason(code=Code.RCP_04, field=FRONT_HEADER))
        return self.channel.authenticate(message, at=at)

    def echo(self, message: Message) -> bytes:
        """Return the header blocks that the channel returns."""
        return self.channel.echo(message)
