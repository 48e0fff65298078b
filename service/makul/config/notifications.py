"""`[notifications]` of the settings: how subjects learn of disclosures (Procedure, cl. 4)."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from makul.config.base import Section
from makul.language.translation import translate

SMTP_CLAIM_SECONDS = 180
"""An exchange with a mail server has several steps, each with a limit of its own."""


class WebhookSettings(Section):
    """A notifier that takes notifications by POST, such as the national portal."""

    url: Annotated[
        str,
        Field(
            pattern=r"^(https://[^\s@?#/]+|http://(127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?)(/[^\s?#]*)?$"
        ),
    ]
    """`https`, or `http` to a proxy on this machine: the message has a PIN."""
    secret: Path
    """The secret file with which messages are signed (HMAC-SHA256), at least 32 bytes."""
    ca: Path | None = None
    """The authorities that may certify the notifier, PEM; without it, the public ones."""
    seconds: Annotated[float, Field(ge=1, le=60)] = 15.0
    """The longest time of one exchange."""


class SmtpSettings(Section):
    """An example: mail to addresses from a table of the operator."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    sender: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}$")]
    addresses: Path
    """A secret file: a PIN, a comma and an address on each line."""


class NotificationSettings(Section):
    """The channel of notifications, and the links in them."""

    link_prefix: Annotated[str, Field(pattern=r"^https://[^\s@]+$", max_length=300)]
    """The address of the portal's page for reports. The token of the link is appended."""
    link_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days in which a link can be used."""
    answer_days: Annotated[int, Field(ge=1, le=90)] = 14
    """Days in which a subject of the month's sample can answer."""
    interval: Annotated[float, Field(ge=0.2, le=3600)] = 5.0
    """Seconds between two rounds of the sender when nothing is due."""
    claim_seconds: Annotated[float, Field(ge=10, le=3600)] = 180.0
    """Seconds after which the notifications that a killed sender had taken are sent again."""
    max_delay: Annotated[int, Field(ge=60, le=604_800)] = 3600
    """Seconds after which an undelivered notification is reported by readiness."""
    directory: Path | None = None
    """The directory into which notifications are written, for a program that delivers them."""
    webhook: WebhookSettings | None = None
    smtp: SmtpSettings | None = None

    @property
    def link_lifetime(self) -> timedelta:
        """`link_days` as a duration."""
        return timedelta(days=self.link_days)

    @property
    def claim(self) -> timedelta:
        """`claim_seconds` as a duration."""
        return timedelta(seconds=self.claim_seconds)

    @property
    def promise(self) -> timedelta:
        """`max_delay` as a duration."""
        return timedelta(seconds=self.max_delay)

    @property
    def answer_term(self) -> timedelta:
        """`answer_days` as a duration."""
        return timedelta(days=self.answer_days)

    @model_validator(mode="after")
    def _has_one_channel(self) -> Self:
        channels = [each for each in (self.directory, self.webhook, self.smtp) if each is not None]
        if len(channels) != 1:
            raise ValueError(translate("give exactly one of directory, webhook and smtp"))
        return self

    @model_validator(mode="after")
    def _has_time_for_an_attempt(self) -> Self:
        if self.webhook is not None and 2 * self.webhook.seconds > self.claim_seconds:
            raise ValueError(translate("claim_seconds is at least twice webhook.seconds"))
        if self.smtp is not None and self.claim_seconds < SMTP_CLAIM_SECONDS:
            raise ValueError(
                translate("claim_seconds is at least {number} with smtp", number=SMTP_CLAIM_SECONDS)
            )
        return self
