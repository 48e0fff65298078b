"""Measure how similar two names are: compare their sounds habit by habit, field with same field.

Fields are never joined or reordered, because a comparison without order finds a patronymic similar
to a surname. The reading by habits makes spellings of one name equal (see
`matching.name_normalization`). Jaro-Winkler measures names that are equal in no habit. Both bounds
are chosen by `make bench ARGS="--only names"` on one half of the names in tests/vectors/names and
measured on the other half (docs/performance.md#names).
"""

from collections.abc import Sequence

from rapidfuzz.distance import JaroWinkler

from makul.matching.name_normalization import Sounds, fold

ALGORITHM = "icao9303-fold+jaro-winkler"

THRESHOLD = 0.988
"""The similarity from which two names count as the same. It is the least thousandth that no two
different names of the tuning half reach."""

DOUBT = 0.95
"""The similarity from which, up to `THRESHOLD`, the result is undetermined. In this range spellings
of one name and different names overlap. One half of a double name scores exactly this value."""

_PREFIX_WEIGHT = 0.1
"""The prefix scale of Winkler. RapidFuzz counts at most four letters of the prefix."""

# The words for "son of" and "daughter of". They are not names, so they are not half of a name.
_KINSHIP = frozenset({"ulu", "uli", "kizi", "ogli", "oglu", "ugli"})


def similarity(name: str, forms: Sequence[str]) -> float:
    """Return the similarity of the given name to the most similar of the forms, 0.0 to 1.0.

    Every form is always compared by every habit, so that the work does not show which one agrees.
    The result is 0.0 if there are no forms.
    """
    sounds = fold(name)
    return max([_best_match(sounds, fold(form)) for form in forms], default=0.0)


def _best_match(left: list[Sounds], right: list[Sounds]) -> float:
    return max(map(_compare, left, right))


def _compare(left: Sounds, right: Sounds) -> float:
    """Return the similarity of two readings, 0.0 to 1.0.

    A name without sounds is similar to no name, not even to another without sounds. Two names that
    differ only by a final а are two names, not two spellings. The final а distinguishes a woman's
    name from a man's (Иванов, Иванова; Азиз, Азиза), and Jaro-Winkler gives it almost no weight.
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
    """Return whether `part` is one half of a double name (Иванова, Иванова-Петрова)."""
    return (len(name.parts) > 1) & (part.whole in name.parts) & (part.whole not in _KINSHIP)
