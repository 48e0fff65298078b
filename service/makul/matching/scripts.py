"""Correct words that mix Cyrillic and Latin letters, and reject words that remain mixed.

А, с and о look the same in Cyrillic and Latin and are typed for one another. A word that mixes the
two scripts is read in the one script that has all of its letters. If neither script has them, or
both do, nobody can determine which name is meant. A name that looks like one name and is read as
another must not match. So such a word makes the whole name unreadable (compare Unicode UTS 39,
5.1).
"""

import re

_LATIN = "ABCEHIJKMOPSTXYƏaceijopsxyəh"
_CYRILLIC = "АВСЕНІЈКМОРЅТХУӘасеіјорѕхуәһ"
_TO_CYRILLIC = str.maketrans(_LATIN + "ƟÖËɵöë", _CYRILLIC + "ӨӨЁөөё")
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)

_LATIN_LETTER = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff]")
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]")
_WORD = re.compile(r"[^\W\d_]+(?:[\w'\u0300-\u036f]*[^\W\d_])?")


class MixedScriptsError(ValueError):
    """A word mixes Cyrillic and Latin letters, and fits neither script or both."""


def unify_scripts(name: str) -> str:
    """Return the name with each word in one script.

    Raises `MixedScriptsError` if a word mixes both scripts and does not fit exactly one of them.
    """
    if not _is_mixed(name):
        return name
    return _WORD.sub(lambda word: _unify(word[0]), name)


def _is_mixed(text: str) -> bool:
    return bool(_LATIN_LETTER.search(text)) & bool(_CYRILLIC_LETTER.search(text))


def _unify(word: str) -> str:
    if not _is_mixed(word):
        return word
    readings = [
        reading
        for reading, other in (
            (word.translate(_TO_CYRILLIC), _LATIN_LETTER),
            (word.translate(_TO_LATIN), _CYRILLIC_LETTER),
        )
        if not other.search(reading)
    ]
    if len(readings) != 1:
        raise MixedScriptsError
    return readings[0]
