"""What the settings say of what the service tells: logs, security events and metrics."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from makul.config.base import Section


class LogLevel(StrEnum):
    """From which level on a line is written."""

    INFO = "INFO"
    """Every request in a line of its own."""
    WARNING = "WARNING"
    """What needs attention; requests are not told."""

    @property
    def number(self) -> int:
        """As `logging` has it."""
        return logging.getLevelNamesMapping()[self.value]


class LogSettings(Section):
    """What is told while the service runs. Logs go to stderr."""

    level: LogLevel = LogLevel.INFO
    security: Path | None = None
    """Where security events go: a file, or a syslog socket such as `/dev/log`; among the other
    lines where it is not set."""


class MetricsSettings(Section):
    """Numbers for Prometheus, on an address of their own."""

    bind: Annotated[str, Field(pattern=r"^([0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\]):[1-9][0-9]{0,4}$")]
    """`127.0.0.1:9464`: an address that only the monitoring reaches."""
    directory: Path
    """Where the workers' numbers lie while the service runs; best in memory, as under `/run`."""
    recipients: bool = False
    """Count decisions by recipient as well."""

    @field_validator("bind")
    @classmethod
    def _on_one_address(cls, bind: str) -> str:
        if bind.rpartition(":")[0] in ("0.0.0.0", "[::]", "[::0]", "0"):  # noqa: S104 - refused here
            raise ValueError("name one address that only the monitoring reaches, not every one")
        return bind
