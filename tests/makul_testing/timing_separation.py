"""How well two classes of measurements can be told apart."""

import random
import time
from collections.abc import Callable, Mapping, Sequence


def measure_in_turns(
    work: Mapping[str, Callable[[], object]], count: int, *, seed: int
) -> dict[str, list[int]]:
    """Return the CPU time, in nanoseconds of this thread, that each piece of work took each time.

    The pieces run in turns and in random order, so whatever else the machine does meets them alike.
    """
    chance = random.Random(seed)  # noqa: S311 -- an order, not a secret
    taken: dict[str, list[int]] = {name: [] for name in work}
    for _ in range(count):
        for name in chance.sample(sorted(work), len(work)):
            begun = time.thread_time_ns()
            work[name]()
            taken[name].append(time.thread_time_ns() - begun)
    return taken


def separate(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the AUC of the best guess: 0.5 if the classes cannot be told apart, 1.0 if always.

    The probability that a value of one class is above one of the other (Mann-Whitney), or its
    complement where that is larger. Only the order of the values counts, so a few that a busy
    machine made large do not matter.
    """
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    rank_sum, begun = 0.0, 0
    while begun < len(ranked):
        end = begun
        while end < len(ranked) and ranked[end][0] == ranked[begun][0]:
            end += 1
        rank_sum += (begun + 1 + end) / 2 * sum(label for _, label in ranked[begun:end])
        begun = end
    area = (rank_sum - len(other) * (len(other) + 1) / 2) / (len(one) * len(other))
    return max(area, 1 - area)
