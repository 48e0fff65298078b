"""The root command as programs and shells see it: usage errors as JSON, the version."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from makul_client.cli.output import print_error_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class MachineReadableGroup(TyperGroup):
    """A root command whose usage errors are JSON if `--json` stands among the arguments."""

    as_json = False

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the root's own options; note first whether the caller reads JSON."""
        # An option that is not understood may stand before `--json`, so nothing is parsed for it.
        self.as_json = wants_json(args)
        try:
            refuse_unreadable(args)
            with homeless_refused(tuple(args)):  # parsing takes out what it has read
                return super().make_context(info_name, args, parent=parent, **extra)
        except TyperException as error:
            if not self.as_json:
                raise
            _fail(error)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error in how it was called may become JSON."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if not self.as_json:
                raise
            _fail(error)


def _fail(error: TyperException) -> NoReturn:
    """Print a usage error with the same keys as every other error; nothing was sent."""
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
    """Raise a usage error for an argument whose bytes are text neither in the locale nor in UTF-8.

    Python keeps such bytes as halves of characters, which nothing can be written with: neither a
    record nor a message. In an ASCII locale it keeps UTF-8 so as well; `as_typed` reads that.
    """
    for number, argument in enumerate(arguments, start=1):
        if not _is_text(argument):
            raise typer.BadParameter(
                f"argument {number} is not text in this terminal's encoding; a file of such a name"
                " has to be renamed"
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
    """Return whether `--json` is among the options; after `--` stand no options."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--json" in options


def show_version(wanted: bool) -> None:
    """Print the program's version and end."""
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - needed by no other command

        typer.echo(f"makul-client {version('makul')}")
        raise typer.Exit
