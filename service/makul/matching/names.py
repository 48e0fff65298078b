"""How alike two names are: their sounds, compared by Jaro-Winkler, one field with the same field.

Fields are never joined or taken in another order: order-free comparison finds a patronymic like a
surname. Folding already makes the habits of spelling equal (see `folding`), so the threshold can be
strict; what it still forgives is about one sound too many in a long name. How it was chosen: the
pairs in tests/vectors/names, measured in tests/matching/test_names.py.
"""

from collections.abc import Sequence

from rapidfuzz.distance import JaroWinkler

from makul.matching.folding import fold

ALGORITHM = "icao9303-fold+jaro-winkler"

THRESHOLD = 0.979
"""From here on it is the same name. Above every pair of different names in the vectors (the most
alike, Жаныбек and Жанышбек, are 0.975) and below true variants that differ by one sound in nine."""

DOUBT = 0.95
"""From here up to the threshold it cannot be told: spellings and different names overlap."""

_PREFIX_WEIGHT = 0.1
"""Winkler's own scale; four letters of prefix at most, as RapidFuzz has it."""


def similarity(given: str, forms: Sequence[str]) -> float:
    """How like the given name is to the most alike of these forms, 0.0 to 1.0; of none, 0.0.

    Every form is compared, whatever the first ones gave.
    """
    sounds = fold(given)
    return max([_alike(sounds, fold(form)) for form in forms], default=0.0)


def _alike(left: str, right: str) -> float:
    """0.0 to 1.0. A name without sounds is like no name, not even like another such.

    Two names that differ by a final а alone are two names, not two spellings: it tells a woman's
    name from a man's (Иванов, Иванова; Азиз, Азиза), and Jaro-Winkler all but overlooks it.
    """
    score = JaroWinkler.similarity(left, right, prefix_weight=_PREFIX_WEIGHT)
    comparable = bool(left) and bool(right) and not _differ_by_final_a(left, right)
    return score if comparable else 0.0


def _differ_by_final_a(left: str, right: str) -> bool:
    return left + "a" == right or right + "a" == left
