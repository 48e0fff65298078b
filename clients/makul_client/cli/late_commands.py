"""Names of this library that are imported on first use, because `--help` needs none of them.

Importing zeep, signxml and the validation of certificates takes longer than the help of a command.
"""

from importlib import import_module
from typing import Any


class LateName:
    """The stand-in for a function, a class or a module, which loads it on the first call or access.

    It works neither in an instance check nor in `except`. Use it only for names that are called.
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
    """Return a stand-in for a name of a module of this library, or for the module itself."""
    return LateName(f"makul_client.{module}", name)
