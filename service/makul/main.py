"""The program `makul`: the command line, and a runtime that is imported on first use.

`makul --help` does not need most imports of the service (SQL, SOAP, certificates). They take five
times as long to import as the command line itself.
"""

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

from makul.cli import main as command_line
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.runtime import Runtime


class _LateRuntime:
    """A placeholder for `Runtime` until one of its members is used."""

    @cached_property
    def _runtime(self) -> "Runtime":
        try:
            from makul.admin.runtime import Runtime
        except ModuleNotFoundError as error:
            from makul.admin.errors import OperatorError  # `--help` does not import it

            raise OperatorError(
                translate(
                    "{package} is not installed: the client was installed without the service."
                    " Install"
                    " the service: pip install 'makul[service]'",
                    package=error.name,
                )
            ) from None

        return Runtime()

    def __getattr__(self, name: str) -> object:
        return getattr(self._runtime, name)


def main() -> NoReturn:
    """Run the program `makul`."""
    # `_LateRuntime` passes on every member of a runtime, but declares none.
    command_line.run(cast("Runtime", _LateRuntime()))
