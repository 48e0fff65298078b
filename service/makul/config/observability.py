"""Settings of logs, security events and metrics."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from makul.config.base import Section
from makul.language.translation import translate


class LogLevel(StrEnum):
    """The level from which lines are written."""

    INFO = "INFO"
    """Every request has a line of its own."""
    WARNING = "WARNING"
    """Only problems that need attention are logged, and no requests."""

    @property
    def number(self) -> int:
        """The level as a number of `logging`."""
        return logging.getLevelNamesMapping()[self.value]


class LogSettings(Section):
    """Settings of logs. Logs go to stderr."""

    level: LogLevel = LogLevel.INFO
    security: Path | None = None
    """The destination of security events: a file, or a syslog socket such as `/dev/log`.

    If it is not set, they are written among the other lines.
    """


class MetricsSettings(Section):
    """Metrics for Prometheus, on an address of their own."""

    bind: Annotated[str, Field(pattern=r"^([0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\]):[1-9][0-9]{0,4}$")]
    """An address that only the monitoring system can reach, such as `127.0.0.1:9464`."""
    directory: Path
    """The directory of the workers' metrics files, best in memory, such as under `/run`."""
    recipients: bool = False
    """Count decisions by recipient as well."""

    @field_validator("bind")
    @classmethod
    def _on_one_address(cls, bind: str) -> str:
        if bind.rpartition(":")[0] in ("0.0.0.0", "[::]", "[::0]", "0"):  # noqa: S104 - refused here
            raise ValueError(
                translate("name one address that only the monitoring reaches, not every one")
            )
        return bind
