"""Help pages and usage errors in the language in use.

The commands are written in English. If another language is in use, `translated_commands` replaces
the texts of a command tree for one run, and `translate_usage_error` translates what typer itself
says of a wrong use.
"""

import inspect
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, Final

from typer._click import Context, HelpFormatter
from typer._click.exceptions import (
    BadParameter,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer.exceptions import TyperException

from makul.language.translation import Language, current_language, mark, translate

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
"""The texts of `typer.rich_utils`, which draws help pages, by their names there."""

OWN_TEXTS: Final = (
    mark("[OPTIONS]"),
    mark("COMMAND [ARGS]..."),
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

_EXAMPLES: Final = "\b\n  "


_CHANGED: Final[ContextVar[ExitStack | None]] = ContextVar("changed", default=None)
"""The texts to restore at the end of a run in another language than English."""


class _TranslatedFormatter(HelpFormatter):
    """The formatter of help pages, whose usage line is in the language in use."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or translate("Usage: "))


class _TranslatedContext(Context):
    """The context of a command, whose help option is in the language in use."""

    formatter_class = _TranslatedFormatter

    def __init__(self, command: Any, *given: Any, **named: Any) -> None:
        super().__init__(command, *given, **named)
        option = command.get_help_option(self)
        if option is not None:
            option.help = translate(option.help or "")
            shown: Any = option
            shown.display_type = partial(_translate_type, shown.display_type)


@contextmanager
def translated_commands(command: Any) -> Iterator[None]:
    """Replace the texts of a command and of the commands below it until the block ends."""
    from typer import rich_utils

    with ExitStack() as changed:
        token = _CHANGED.set(changed)
        changed.callback(_CHANGED.reset, token)
        for name, text in _PANELS.items():
            _change(rich_utils, name, translate(text), changed)
        _translate_command(command, changed)
        yield


def translate_loaded(command: Any) -> None:
    """Replace the texts of a command that was imported late, if the others are replaced."""
    if (changed := _CHANGED.get()) is not None:
        _translate_command(command, changed)


def _translate_command(command: Any, changed: ExitStack) -> None:
    _change(command, "help", translate_page(command.help or ""), changed)
    if hasattr(type(command), "loaded"):  # `translate_loaded` translates the rest when it is there
        return
    _change(command, "epilog", translate_page(command.epilog or ""), changed)
    for name in ("options_metavar", "subcommand_metavar"):
        _change(command, name, translate(getattr(command, name, "")), changed)
    _change(command, "context_class", _TranslatedContext, changed)
    _change(command, "_help_option", None, changed)  # typer keeps it for later runs
    for each in command.params:
        _change(each, "help", translate_page(each.help or ""), changed)
        _change(each, "display_type", partial(_translate_type, each.display_type), changed)
    for each in getattr(command, "commands", {}).values():
        _translate_command(each, changed)


def _change(changed_object: Any, name: str, value: object, changed: ExitStack) -> None:
    if hasattr(changed_object, name):
        changed.callback(setattr, changed_object, name, getattr(changed_object, name))
        setattr(changed_object, name, value)


def translate_page(text: str) -> str:
    """Return a text of a help page, translated paragraph by paragraph."""
    return "\n\n".join(_translate_paragraph(each) for each in paragraphs(text))


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
    return paragraph.startswith(_EXAMPLES)


def _translate_paragraph(paragraph: str) -> str:
    return paragraph if is_example(paragraph) else translate(paragraph)


def _translate_type(display: Any, context: Context) -> str | None:
    shown = display(context)
    return shown if shown is None else translate(shown)


def translate_usage_error(error: TyperException) -> TyperException:
    """Return a usage error in the language in use. Help that is shown as an error is unchanged."""
    is_english = current_language() is Language.EN
    if is_english or not isinstance(error, UsageError) or isinstance(error, NoArgsIsHelpError):
        return error
    translated = UsageError(_message(error), error.ctx)
    translated.exit_code = error.exit_code
    return translated


def _message(error: UsageError) -> str:
    message = _translate_message(error.message)
    if isinstance(error, MissingParameter):
        hint = _hint(error)
        if error.param is not None and error.param.param_type_name == "argument":
            return translate("Missing argument {hint}.", hint=hint)
        return translate("Missing option {hint}.", hint=hint)
    if isinstance(error, BadParameter):
        if hint := _hint(error):
            return translate("Invalid value for {hint}: {message}", hint=hint, message=message)
        return translate("Invalid value: {message}", message=message)
    if isinstance(error, NoSuchOption) and error.possibilities:
        names = ", ".join(sorted(error.possibilities))
        return message + translate(" (Possible options: {names})", names=names)
    return message


def _hint(error: BadParameter) -> str:
    if error.param is None:
        return ""
    return _translate_message(error.param.get_error_hint())


def _translate_message(message: str) -> str:
    """Return the translation of a message of typer, with the values that it contains."""
    for template in _MESSAGES:
        if found := _pattern(template).fullmatch(message):
            return translate(template, **found.groupdict())
    for prefix in _WITH_DETAILS:
        if message.startswith(prefix):
            return translate(prefix)
    return translate(message)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of messages that a template may have become."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template))
    return re.compile(pattern, re.DOTALL)
