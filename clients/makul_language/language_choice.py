"""The choice of the language of messages and help, before the arguments are parsed.

The first of these decides: the option `--language`, the variable MAKUL_LANGUAGE, the key `language`
of the program's file (a profile or settings), and the locale. English is the language if none of
them names one of the three. An unknown name is passed over here, because parsing the arguments
reports it.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from makul_language.translation import Language

LANGUAGE_OPTION: Final = "--language"
LANGUAGE_VARIABLE: Final = "MAKUL_LANGUAGE"
_LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The variables of the locale of messages, the strongest first (POSIX, 8.2)."""


class LanguageChoice(NamedTuple):
    """How one program names the file whose key `language` it reads."""

    options: tuple[str, ...]
    """The names of the option that names the file."""
    variable: str
    """The variable that names the file if the option is absent."""
    read_language: Callable[[Path], object]
    """Return the value of the key, or empty text. The command itself reports a bad file."""
    default: str = ""
    """The file if neither option nor variable names one."""
    options_precede_command: bool = False
    """Whether the option is one of the root command. Otherwise it may be anywhere."""

    def choose(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Language:
        """Return the language for a run with these arguments and environment variables."""
        for name in self._names(arguments, variables):
            if name in set(Language):
                return Language(name)
        return Language.EN

    def _names(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Iterator[str]:
        of_the_root = self._before_command(arguments)
        yield _option(of_the_root, LANGUAGE_OPTION) or ""
        yield variables.get(LANGUAGE_VARIABLE, "")
        of_the_file = of_the_root if self.options_precede_command else arguments
        file = _option(of_the_file, *self.options) or variables.get(self.variable) or self.default
        # `Path.is_file` raises for a name that is too long.
        if file and os.path.isfile(file):  # noqa: PTH113
            yield str(self.read_language(Path(file)))
        locale = next((variables[each] for each in _LOCALE_VARIABLES if variables.get(each)), "")
        yield locale.partition(".")[0].partition("_")[0].lower()

    def _before_command(self, arguments: Sequence[str]) -> Sequence[str]:
        """Return the arguments that precede the command."""
        options_with_value = {LANGUAGE_OPTION}
        if self.options_precede_command:
            options_with_value.update(self.options)
        index = 0
        while index < len(arguments) and arguments[index].startswith("-"):
            if arguments[index] == "--":
                break
            index += 2 if arguments[index] in options_with_value else 1
        return arguments[:index]


def _option(arguments: Sequence[str], *names: str) -> str | None:
    """Return the value of the last option with one of these names."""
    value = None
    for index, argument in enumerate(arguments):
        name, equals, joined_value = argument.partition("=")
        if argument == "--":
            break
        if argument in names:
            value = next(iter(arguments[index + 1 : index + 2]), value)
        elif name in names and equals:
            value = joined_value
    return value
