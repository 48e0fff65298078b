"""Spyne, set up before anything is built with it. The one door through which this room gets it.

What is set here, and why:

* it imports `cgi`, which Python 3.11 deprecates: that warning is not ours to give;
* its loggers print whole requests, personal identification numbers included: they are shut;
* it runs the garbage collector inside requests, once a second: it may not;
* its elements are nillable unless told otherwise: ours never are.
"""

import logging
import warnings
from typing import Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import spyne.const
    from spyne import (
        Application,
        ByteArray,
        ComplexModel,
        Date,
        Fault,
        Integer32,
        MethodContext,
        Service,
        Unicode,
        rpc,
    )
    from spyne.model import ModelBase
    from spyne.protocol.soap import Soap11, Soap12
    from spyne.server import ServerBase

__all__ = [
    "Application",
    "ByteArray",
    "ComplexModel",
    "Date",
    "Fault",
    "Integer32",
    "MethodContext",
    "ServerBase",
    "Service",
    "Soap11",
    "Soap12",
    "Unicode",
    "rpc",
]

_SILENT: Final = logging.CRITICAL + 1

spyne.const.MIN_GC_INTERVAL = float("inf")
ModelBase.Attributes.NULLABLE_DEFAULT = False


def _silence(name: str) -> None:
    logger = logging.getLogger(name)
    logger.setLevel(_SILENT)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())


for _name in (
    "spyne",
    *(name for name in logging.root.manager.loggerDict if name.startswith("spyne.")),
):
    _silence(_name)
