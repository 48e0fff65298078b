"""Logs as JSON lines on stderr: what happened, when and in which module, never about whom.

Modules log codes and references only, through the standard library. Libraries that would print what
they received are silenced where they are used. Security events are lines of the same stream or go
to a destination of their own, in the terms of the Elastic Common Schema.
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

from makul.language.translation import translate, translate_cause
from makul.observability.request_context import current
from makul.observability.security_log import LOGGER

ECS_VERSION: Final = "8.17"


_encoded = json.JSONEncoder(ensure_ascii=False).encode


class LogError(Exception):
    """Security events cannot be written to their destination. The message says what to do."""


def configure_logging(
    level: int = logging.INFO, *, security: Path | None = None, environment: str | None = None
) -> None:
    """Send every log record of this process to stderr, one JSON object on each line.

    Raises `LogError` if `security` cannot be written.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(environment))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    _send_security(security, environment)


def configure_security(security: Path | None, *, environment: str) -> None:
    """Configure an operator's command: only security events, and only to their own destination.

    Raises `LogError` if it cannot be written. The act to be reported is then not carried out.
    """
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO if security is not None else logging.CRITICAL + 1)
    _send_security(security, environment)


def _send_security(security: Path | None, environment: str | None) -> None:
    logger = logging.getLogger(LOGGER)
    for each in logger.handlers[:]:
        logger.removeHandler(each)
        with suppress(OSError):  # a failed write was already reported
            each.close()
    logger.propagate = security is None
    if security is None:
        return
    try:
        handler = _syslog_handler(security) if _is_socket(security) else _file_handler(security)
    except OSError as error:
        raise LogError(
            translate(
                "logs.security: {path}: {cause}. Events cannot be written there.",
                path=security,
                cause=translate_cause(error.strerror),
            )
        ) from None
    handler.setFormatter(_Lines(environment))
    logger.addHandler(handler)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except FileNotFoundError:
        return False


class _Failing:
    """A handler that reports a failed write without any content of the line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Report a full disk, or a syslog daemon that is gone."""
        del self, record
        kind = sys.exc_info()[0]
        logging.getLogger(__name__).error(
            "a security event could not be written: %s", kind.__name__ if kind else "unknown"
        )


class _SecurityFile(_Failing, WatchedFileHandler):
    """Appends to a file, and opens it again after a rotation."""


class _SecuritySyslog(_Failing, SysLogHandler):
    """Sends to the system's log daemon (RFC 3164, facility authpriv)."""


def _file_handler(path: Path) -> logging.Handler:
    path.touch(mode=0o640)
    if not path.is_file():
        # A pipe would block this process until another process reads it.
        raise OSError(errno.EINVAL, "neither a regular file nor a socket")
    return _SecurityFile(path, encoding="utf-8")


def _syslog_handler(path: Path) -> logging.Handler:
    handler = _SecuritySyslog(str(path), facility=SysLogHandler.LOG_AUTHPRIV)
    handler.ident = "makul: "
    return handler


class _Lines(logging.Formatter):
    """A formatter for one JSON object on each line: ECS for security events, else structlog."""

    def __init__(self, environment: str | None) -> None:
        super().__init__()
        self._environment = environment
        self._other = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _add_correlation,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_tracebacks,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return a line without its end."""
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
        """Format the line of a request by hand, because structlog takes ten times as long."""
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


def _add_correlation(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Add the correlation of the request that this thread answers."""
    context = current()
    if context is not None:
        event["correlation"] = context.correlation
    return event


def _without_tracebacks(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Remove tracebacks. Their last line is an exception's message, which may contain data."""
    for key in ("exc_info", "exception", "stack_info"):
        event.pop(key, None)
    return event
