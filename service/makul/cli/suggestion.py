"""Suggestion of a known name for a mistyped one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from makul.language.translation import translate


def suggest_name(
    name: str, known: Iterable[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return `; did you mean NAME?` if a known name is similar, otherwise an empty string.

    The given name is not repeated, because it may be a value. `aliases` are other words for names.
    """
    plain = {_simplify(each): each for each in known}
    plain |= {_simplify(alias): each for alias, each in aliases.items()}
    matches = get_close_matches(_simplify(name)[:64], list(plain), n=1, cutoff=0.7)
    return describe_suggestion(plain[matches[0]]) if matches else ""


def describe_suggestion(name: str) -> str:
    """Return the end of a message that suggests this name."""
    return translate("; did you mean {name}?", name=name)


def _simplify(name: str) -> str:
    """Return a name without its most frequent typing errors: capitals, `_` and `-`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
