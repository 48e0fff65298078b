"""The configuration of Spyne, and the only module that imports it.

Spyne is configured here before anything is built with it:

* It imports `cgi`, which Python 3.11 deprecates and Python 3.13 lacks. `legacy-cgi` replaces it.
* Its old copy of `six` leaves a finder of the former protocol on `sys.meta_path`. Python 3.12
  ignores it, and Python 3.11 warns at every later import that fails. Another finder replaces it.
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


class _MovedModules(MetaPathFinder, Loader):
    """Finds the modules of `spyne.util.six.moves` by the present protocol (PEP 451).

    Spyne's copy of `six` puts a finder of the former protocol on `sys.meta_path`. Python 3.11 uses
    it with a warning for every import that fails later; Python 3.12 and later ignore it.
    """

    def __init__(self) -> None:
        self._legacy: Any = None

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return the spec of a module of `spyne.util.six.moves`, or None."""
        if not fullname.startswith(_MOVES):
            return None
        self.take_over()
        known = self._legacy is not None and fullname in self._legacy.known_modules
        return spec_from_loader(fullname, self) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the complete module from `six`."""
        module: ModuleType = self._legacy.load_module(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing, because the module is complete."""

    def take_over(self) -> None:
        """Remove the finder of the former protocol from `sys.meta_path` and keep a reference."""
        for finder in list[Any](sys.meta_path):
            former = not hasattr(finder, "find_spec") and hasattr(finder, "known_modules")
            if former and any(each.startswith(_MOVES) for each in finder.known_modules):
                sys.meta_path.remove(finder)
                self._legacy = finder


_MOVES: Final = "spyne.util.six.moves"
_FINDER: Final = _MovedModules()
sys.meta_path.insert(0, _FINDER)

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
    from spyne.model.primitive._base import Boolean
    from spyne.model.primitive.datetime import Date, DateTime
    from spyne.model.primitive.number import Integer32, Integer64
    from spyne.model.primitive.string import Unicode
    from spyne.protocol.soap.soap11 import Soap11
    from spyne.protocol.soap.soap12 import Soap12
    from spyne.server._base import ServerBase
    from spyne.service import Service

_FINDER.take_over()

__all__ = [
    "Application",
    "Boolean",
    "ByteArray",
    "ComplexModel",
    "Date",
    "DateTime",
    "Fault",
    "Integer32",
    "Integer64",
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
