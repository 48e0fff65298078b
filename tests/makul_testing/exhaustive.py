"""The extent of the long tests: a part of all cases, or all of them with `MAKUL_EXHAUSTIVE=1`.

`make test-exhaustive` sets it.
"""

import os
import random
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

EXHAUSTIVE = os.environ.get("MAKUL_EXHAUSTIVE") == "1"


def rounds(usual: int, exhaustive: int) -> int:
    """Return how often a test repeats its work, or the step between its cases."""
    return exhaustive if EXHAUSTIVE else usual


def sample(cases: Iterable[T], most: int, *, seed: int = 20261130) -> list[T]:
    """Return at most `most` of the cases, in their order; each run returns the same ones."""
    every = list(cases)
    if EXHAUSTIVE or len(every) <= most:
        return every
    chosen = sorted(random.Random(seed).sample(range(len(every)), most))  # noqa: S311 - a choice of cases, not a secret
    return [every[number] for number in chosen]
