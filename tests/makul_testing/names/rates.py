"""Error rates of the comparison of names, and the bounds that the tuning half chooses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import exp, fsum, lgamma, log, log1p

from makul.matching.name_similarity import similarity
from makul_testing.names.pairs import Half, Pair, name_pairs

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """A count of a total, with the two-sided Clopper-Pearson interval of 95 %.

    Pairs that derive from one name are not independent, so the interval is narrower than correct:
    it bounds chance in the pairs, not in a population of citizens.
    """

    count: int
    total: int

    @property
    def share(self) -> float:
        """Return the observed rate."""
        return self.count / self.total

    @property
    def lower(self) -> float:
        """Return the least rate at which as many or more are not improbable."""
        at_least = self.count - 1
        if self.count == 0:
            return 0.0
        return _root(lambda rate: 1 - _at_most(at_least, self.total, rate), rising=True)

    @property
    def upper(self) -> float:
        """Return the greatest rate at which as few or fewer are not improbable."""
        if self.count == self.total:
            return 1.0
        return _root(lambda rate: _at_most(self.count, self.total, rate), rising=False)


def _at_most(count: int, total: int, rate: float) -> float:
    """Return the probability of `count` or fewer, by logarithms, because the terms are
    too small.
    """
    if not 0.0 < rate < 1.0:
        return 1.0 if rate <= 0.0 else 0.0
    return fsum(
        exp(
            lgamma(total + 1)
            - lgamma(at + 1)
            - lgamma(total - at + 1)
            + at * log(rate)
            + (total - at) * log1p(-rate)
        )
        for at in range(count + 1)
    )


def _root(probability: Callable[[float], float], *, rising: bool) -> float:
    """Return the rate at which the probability is half of what the interval omits."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        if (probability(middle) < (1 - CONFIDENCE) / 2) is rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@cache
def scored(half: Half) -> tuple[tuple[Pair, float], ...]:
    """Return every pair of a half with its score."""
    return tuple(
        (pair, similarity(pair.left, [pair.right])) for pair in name_pairs() if pair.half == half
    )


def scores(half: Half, verdict: str, kind: str | None = None) -> list[float]:
    """Return the scores of the pairs of one verdict, and of one kind if it is named."""
    return [
        score
        for pair, score in scored(half)
        if pair.verdict == verdict and kind in {None, pair.kind}
    ]


def kinds(half: Half, verdict: str) -> list[str]:
    """Return the kinds of the pairs of one verdict, the most frequent first."""
    found = [pair.kind for pair, _ in scored(half) if pair.verdict == verdict]
    return sorted(set(found), key=lambda kind: (-found.count(kind), kind))


def choose_threshold() -> float:
    """Return the least thousandth at which similarity alone admits no impostor of the tuning half.

    Names that a habit reads as equal score 1.0, and no threshold distinguishes them.
    """
    unequal = max(score for score in scores("tuning", "impostor") if score < 1.0)
    return next(at / 1000 for at in range(1001) if at / 1000 > unequal)


def choose_doubt() -> float:
    """Return the least hundredth that fewer than half of the tuning half's impostors reach."""
    impostors = scores("tuning", "impostor")
    return next(
        at / 100 for at in range(101) if 2 * count_from(impostors, at / 100) < len(impostors)
    )


def count_from(found: Iterable[float], bound: float) -> int:
    """Return how many scores reach a bound."""
    return sum(score >= bound for score in found)


def false_matches(half: Half, threshold: float, kind: str | None = None) -> Rate:
    """Return how many impostors match."""
    found = scores(half, "impostor", kind)
    return Rate(count_from(found, threshold), len(found))


def false_non_matches(half: Half, bound: float, kind: str | None = None) -> Rate:
    """Return how many genuine pairs stay below a bound."""
    found = scores(half, "genuine", kind)
    return Rate(len(found) - count_from(found, bound), len(found))
