"""A channel behind a front that proves itself by a secret, where any local user could connect."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from makul.app.ports import RejectedError
from makul.domain.reasons import Code, Reason
from makul.soap.channels import Authenticated, RequestChannel
from makul.soap.envelope import Message
from makul.soap.transport_metadata import FRONT_HEADER


@dataclass(frozen=True, slots=True)
class FrontedChannel:
    """A channel whose messages count only with the front's secret."""

    channel: RequestChannel
    secret: bytes = field(repr=False)

    @property
    def understood(self) -> frozenset[str]:
        """Return what the channel understands."""
        return self.channel.understood

    def authenticate(self, message: Message, *, at: datetime) -> Authenticated:
        """Ask the channel; raise `RejectedError` (RCP-04) if it was not the front that sent this.

        A header that came twice is joined by a comma, and is not the secret.
        """
        proof = (message.arrival.front_proof or "").encode("utf-8", "replace")
        if not hmac.compare_digest(proof, self.secret):
            raise RejectedError(Reason(code=Code.RCP_04, field=FRONT_HEADER))
        return self.channel.authenticate(message, at=at)

    def echo(self, message: Message) -> bytes:
        """Return what the channel sends back."""
        return self.channel.echo(message)
