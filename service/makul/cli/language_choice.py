"""The choice of the language of messages and help, before the arguments are parsed.

The first of these decides: the option `--language`, the variable MAKUL_LANGUAGE, the key `language`
of the settings, and the locale. English is the language if none of them names one of the three. An
unknown name is passed over here, because parsing the arguments reports it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from makul.language.translation import Language

LANGUAGE_VARIABLE: Final = "MAKUL_LANGUAGE"
SETTINGS_VARIABLE: Final = "MAKUL_CONFIG"
SETTINGS_FILE: Final = "makul.toml"
"""The settings in the current directory, if neither option nor variable names others."""

MAX_SETTINGS_BYTES: Final = 1024 * 1024
_LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The variables of the locale of messages, the strongest first (POSIX, 8.2)."""


def choose_language(arguments: Sequence[str], variables: Mapping[str, str]) -> Language:
    """Return the language for a run with these arguments and environment variables."""
    for name in _names(arguments, variables):
        if name in set(Language):
            return Language(name)
    return Language.EN


def _names(arguments: Sequence[str], variables: Mapping[str, str]) -> Iterator[str]:
    options = _before_command(arguments)
    yield _option(options, "--language") or ""
    yield variables.get(LANGUAGE_VARIABLE, "")
    settings = _option(options, "--config") or variables.get(SETTINGS_VARIABLE)
    yield _language_of(Path(settings or SETTINGS_FILE))
    locale = next((variables[each] for each in _LOCALE_VARIABLES if variables.get(each)), "")
    yield locale.partition(".")[0].partition("_")[0].lower()


def _before_command(arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments that precede the command. Two of these options have a value."""
    index = 0
    while index < len(arguments) and arguments[index].startswith("-") and arguments[index] != "--":
        index += 2 if arguments[index] in {"--language", "--config"} else 1
    return arguments[:index]


def _option(arguments: Sequence[str], name: str) -> str | None:
    """Return the value of the last option with this name."""
    found = None
    for index, argument in enumerate(arguments):
        given, equals, value = argument.partition("=")
        if argument == name:
            found = next(iter(arguments[index + 1 : index + 2]), found)
        elif given == name and equals:
            found = value
    return found


def _language_of(settings: Path) -> str:
    """Return the language in the settings, or empty text. The command reports bad settings."""
    if not os.path.isfile(settings):  # noqa: PTH113 - `is_file` raises for a name that is too long
        return ""
    from makul.net.files import FileError
    from makul.net.toml import read_toml

    try:
        return str(read_toml(settings, MAX_SETTINGS_BYTES).get("language", ""))
    except (OSError, FileError):
        return ""
