"""How alike two names are: their sounds, habit by habit, one field with the same field.

Fields are never joined or taken in another order: order-free comparison finds a patronymic like a
surname. Reading by habits makes spellings of one name equal (see `folding`); what is equal in no
habit is measured by Jaro-Winkler. Both bounds are chosen by `make bench ARGS="--only names"` on one
half of the names in tests/vectors/names and measured on the other: see docs/performance.md#names.
"""

from collections.abc import Sequence

from rapidfuzz.distance import JaroWinkler

from makul.matching.name_normalization import Sounds, fold

ALGORITHM = "icao9303-fold+jaro-winkler"

THRESHOLD = 0.988
"""From here on it is the same name: the least thousandth that no two names of the tuning half
reach."""

DOUBT = 0.95
"""From here up to the threshold it cannot be determined: spellings and different names overlap.
Half of a double name scores exactly this."""

_PREFIX_WEIGHT = 0.1
"""Winkler's own scale; four letters of prefix at most, as RapidFuzz has it."""

# Son or daughter of: no name, so that it is not half of one.
_KINSHIP = frozenset({"ulu", "uli", "kizi", "ogli", "oglu", "ugli"})


def similarity(given: str, forms: Sequence[str]) -> float:
    """Return how like the given name is to the most alike of these forms, 0.0 to 1.0.

    Every form is compared by every habit, whatever the first ones gave. 0.0 without forms.
    """
    sounds = fold(given)
    return max([_alike(sounds, fold(form)) for form in forms], default=0.0)


def _alike(left: list[Sounds], right: list[Sounds]) -> float:
    return max(map(_compare, left, right))


def _compare(left: Sounds, right: Sounds) -> float:
    """Return 0.0 to 1.0. A name without sounds is like no name, not even like another such.

    Two names that differ by a final а alone are two names, not two spellings: it tells a woman's
    name from a man's (Иванов, Иванова; Азиз, Азиза), and Jaro-Winkler all but overlooks it.
    """
    measured = JaroWinkler.similarity(left.whole, right.whole, prefix_weight=_PREFIX_WEIGHT)
    equal = left.parts == right.parts
    other_sex = left.without_final_a == right.without_final_a
    half = _is_half(left, right) | _is_half(right, left)
    if not (left.whole and right.whole):
        return 0.0
    if equal or other_sex:
        return 1.0 if equal else 0.0
    return DOUBT if half else measured


def _is_half(part: Sounds, name: Sounds) -> bool:
    """Return whether one name is a part of the other, a double one (Иванова, Иванова-Петрова)."""
    return (len(name.parts) > 1) & (part.whole in name.parts) & (part.whole not in _KINSHIP)
