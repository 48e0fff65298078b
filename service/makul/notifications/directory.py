"""The channel that writes each notification to a file of its own."""

from datetime import datetime
from pathlib import Path

from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Notification,
    NotificationChannel,
)
from makul.language.translation import translate_cause
from makul.net.files import replace_file
from makul.notifications.message import notification_id, write_message

MODE = 0o640
"""The program that takes the files is another user of the group."""


class DirectoryChannel(NotificationChannel):
    """Writes files that exist completely or not at all, and are on the disk.

    The attempt is part of the name. So a repetition never replaces a file that is being read.
    """

    max_seconds = 3.0

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def send(self, notification: Notification, *, at: datetime) -> None:
        """Write the file of one attempt. Raises `ChannelUnavailableError`."""
        del at
        name = f"{notification_id(notification)}.{notification.attempt}.json"
        try:
            replace_file(self._directory / name, write_message(notification), mode=MODE)
        except OSError as error:
            raise ChannelUnavailableError(
                f"{self._directory}: {translate_cause(error.strerror)}"
            ) from None
