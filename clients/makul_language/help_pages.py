"""Help pages and usage errors in the language in use.

The commands are written in English. If another language is in use, `translated_commands` replaces
the texts of a command tree for one run, and `translate_usage_error` translates what typer itself
says of a wrong use. Both take the catalogs of the program.
"""

import inspect
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cache
from typing import IO, Any, Final

import typer.core
from typer._click import Context, HelpFormatter
from typer._click.exceptions import (
    BadParameter,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer.exceptions import TyperException

from makul_language.translation import Catalogs, Language, current_language, mark

_PANELS: Final = {
    "DEFAULT_STRING": mark("[default: {}]"),
    "ENVVAR_STRING": mark("[env var: {}]"),
    "REQUIRED_LONG_STRING": mark("[required]"),
    "ARGUMENTS_PANEL_TITLE": mark("Arguments"),
    "OPTIONS_PANEL_TITLE": mark("Options"),
    "COMMANDS_PANEL_TITLE": mark("Commands"),
    "ERRORS_PANEL_TITLE": mark("Error"),
    "ABORTED_TEXT": mark("Aborted."),
    "RICH_HELP": mark("Try [blue]'{command_path} {help_option}'[/] for help."),
}
"""The texts of `typer.rich_utils`, which draws help pages with panels, by their names there."""

OWN_TEXTS: Final = (
    mark("[OPTIONS]"),
    mark("COMMAND [ARGS]..."),
    mark("default: {default}"),
    mark("env var: {var}"),
    mark("required"),
    mark("<bool>"),
    mark("<str>"),
    mark("<int>"),
    mark("<int range>"),
    mark("<list[str]>"),
    mark("<file>"),
    mark("<path>"),
    mark("<dir>"),
    mark("Show this message and exit."),
    mark("Install completion for the current shell."),
    mark("Show completion for the current shell, to copy it or customize the installation."),
    mark("Missing command."),
)
"""The other texts of typer that our commands show, for the catalogs."""

_MESSAGES: Final = (
    mark("No such command {name}."),
    mark("No such command {name}. Did you mean {suggestions}?"),
    mark("No such option: {name}"),
    mark("Option {name} requires an argument."),
    mark("Option {name} does not take a value."),
    mark("Got unexpected extra argument(s) ({arguments})"),
    mark("Value error, {value} is not one of {choices}."),
    mark("file {file} does not exist."),
    mark("file {file} is a directory."),
    mark("file {file} is not readable."),
    mark("dir {file} does not exist."),
    mark("dir {file} is a file."),
    mark("path {file} does not exist."),
    mark("{option} (env var: {variable})"),
)
"""The messages of typer with values in them, by which they are recognised."""

_WITH_DETAILS: Final = (
    mark("Input should be a valid UUID"),
    mark("Input should be a valid integer"),
    mark("Input should be greater than or equal to"),
    mark("Input should be less than or equal to"),
)
"""The messages of typer that continue with details in English, which are left out."""

_COMMANDS: Final = "\b\n  "
_EXAMPLES: Final = "\b\nExamples:"


class _Run:
    """One run of a program in another language than English."""

    def __init__(self, catalogs: Catalogs, changes: ExitStack) -> None:
        """Take the catalogs of the program, and the texts to restore at the end."""
        self.catalogs = catalogs
        self.changes = changes

    def change(self, changed_object: Any, name: str, value: object) -> None:
        """Replace an attribute, if there is one, until the run ends."""
        if hasattr(changed_object, name):
            self.changes.callback(setattr, changed_object, name, getattr(changed_object, name))
            setattr(changed_object, name, value)

    def translate_command(self, command: Any) -> None:
        """Replace the texts of a command and of the commands below it."""
        translate = self.catalogs.translate
        self.change(command, "help", translate_page(command.help or "", self.catalogs))
        if hasattr(type(command), "loaded"):  # `translate_loaded` translates the rest
            return
        self.change(command, "epilog", translate_page(command.epilog or "", self.catalogs))
        for name in ("options_metavar", "subcommand_metavar"):
            self.change(command, name, translate(getattr(command, name, "")))
        self.change(command, "context_class", _TranslatedContext)
        self.change(command, "_help_option", None)  # typer keeps it for later runs
        for each in command.params:
            self.change(each, "help", translate_page(each.help or "", self.catalogs))
            self.change(each, "display_type", _DisplayedType(each.display_type, self.catalogs))
        for each in getattr(command, "commands", {}).values():
            self.translate_command(each)


_RUN: Final[ContextVar[_Run | None]] = ContextVar("run", default=None)


class _DisplayedType:
    """The type of a parameter in the language in use, called as typer calls its own."""

    def __init__(self, display_type: Any, catalogs: Catalogs) -> None:
        self.display_type = display_type
        self.catalogs = catalogs

    def __call__(self, context: Context) -> str | None:
        shown = self.display_type(context)
        return shown if shown is None else self.catalogs.translate(shown)


class _TranslatedFormatter(HelpFormatter):
    """The formatter of help pages, whose usage line is in the language in use."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        run = _RUN.get()
        usage = mark("Usage: ")
        translated = usage if run is None else run.catalogs.translate(usage)
        super().write_usage(prog, args, prefix or translated)


class _TranslatedContext(Context):
    """The context of a command, whose help option is in the language in use."""

    formatter_class = _TranslatedFormatter

    def __init__(self, command: Any, *values: Any, **named: Any) -> None:
        super().__init__(command, *values, **named)
        option, run = command.get_help_option(self), _RUN.get()
        if option is not None and run is not None:
            option.help = run.catalogs.translate(option.help or "")
            shown: Any = option
            shown.display_type = _DisplayedType(shown.display_type, run.catalogs)


@contextmanager
def translated_commands(command: Any, catalogs: Catalogs) -> Iterator[None]:
    """Replace the texts of a command and of the commands below it until the block ends."""
    with ExitStack() as changes:
        run = _Run(catalogs, changes)
        token = _RUN.set(run)
        changes.callback(_RUN.reset, token)
        # Typer looks up its own texts by this name, which is gettext's function without a catalog.
        run.change(typer.core, "_", catalogs.translate)
        if command.rich_markup_mode is not None:
            from typer import rich_utils  # noqa: PLC0415 - a plain help page needs no panels

            for name, text in _PANELS.items():
                run.change(rich_utils, name, catalogs.translate(text))
        run.translate_command(command)
        yield


def translate_loaded(command: Any) -> None:
    """Replace the texts of a command that was imported late, if the others are replaced."""
    if (run := _RUN.get()) is not None:
        run.translate_command(command)


def translate_page(text: str, catalogs: Catalogs) -> str:
    """Return a text of a help page, translated paragraph by paragraph."""
    return "\n\n".join(_translate_paragraph(each, catalogs) for each in paragraphs(text))


def paragraphs(text: str) -> Iterator[str]:
    """Return the paragraphs of a help page, as the catalogs contain them.

    The lines of a paragraph are joined, unless it is shown as it is written. Typer marks such a
    paragraph by a backspace.
    """
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        stripped = paragraph.strip("\n")
        yield stripped if stripped.startswith("\b") else " ".join(stripped.split())


def is_example(paragraph: str) -> bool:
    """Return whether a paragraph consists of commands, which are the same in each language."""
    return paragraph.startswith((_COMMANDS, _EXAMPLES))


def _translate_paragraph(paragraph: str, catalogs: Catalogs) -> str:
    if paragraph.startswith(_EXAMPLES):
        title = catalogs.translate(mark("Examples:"))
        return "\b\n" + title + paragraph.removeprefix(_EXAMPLES)
    return paragraph if is_example(paragraph) else catalogs.translate(paragraph)


class TranslatedUsageError(UsageError):
    """A usage error of typer in the language in use."""

    def __init__(self, error: UsageError, catalogs: Catalogs) -> None:
        """Translate the message of an error."""
        super().__init__(_translate_error(error, catalogs), error.ctx)
        self.exit_code = error.exit_code
        self._catalogs = catalogs

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the usage line, how to get help, and the error."""
        translate = self._catalogs.translate
        lines = [translate(mark("Error: {message}"), message=self.format_message())]
        if self.ctx is not None:
            path, option = self.ctx.command_path, self.ctx.help_option_names[0]
            hint = translate(mark("Try '{command}' for help."), command=f"{path} {option}")
            lines = [self.ctx.get_usage(), hint, "", *lines]
        typer.echo("\n".join(lines), file=file, err=file is None)


def translate_usage_error(error: TyperException, catalogs: Catalogs) -> TyperException:
    """Return a usage error in the language in use. Help that is shown as an error is unchanged."""
    is_english = current_language() is Language.EN
    if is_english or not isinstance(error, UsageError) or isinstance(error, NoArgsIsHelpError):
        return error
    return TranslatedUsageError(error, catalogs)


def _translate_error(error: UsageError, catalogs: Catalogs) -> str:
    message = _translate_message(error.message, catalogs)
    translate = catalogs.translate
    if isinstance(error, MissingParameter):
        hint = _translate_hint(error, catalogs)
        if error.param is not None and error.param.param_type_name == "argument":
            return translate(mark("Missing argument {hint}."), hint=hint)
        return translate(mark("Missing option {hint}."), hint=hint)
    if isinstance(error, BadParameter):
        if hint := _translate_hint(error, catalogs):
            template = mark("Invalid value for {hint}: {message}")
            return translate(template, hint=hint, message=message)
        return translate(mark("Invalid value: {message}"), message=message)
    if isinstance(error, NoSuchOption) and error.possibilities:
        names = ", ".join(sorted(error.possibilities))
        return message + translate(mark(" (Possible options: {names})"), names=names)
    return message


def _translate_hint(error: BadParameter, catalogs: Catalogs) -> str:
    if error.param is None:
        return ""
    return _translate_message(error.param.get_error_hint(), catalogs)


def _translate_message(message: str, catalogs: Catalogs) -> str:
    """Return the translation of a message of typer, with the values that it contains."""
    for template in _MESSAGES:
        if match := _pattern(template).fullmatch(message):
            return catalogs.translate(template, **match.groupdict())
    for prefix in _WITH_DETAILS:
        if message.startswith(prefix):
            return catalogs.translate(prefix)
    return catalogs.translate(message)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of messages that a template may have become."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template))
    return re.compile(pattern, re.DOTALL)
