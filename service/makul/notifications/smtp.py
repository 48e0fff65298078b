"""An example of a channel: mail to addresses from a table that the operator keeps.

It is an example, because the registry has no addresses, and mail is read by others on its way.
Where a national portal exists, use the webhook. The mail has the text and the link, and no PIN.
"""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Notification,
    NotificationChannel,
    NotificationRefusedError,
)
from makul.language.translation import mark, translate
from makul.notifications.message import notification_id

SECONDS = 20.0
_SUBJECT = "Биометрикалык маалыматтар · Биометрические данные · Biometric data"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The mail server of the operator. The connection must be encrypted by STARTTLS."""

    host: str
    port: int
    sender: str
    context: ssl.SSLContext


class SmtpChannel(NotificationChannel):
    """Sends mail to the address of the subject's PIN in a table."""

    max_seconds = 6 * SECONDS

    def __init__(self, server: MailServer, addresses: Mapping[str, str]) -> None:
        self._server = server
        self._addresses = addresses

    def send(self, notification: Notification, *, at: datetime) -> None:
        """Send one mail.

        Raises `NotificationRefusedError` and `ChannelUnavailableError`.
        """
        address = self._addresses.get(notification.facts.subject.digits)
        if address is None:
            raise NotificationRefusedError(translate("no address of this subject is known"))
        message = self._write(notification, address, at)
        server = self._server
        try:
            with smtplib.SMTP(server.host, server.port, timeout=SECONDS) as connection:
                connection.starttls(context=server.context)
                connection.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            # Their messages repeat the address.
            raise NotificationRefusedError(translate("the mail server refused it")) from None
        except (smtplib.SMTPException, OSError):
            raise ChannelUnavailableError(translate(_UNAVAILABLE)) from None

    def _write(self, notification: Notification, address: str, at: datetime) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = address
        message["Subject"] = _SUBJECT
        message["Date"] = format_datetime(at)
        # The same id for a repetition, so that mail programs show one of them.
        domain = self._server.sender.rpartition("@")[2]
        message["Message-ID"] = f"<{notification_id(notification)}@{domain}>"
        message["Makul-Attempt"] = str(notification.attempt)
        text = notification.text
        message.set_content(f"{text.ky}\n\n{text.ru}\n\n{text.en}\n")
        return message


_UNAVAILABLE = mark("the mail server cannot be used")
