"""The root command for programs and shells: usage errors as JSON, and the version."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from makul_client.cli.language_choice import CHOICE
from makul_client.cli.output import print_error_fields
from makul_client.cli.output_files import use_utf8
from makul_client.cli.program import RECIPIENT_PROGRAM, program_name, use_program
from makul_client.translation import (
    CATALOGS,
    Language,
    current_language,
    translate,
    use_language,
)
from makul_language.help_pages import translate_usage_error, translated_commands
from makul_language.language_choice import LANGUAGE_VARIABLE, LanguageChoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType


class MachineReadableGroup(TyperGroup):
    """The root command, which reports usage errors as JSON if `--json` is among the arguments."""

    as_json = False
    program: ClassVar[str] = RECIPIENT_PROGRAM
    language_choice: ClassVar[LanguageChoice] = CHOICE

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run the program with the language that the caller chose."""
        arguments = list(sys.argv[1:] if args is None else args)
        with ExitStack() as run:
            run.enter_context(use_program(self.program))
            run.enter_context(use_language(self.language_choice.choose(arguments, os.environ)))
            if current_language() is not Language.EN:
                run.enter_context(translated_commands(self, CATALOGS))
            return super().main(arguments, *more, **extra)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Determine whether the caller reads JSON, then parse the options of the root command."""
        # An unknown option may precede `--json`, so this must not depend on parsing.
        self.as_json = wants_json(args)
        try:
            refuse_unreadable(args)
            # a tuple, because parsing removes items from the list
            with refuse_missing_home(tuple(args)):
                return super().make_context(info_name, args, parent=parent, **extra)
        except TyperException as error:
            self._fail(translate_usage_error(error, CATALOGS))

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Report an error of its usage as JSON if the caller reads JSON."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            self._fail(translate_usage_error(error, CATALOGS))

    def _fail(self, error: TyperException) -> NoReturn:
        """Print a usage error with the keys of every other error. Nothing was sent."""
        if not self.as_json:
            raise error from None
        print_error_fields(
            {
                "kind": "UsageError",
                "message": " ".join(error.format_message().split()),
                "request_id": None,
                "retry": None,
                "retry_after": None,
                "reasons": (),
            }
        )
        raise typer.Exit(error.exit_code) from None


@contextmanager
def refuse_missing_home(arguments: Sequence[str]) -> Iterator[None]:
    """Raise a usage error if the shell completion cannot be installed.

    Typer writes it to the home directory, which a uid without a passwd entry does not have.
    """
    try:
        yield
    except (OSError, RuntimeError):  # `Path.home` raises RuntimeError if there is no home
        if "--install-completion" not in arguments:
            raise
        raise typer.BadParameter(
            translate(
                "there is no home directory that can be written to; --show-completion prints what"
                " can be kept elsewhere"
            )
        ) from None


def refuse_unreadable(arguments: Sequence[str]) -> None:
    """Raise a usage error for an argument that is text neither in the locale nor in UTF-8.

    Python keeps such bytes as lone surrogates, which neither a record nor a message can contain. In
    an ASCII locale it keeps UTF-8 in this way too. `as_typed` decodes that.
    """
    for number, argument in enumerate(arguments, start=1):
        if not _is_text(argument):
            raise typer.BadParameter(
                translate(
                    "argument {number} is not text in this terminal's encoding; a file of such a"
                    " name has to be renamed",
                    number=number,
                )
            )


def _is_text(argument: str) -> bool:
    if not any("\ud800" <= each <= "\udfff" for each in argument):
        return True
    try:
        os.fsencode(argument).decode()
    except UnicodeError:
        return False
    return True


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether `--json` is among the options. Arguments after `--` are not options."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--json" in options


def show_version(requested: bool) -> None:
    """Print the version of the program and exit."""
    if requested:
        from importlib.metadata import version  # noqa: PLC0415 - needed by no other command

        typer.echo(f"{program_name()} {version('makul')}")
        raise typer.Exit


def exit_on_signal(number: int, _frame: FrameType | None) -> None:
    """End with the exit code of the signal, but release reserved files first."""
    raise SystemExit(128 + number)


LanguageOption = Annotated[
    Language | None,
    typer.Option(
        envvar=LANGUAGE_VARIABLE,
        help="The language of messages and help; default: the locale's.",
    ),
]
VersionOption = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", is_eager=True, callback=show_version),
]
"""The options that precede a command in both programs. `MachineReadableGroup` reads the language
before it parses."""


def new_program(
    group: type[MachineReadableGroup], *, introduction: str, exit_codes: str
) -> typer.Typer:
    """Return the root command of a program."""
    return typer.Typer(
        name=group.program,
        cls=group,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,  # a traceback would show a person's data
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog=exit_codes,
        help=introduction,
    )


def run_program(app: typer.Typer) -> None:
    """Run the command line of a program."""
    use_utf8()
    with suppress(ValueError):  # Python allows signal handlers only in the main thread
        signal.signal(signal.SIGTERM, exit_on_signal)
    app()
