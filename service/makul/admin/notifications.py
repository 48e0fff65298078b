"""Operator commands for notifications to subjects: send, list, and begin again (cl. 4)."""

import csv
import logging
import secrets
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import UUID

from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.notification_sender import LinkRule, NotificationSender, SenderRound
from makul.app.ports import Clock, StoreUnavailableError
from makul.app.ports.notifications import (
    ListedNotification,
    NotificationChannel,
    OutboxState,
)
from makul.config.notifications import NotificationSettings, SmtpSettings, WebhookSettings
from makul.config.settings import Settings
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.notifications import NotificationKind
from makul.language.translation import Language, translate, use_language
from makul.net.fetcher import Fetcher
from makul.net.files import FileError, read_bounded, read_secret
from makul.net.supervision import trace
from makul.notifications.directory import DirectoryChannel
from makul.notifications.smtp import MailServer, SmtpChannel
from makul.notifications.webhook import MEDIA_TYPE, WebhookChannel
from makul.observability.logging_config import configure_logging
from makul.observability.security_events import Event as SecurityEvent
from makul.observability.security_log import emit_security_event
from makul.store import Store
from makul.trust.keys.files import load_secret

log = logging.getLogger(__name__)

TOKEN_BYTES = 32
"""A token cannot be guessed: 256 bits (RFC 4086)."""

MIN_SECRET_BYTES = 32
"""The length of SHA-256, below which a key of its HMAC is weaker (RFC 2104, section 3)."""

MAX_ADDRESSES_BYTES = 256 * 1024 * 1024
"""Some seven million lines: one for each citizen."""

MAX_CA_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDesk:
    """The outbox of an installation, opened for one command."""

    settings: Settings
    store: Store
    clock: Clock
    require_fit_settings: Callable[[], None]
    """Raises `OperatorError` if this database role must not send."""

    def run(self, stopped: Event, *, once: bool) -> SenderRound:
        """Send what is due, until stopped; with `once` only until nothing more is due.

        Returns the sum of all rounds. Raises `OperatorError`, and errors of files. With `once` also
        raises `StoreUnavailableError`.
        """
        settings = self._settings()
        self.require_fit_settings()
        channel = build_channel(settings)
        configure_logging(
            self.settings.logs.level.number,
            security=self.settings.logs.security,
            environment=self.settings.environment.value,
        )
        sender = NotificationSender(
            outbox=self.store.outbox,
            channel=channel,
            links=LinkRule(
                prefix=settings.link_prefix,
                lifetime=settings.link_lifetime,
                new_token=lambda: secrets.token_bytes(TOKEN_BYTES),
            ),
            lease=settings.claim,
            clock=self.clock,
            is_stopped=stopped.is_set,
        )
        with use_language(Language.EN):  # log lines are the same for every operator
            if once:
                return _run_until_empty(sender, stopped)
            return _run_until_stopped(sender, stopped, settings.interval)

    def state(self) -> OutboxState:
        """Return how far the outbox is delivered."""
        return self.store.outbox.state(at=self.clock())

    def undelivered(self, *, given_up: bool, limit: int) -> Sequence[ListedNotification]:
        """Return undelivered notifications that subjects may already see."""
        return self.store.outbox.undelivered(given_up=given_up, limit=limit, at=self.clock())

    def begin_again(self, disclosure_id: UUID, kind: NotificationKind, *, reason: str) -> None:
        """Begin the attempts of a notification again. Raises `OperatorRegistryError`."""
        self.store.outbox.begin_again(disclosure_id, kind, reason=reason, at=self.clock())

    def _settings(self) -> NotificationSettings:
        if self.settings.notifications is None:
            raise OperatorUnavailableError(
                translate("[notifications] is not set: name link_prefix and a channel in it")
            )
        return self.settings.notifications


def _run_until_empty(sender: NotificationSender, stopped: Event) -> SenderRound:
    total = SenderRound()
    while not stopped.is_set():
        done = sender.run_once()
        total.add(done)
        if not done.claimed or done.is_unavailable:
            break
    return total


def _run_until_stopped(sender: NotificationSender, stopped: Event, interval: float) -> SenderRound:
    """Take rounds. An error is logged, and the next round follows."""
    total = SenderRound()
    while not stopped.is_set():
        done = SenderRound()
        try:
            done = sender.run_once()
        except StoreUnavailableError:
            log.error("the store is unavailable")  # noqa: TRY400 -- a trace would not help
        except Exception as error:  # noqa: BLE001 -- the next round begins where the outbox stands
            emit_security_event(SecurityEvent.THREAD_FAILED)
            log.error("an unexpected error: %s", trace(error))  # noqa: TRY400
        total.add(done)
        if not done.claimed or done.is_unavailable:
            stopped.wait(interval)
    return total


def build_channel(settings: NotificationSettings) -> NotificationChannel:
    """Return the channel of the settings. Raises errors of its files, and `OperatorError`."""
    if settings.directory is not None:
        return DirectoryChannel(settings.directory)
    if settings.webhook is not None:
        return _build_webhook(settings.webhook)
    if settings.smtp is not None:
        return _build_smtp(settings.smtp)
    raise OperatorError(translate("give exactly one of directory, webhook and smtp"))


def _build_webhook(settings: WebhookSettings) -> WebhookChannel:
    secret = load_secret(settings.secret)
    if len(secret) < MIN_SECRET_BYTES:
        raise OperatorError(
            translate(
                "{path}: the secret has fewer than {number} bytes. Give: openssl rand -hex 32",
                path=settings.secret,
                number=MIN_SECRET_BYTES,
            )
        )
    if settings.ca is not None:
        read_bounded(settings.ca, MAX_CA_BYTES)
    fetcher = Fetcher(settings.seconds, media_type=MEDIA_TYPE, ca_file=settings.ca)
    return WebhookChannel(fetcher, settings.url, secret)


def _build_smtp(settings: SmtpSettings) -> SmtpChannel:
    server = MailServer(
        host=settings.host,
        port=settings.port,
        sender=settings.sender,
        context=ssl.create_default_context(),
    )
    return SmtpChannel(server, read_addresses(settings.addresses))


def read_addresses(path: Path) -> Mapping[str, str]:
    """Return the addresses by PIN. Raises `FileError`, which names the line and no value."""
    try:
        lines = read_secret(path, MAX_ADDRESSES_BYTES).decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise FileError(path, translate("it is not UTF-8 text")) from None
    addresses: dict[str, str] = {}
    for number, row in enumerate(csv.reader(lines, strict=True), start=1):
        if not row:
            continue
        try:
            pin, address = (each.strip() for each in row)
            Pin(pin)
        except (ValueError, MalformedIdentifierError):
            raise _bad_line(path, number) from None
        if not _is_address(address) or pin in addresses:
            raise _bad_line(path, number)
        addresses[pin] = address
    return addresses


def _is_address(text: str) -> bool:
    local, at, domain = text.partition("@")
    return (
        bool(local and at and domain)
        and len(text) <= 254
        and text.isascii()
        and text.isprintable()
        and not set(text) & set(' ,;:<>"()[]\\')
        and "@" not in domain
    )


def _bad_line(path: Path, number: int) -> FileError:
    return FileError(
        path,
        translate(
            "line {number}: it must be a PIN, a comma and an address, each PIN once", number=number
        ),
    )
