"""Logs as JSON lines on stderr: what happened, when and where. Never whom it was about.

Rooms log through the standard library, codes and references alone; libraries that would print
what they were sent are silenced where they are used.
"""

import logging
import sys

import structlog


def configure_logging(level: int = logging.INFO) -> None:
    """Send every record of this process to stderr, one JSON object a line."""
    processors: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _without_tracebacks(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A traceback's last line is an exception's message, which a library may fill with data."""
    for key in ("exc_info", "exception", "stack_info"):
        event.pop(key, None)
    return event
