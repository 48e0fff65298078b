"""Spyne, set up before anything is built with it. The one door through which this room gets it.

What is set here, and why:

* it imports `cgi`, which Python 3.11 deprecates: that warning is not ours to give;
* its old copy of `six` leaves a finder of the old kind on `sys.meta_path`, at which every later
  import that fails would warn: one of the present kind takes its place;
* its loggers print whole requests, personal identification numbers included: they are shut;
* it runs the garbage collector inside requests, once a second: it may not;
* its elements are nillable unless told otherwise: ours never are.
"""

import logging
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any, Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", ImportWarning)
    import spyne.const
    from spyne.application import Application
    from spyne.context import MethodContext
    from spyne.decorator import rpc
    from spyne.model._base import AttributesMeta
    from spyne.model.binary import ByteArray
    from spyne.model.complex import ComplexModel
    from spyne.model.fault import Fault
    from spyne.model.primitive.datetime import Date, DateTime
    from spyne.model.primitive.number import Integer32
    from spyne.model.primitive.string import Unicode
    from spyne.protocol.soap.soap11 import Soap11
    from spyne.protocol.soap.soap12 import Soap12
    from spyne.server._base import ServerBase
    from spyne.service import Service

__all__ = [
    "Application",
    "ByteArray",
    "ComplexModel",
    "Date",
    "DateTime",
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
AttributesMeta.NULLABLE_DEFAULT = False


class _MovedModules(MetaPathFinder, Loader):
    """What `spyne.util.six` finds, found by today's protocol (PEP 451)."""

    def __init__(self, legacy: Any) -> None:
        self._legacy = legacy

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """A module of `six.moves`, or None."""
        known = fullname in self._legacy.known_modules
        return spec_from_loader(fullname, self) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module as `six` has it, complete."""
        module: ModuleType = self._legacy.load_module(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


sys.meta_path[:] = [
    finder
    if hasattr(finder, "find_spec") or not hasattr(finder, "known_modules")
    else _MovedModules(finder)
    for finder in sys.meta_path
]


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
