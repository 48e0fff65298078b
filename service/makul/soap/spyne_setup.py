"""The configuration of Spyne, and the only module that imports it.

Spyne is configured here before anything is built with it:

* It imports `cgi`, which Python 3.11 deprecates. The warning is suppressed.
* Its old copy of `six` leaves a legacy finder on `sys.meta_path`, which would cause a warning with
  every later import that fails. A finder of the present protocol replaces it.
* Its loggers print whole requests, including personal identification numbers. They are silenced.
* It runs the garbage collector inside requests, once a second. This is disabled.
* Its elements are nillable by default. The elements of the service are not nillable.
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
    """A finder that finds the modules of `spyne.util.six` by the present protocol (PEP 451)."""

    def __init__(self, legacy: Any) -> None:
        self._legacy = legacy

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return the spec of a module of `six.moves`, or None."""
        known = fullname in self._legacy.known_modules
        return spec_from_loader(fullname, self) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the complete module from `six`."""
        module: ModuleType = self._legacy.load_module(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing, because the module is complete."""


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
