"""The choice of the language of messages and help, before the arguments are parsed.

The first of these decides: the option `--language`, the variable MAKUL_LANGUAGE, the key `language`
of the profile, and the locale. English is the language if none of them names one of the three. An
unknown name is passed over here, because parsing the arguments reports it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from makul_client.errors import MakulError
from makul_client.translation import Language

LANGUAGE_VARIABLE: Final = "MAKUL_LANGUAGE"
PROFILE_VARIABLE: Final = "MAKUL_PROFILE"
_LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The variables of the locale of messages, the strongest first (POSIX, 8.2)."""


def choose_language(arguments: Sequence[str], variables: Mapping[str, str]) -> Language:
    """Return the language for a run with these arguments and environment variables."""
    for name in _names(arguments, variables):
        if name in set(Language):
            return Language(name)
    return Language.EN


def _names(arguments: Sequence[str], variables: Mapping[str, str]) -> Iterator[str]:
    yield _option(_before_command(arguments), "--language") or ""
    yield variables.get(LANGUAGE_VARIABLE, "")
    profile = _option(arguments, "--profile", "-p") or variables.get(PROFILE_VARIABLE)
    if profile:
        yield _language_of(Path(profile))
    locale = next((variables[each] for each in _LOCALE_VARIABLES if variables.get(each)), "")
    yield locale.partition(".")[0].partition("_")[0].lower()


def _before_command(arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments that precede the command. Of these options, one has a value."""
    index = 0
    while index < len(arguments) and arguments[index].startswith("-") and arguments[index] != "--":
        index += 2 if arguments[index] == "--language" else 1
    return arguments[:index]


def _option(arguments: Sequence[str], *names: str) -> str | None:
    """Return the value of the last option with one of these names."""
    found = None
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if argument == "--":
            break
        if argument in names:
            found = next(iter(arguments[index + 1 : index + 2]), found)
        elif name in names and equals:
            found = value
    return found


def _language_of(profile: Path) -> str:
    """Return the language in a profile, or empty text. The command itself reports a bad profile."""
    if not os.path.isfile(profile):  # noqa: PTH113 - `is_file` raises for a name that is too long
        return ""
    from makul_client.toml_table import read_tables  # noqa: PLC0415 - most runs need no TOML here

    try:
        return str(read_tables(profile).get("language", ""))
    except (OSError, MakulError):
        return ""
