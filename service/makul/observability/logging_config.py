"""Logs as JSON lines on stderr: what happened, when and where. Never whom it was about.

Rooms log through the standard library, codes and references alone; libraries that would print
what they were sent are silenced where they are used. Security events are lines of the same stream,
or go to a place of their own, in the words of the Elastic Common Schema.
"""

import errno
import json
import logging
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import SysLogHandler, WatchedFileHandler
from pathlib import Path
from typing import Any, Final

import structlog

from makul.observability.request_context import current
from makul.observability.security_log import LOGGER

ECS_VERSION: Final = "8.17"


_encoded = json.JSONEncoder(ensure_ascii=False).encode


class LogError(Exception):
    """Security events cannot be written where they should; the message says what to do."""


def configure_logging(
    level: int = logging.INFO, *, security: Path | None = None, environment: str | None = None
) -> None:
    """Send every record of this process to stderr, one JSON object a line.

    Raises `LogError` where `security` cannot be written.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(environment))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    _send_security(security, environment)


def configure_security(security: Path | None, *, environment: str) -> None:
    """For a command of the operator's: security events alone, and only to a place of their own.

    Raises `LogError` where it cannot be written: what should be told is then not done.
    """
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO if security is not None else logging.CRITICAL + 1)
    _send_security(security, environment)


def _send_security(security: Path | None, environment: str | None) -> None:
    logger = logging.getLogger(LOGGER)
    for each in logger.handlers[:]:
        logger.removeHandler(each)
        with suppress(OSError):  # what it could not write, it has told already
            each.close()
    logger.propagate = security is None
    if security is None:
        return
    try:
        handler = _to_syslog(security) if _is_socket(security) else _to_file(security)
    except OSError as error:
        raise LogError(
            f"logs.security: {security}: {error.strerror}. Events cannot be written there."
        ) from None
    handler.setFormatter(_Lines(environment))
    logger.addHandler(handler)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except FileNotFoundError:
        return False


class _Failing:
    """What a handler does with a line that it cannot write: say so, and nothing of the line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Of a full disk, a syslog that is gone."""
        del self, record
        kind = sys.exc_info()[0]
        logging.getLogger(__name__).error(
            "a security event could not be written: %s", kind.__name__ if kind else "unknown"
        )


class _SecurityFile(_Failing, WatchedFileHandler):
    """Appends to a file, and opens it anew where it was rotated."""


class _SecuritySyslog(_Failing, SysLogHandler):
    """Sends to the system's log daemon (RFC 3164, facility authpriv)."""


def _to_file(path: Path) -> logging.Handler:
    path.touch(mode=0o640)
    if not path.is_file():
        # A pipe would hold this process until somebody reads it.
        raise OSError(errno.EINVAL, "neither a regular file nor a socket")
    return _SecurityFile(path, encoding="utf-8")


def _to_syslog(path: Path) -> logging.Handler:
    handler = _SecuritySyslog(str(path), facility=SysLogHandler.LOG_AUTHPRIV)
    handler.ident = "makul: "
    return handler


class _Lines(logging.Formatter):
    """One JSON object a line: a security event by ECS, anything else by structlog."""

    def __init__(self, environment: str | None) -> None:
        super().__init__()
        self._environment = environment
        self._other = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _with_correlation,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_tracebacks,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """A line, without its end."""
        event: Mapping[str, Any] | None = getattr(record, "ecs", None)
        if event is not None:
            return self._event(record, event)
        fields: Mapping[str, Any] | None = getattr(record, "fields", None)
        return self._request(record, fields) if fields is not None else self._other.format(record)

    def _event(self, record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
        event = {
            "@timestamp": _instant(record),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "ecs.version": ECS_VERSION,
            "event.dataset": LOGGER,
            "log.logger": LOGGER,
            "service.name": "makul",
            **fields,
        }
        if self._environment is not None:
            event["service.environment"] = self._environment.lower()
        return _encoded(event)

    def _request(self, record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
        """One a request: written by hand, for structlog's way costs ten times as much."""
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": _instant(record),
            **fields,
        }
        return _encoded(line)


def _instant(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
    return at.replace("+00:00", "Z")


def _with_correlation(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Of which request this thread speaks."""
    account = current()
    if account is not None:
        event["correlation"] = account.correlation
    return event


def _without_tracebacks(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A traceback's last line is an exception's message, which a library may fill with data."""
    for key in ("exc_info", "exception", "stack_info"):
        event.pop(key, None)
    return event
