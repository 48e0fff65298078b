"""The operations of the oversight port, one module each (Procedure, cl. 11 and 12)."""

from collections.abc import Sequence
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import iter_modules
from typing import Any

from makul.app.oversight.acts import OversightOperation, OversightPort, OversightServices


def find_operations() -> Sequence[type[OversightOperation[Any, Any]]]:
    """Return every operation of this package, by name: each module that defines one is found."""
    operations = {
        each.name: each
        for module in iter_modules(__path__, f"{__name__}.")
        for _, each in getmembers(import_module(module.name), isclass)
        if issubclass(each, OversightOperation) and each.__module__ == module.name
        if "name" in each.__dict__
    }
    return [operations[name] for name in sorted(operations)]


def build_oversight_port(services: OversightServices) -> OversightPort:
    """Build every operation with these services."""
    return {operation.name: operation(services) for operation in find_operations()}
