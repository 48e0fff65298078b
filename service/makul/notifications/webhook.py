"""The channel that posts each notification to a notifier, such as the national portal.

The registry knows no address of a person. The notifier finds it by the PIN.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Notification,
    NotificationChannel,
    NotificationRefusedError,
)
from makul.net.fetcher import Fetcher, FetchError, RejectedRequestError
from makul.notifications.message import notification_id, write_message

MEDIA_TYPE = "application/json"
SIGNATURE_VERSION = "v1"


def sign_message(secret: bytes, timestamp: str, message: bytes) -> str:
    """Return the value of the header `Makul-Signature`: HMAC-SHA256 over time and body."""
    mac = hmac.new(secret, timestamp.encode() + b"." + message, sha256).hexdigest()
    return f"{SIGNATURE_VERSION}={mac}"


class WebhookChannel(NotificationChannel):
    """Posts JSON to one address, signed with a shared secret.

    A status of 200, 201, 202 or 204 means that the notifier has stored the notification. Statuses
    that say that the message itself is wrong are refusals. Everything else means that the notifier
    cannot be used now.
    """

    def __init__(self, fetcher: Fetcher, url: str, secret: bytes) -> None:
        self._fetcher = fetcher
        self._url = url
        self._secret = secret

    @property
    def max_seconds(self) -> float:
        """The limit of one exchange."""
        return self._fetcher.seconds

    def send(self, notification: Notification, *, at: datetime) -> None:
        """Post one notification.

        Raises `NotificationRefusedError` and `ChannelUnavailableError`.
        """
        message = write_message(notification)
        try:
            headers = self._headers(notification, message, at)
            self._fetcher.post(self._url, message, headers=headers)
        except RejectedRequestError as error:
            raise NotificationRefusedError(str(error)) from None
        except FetchError as error:
            raise ChannelUnavailableError(str(error)) from None

    def _headers(
        self, notification: Notification, message: bytes, at: datetime
    ) -> Mapping[str, str]:
        timestamp = str(int(at.timestamp()))
        return {
            "Idempotency-Key": notification_id(notification),
            "Makul-Attempt": str(notification.attempt),
            "Makul-Timestamp": timestamp,
            "Makul-Signature": sign_message(self._secret, timestamp, message),
        }
