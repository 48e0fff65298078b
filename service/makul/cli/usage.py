"""The root command for programs and shells: errors as JSON, shell completion, the version."""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from makul.cli.language_choice import CHOICE
from makul.language.translation import CATALOGS, Language, current_language, translate, use_language
from makul_language.help_pages import translate_usage_error, translated_commands


class MachineReadableGroup(TyperGroup):
    """A root command that reports errors as JSON if `--json` is among the arguments."""

    as_json = False

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run the program with the language that the operator chose."""
        arguments = list(sys.argv[1:] if args is None else args)
        with ExitStack() as run:
            run.enter_context(use_language(CHOICE.choose(arguments, os.environ)))
            if current_language() is not Language.EN:
                use_utf8()
                run.enter_context(translated_commands(self, CATALOGS))
            return super().main(arguments, *more, **extra)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the root's own options, and determine first whether the caller reads JSON."""
        # The arguments are searched before parsing, because an invalid option may precede `--json`.
        self.as_json = wants_json(args)
        try:
            with homeless_refused(tuple(args)):  # parsing removes the arguments that it has read
                return super().make_context(info_name, args, parent=parent, **extra)
        except TyperException as error:
            self._fail_usage(translate_usage_error(error, CATALOGS))

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and report a usage error as JSON if the caller reads JSON."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            self._fail_usage(translate_usage_error(error, CATALOGS))

    def _fail_usage(self, error: TyperException) -> NoReturn:
        if not self.as_json:
            raise error from None
        self.fail("UsageError", " ".join(error.format_message().split()), error.exit_code)

    def fail(self, kind: str, message: str, exit_code: int) -> NoReturn:
        """Report one error, as JSON or in one line on stderr, and exit with its exit code."""
        from makul.cli.output import complain, show_error

        if self.as_json:
            show_error(kind, message, exit_code)
        else:
            complain(message)
        raise typer.Exit(exit_code) from None


def use_utf8() -> None:
    """Set UTF-8 on both standard streams. Other encodings lack the letters of the language."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def homeless_refused(arguments: Sequence[str]) -> Iterator[None]:
    """Raise a usage error if a shell completion cannot be installed.

    The completion is written to the home directory. A uid without a passwd entry has none.
    """
    try:
        yield
    except (OSError, RuntimeError):  # RuntimeError: `Path.home` found no directory
        if "--install-completion" not in arguments:
            raise
        raise typer.BadParameter(
            translate(
                "there is no home directory that can be written to; --show-completion prints what"
                " can be kept elsewhere",
            )
        ) from None


def refuse_unreadable(arguments: Sequence[str]) -> None:
    """Raise a usage error for an argument that is not text in the encoding of the locale.

    Python keeps such bytes as surrogates, which cannot be encoded. They could be written neither to
    a record nor to a message.
    """
    for number, argument in enumerate(arguments, start=1):
        if any("\ud800" <= each <= "\udfff" for each in argument):
            raise typer.BadParameter(
                translate(
                    "argument {number} is not text in this terminal's encoding; a file of such a"
                    " name"
                    " has to be renamed",
                    number=number,
                )
            )


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether `--json` is among the options. No option follows `--`."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--json" in options


def show_version(is_requested: bool) -> None:
    """Print the version of the program and exit."""
    if is_requested:
        from importlib.metadata import version

        typer.echo(f"makul {version('makul')}")
        raise typer.Exit
