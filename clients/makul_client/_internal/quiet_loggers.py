"""Keeps the libraries beneath from logging what they handle.

They log whole messages at DEBUG and unreadable values at ERROR: personal data, in the logs of
whoever turns DEBUG on to look for something else. A filter, unlike a level or `disabled`,
outlives a later `logging.config.dictConfig`.
"""

import logging
from typing import Final

LOUD: Final = (
    "signxml.processor",  # every canonicalised byte it signs or verifies
    "zeep.transports",  # whole requests and answers
    "zeep.wsdl.bindings.soap",
    "zeep.xsd.elements.attribute",  # values it cannot read, with a traceback
    "zeep.xsd.types.any",
    "zeep.xsd.types.simple",
)
"""The loggers through which a message's content can reach a log."""


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def keep_libraries_quiet() -> None:
    """Silence the loud loggers for the whole process; doing it twice is harmless."""
    for name in LOUD:
        logging.getLogger(name).addFilter(_nothing)
