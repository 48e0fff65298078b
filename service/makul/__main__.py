"""The program `makul`: the command line, and the runtime that is loaded when a command needs it.

Most of what the service imports (SQL, SOAP, certificates) is of no use to `makul --help`, and takes
five times as long to import as the command line itself.
"""

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

from makul.cli import main as command_line

if TYPE_CHECKING:
    from makul.admin.models import Runtime


class _LateRuntime:
    """Stands for the `LocalRuntime` until something of it is used."""

    @cached_property
    def _runtime(self) -> "Runtime":
        from makul.main import LocalRuntime

        return LocalRuntime()

    def __getattr__(self, name: str) -> object:
        return getattr(self._runtime, name)


def main() -> NoReturn:
    """Run the program `makul`."""
    # The protocol has no member that `_LateRuntime` does not pass on, but it declares none.
    command_line.run(cast("Runtime", _LateRuntime()))


if __name__ == "__main__":
    main()
