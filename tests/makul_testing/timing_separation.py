"""A measure of how well two classes of measurements can be distinguished."""

import random
import time
from collections.abc import Callable, Mapping, Sequence


def measure_in_turns(
    work: Mapping[str, Callable[[], object]], count: int, *, seed: int
) -> dict[str, list[int]]:
    """Return the CPU time, in nanoseconds of this thread, of each run of each piece of work.

    The pieces run in turns and in random order, so that other load of the machine affects all of
    them.
    """
    chance = random.Random(seed)  # noqa: S311 -- an order, not a secret
    times: dict[str, list[int]] = {name: [] for name in work}
    for _ in range(count):
        for name in chance.sample(sorted(work), len(work)):
            begun = time.thread_time_ns()
            work[name]()
            times[name].append(time.thread_time_ns() - begun)
    return times


def separate(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the AUC of the best guess: 0.5 if the classes cannot be distinguished, 1.0 if always.

    It is the probability that a value of one class is above one of the other (Mann-Whitney), or its
    complement if that is larger. Only the order of the values counts, so some values that a busy
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
