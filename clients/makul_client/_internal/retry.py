"""Repeats a request that may succeed later: the same request, under the same id, signed anew.

Repeating is safe because an id discloses at most once: a request that was carried out is answered
with the stored answer. A new id is never made here.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from makul_client.errors import MakulError
from makul_client.models.reasons import Retry
from makul_client.profile import Patience

T = TypeVar("T")

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 20.0
"""Seconds; doubled from the first to the longest where the service names no time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """Bounded by a number of attempts and by the time waited between them."""

    patience: Patience
    pause: Callable[[float], None]

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it succeeds, or fails for good, or patience is at its end."""
        left = self.patience.seconds
        for number in range(1, self.patience.attempts + 1):
            try:
                return attempt()
            except MakulError as error:
                wait = _wait(error, number)
                if wait is None or wait > left or number == self.patience.attempts:
                    raise
                _log.info("%s: attempt %d, again in %.1f s", type(error).__name__, number, wait)
                left -= wait
                self.pause(wait)
        raise AssertionError("a patience of no attempts")


def _wait(error: MakulError, number: int) -> float | None:
    """Seconds until the next attempt; None: it would not help."""
    if error.retry is not Retry.LATER:
        return None
    if error.retry_after is not None:
        return float(error.retry_after)
    longest = min(FIRST_PAUSE * float(2 ** (number - 1)), LONGEST_PAUSE)
    # Spread out, so that a thousand clients do not come back in the same instant.
    return longest * (0.5 + secrets.randbelow(501) / 1000)
