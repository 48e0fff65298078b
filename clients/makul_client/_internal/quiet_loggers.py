"""The filters that stop the client's libraries from logging personal data.

The libraries log whole messages at DEBUG and unreadable values at ERROR. An operator who enables
DEBUG for another reason would find personal data in the logs. A filter survives a later
`logging.config.dictConfig`, unlike a level or `disabled`.
"""

import logging
from typing import Final

LOUD: Final = (
    "signxml.processor",  # logs every canonicalised byte that it signs or verifies
    "zeep.transports",  # logs whole requests and answers
    "zeep.wsdl.bindings.soap",
    "zeep.xsd.elements.attribute",  # logs values that it cannot read, with a traceback
    "zeep.xsd.types.any",
    "zeep.xsd.types.simple",
)
"""The loggers through which the content of a message can reach a log."""


def _reject(_record: logging.LogRecord) -> bool:
    return False


def keep_libraries_quiet() -> None:
    """Silence these loggers for the whole process. A second call is harmless."""
    for name in LOUD:
        logging.getLogger(name).addFilter(_reject)
