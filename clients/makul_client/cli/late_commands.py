"""Names of this library that are loaded when they are used: `--help` needs none of them.

zeep, signxml and the validation of certificates take longer to import than a command's help takes.
"""

from importlib import import_module
from typing import Any


class LateName:
    """Stands for a function, a class or a module until it is called or asked for something.

    No instance check and no `except` can be made with it: use it for names that are only called.
    """

    __slots__ = ("_module", "_name")

    def __init__(self, module: str, name: str | None) -> None:
        self._module = module
        self._name = name

    def _load(self) -> Any:
        module = import_module(self._module)
        return module if self._name is None else getattr(module, self._name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Load the name and call it."""
        return self._load()(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)


def late(module: str, name: str | None = None) -> Any:
    """Return what stands for a name of a module of this library, or for the module itself."""
    return LateName(f"makul_client.{module}", name)
