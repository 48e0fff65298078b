"""The root command as programs and shells see it: errors as JSON, the version."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException


class MachineReadableGroup(TyperGroup):
    """A root command whose errors are JSON if `--json` stands among the arguments."""

    as_json = False

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the root's own options; note first whether the caller reads JSON."""
        # An option that is not understood may stand before `--json`, so nothing is parsed for it.
        self.as_json = wants_json(args)
        try:
            with homeless_refused(tuple(args)):  # parsing takes out what it has read
                return super().make_context(info_name, args, parent=parent, **extra)
        except TyperException as error:
            if not self.as_json:
                raise
            self.fail("UsageError", " ".join(error.format_message().split()), error.exit_code)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error in how it was called may become JSON."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if not self.as_json:
                raise
            self.fail("UsageError", " ".join(error.format_message().split()), error.exit_code)

    def fail(self, kind: str, message: str, exit_code: int) -> NoReturn:
        """Report one error, as JSON or in a line on stderr, and end with its exit code."""
        from makul.cli.output import complain, show_error

        if self.as_json:
            show_error(kind, message, exit_code)
        else:
            complain(message)
        raise typer.Exit(exit_code) from None


@contextmanager
def homeless_refused(arguments: Sequence[str]) -> Iterator[None]:
    """Raise a usage error where a completion cannot be installed.

    It is written to the home directory, which a uid without a passwd entry does not have.
    """
    try:
        yield
    except (OSError, RuntimeError):  # RuntimeError: `Path.home` found none
        if "--install-completion" not in arguments:
            raise
        raise typer.BadParameter(
            "there is no home directory that can be written to; --show-completion prints what can"
            " be kept elsewhere"
        ) from None


def refuse_unreadable(arguments: Sequence[str]) -> None:
    """Raise a usage error for an argument whose bytes are no text in the locale's encoding.

    Python keeps such bytes as halves of characters, which nothing can be written with: neither a
    record nor a message.
    """
    for number, argument in enumerate(arguments, start=1):
        if any("\ud800" <= each <= "\udfff" for each in argument):
            raise typer.BadParameter(
                f"argument {number} is not text in this terminal's encoding; a file of such a name"
                " has to be renamed"
            )


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether `--json` is among the options; after `--` stand no options."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--json" in options


def show_version(wanted: bool) -> None:
    """Print the program's version and end."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"makul {version('makul')}")
        raise typer.Exit
