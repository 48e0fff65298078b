"""The repetition of a request that may succeed later: same request, same id, new signature.

Repeating is safe because an id discloses at most once. A request that was already carried out gets
its stored answer. This module never makes a new id.
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
"""The pauses in seconds. They double from the first to the longest if the service names no time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLoop:
    """The retries, limited by the number of attempts and by the total wait between them."""

    patience: Patience
    pause: Callable[[float], None]

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it succeeds, fails permanently, or a limit is reached."""
        remaining = self.patience.seconds
        for number in range(1, self.patience.attempts + 1):
            try:
                return attempt()
            except MakulError as error:
                wait = _wait(error, number)
                if wait is None or wait > remaining or number == self.patience.attempts:
                    raise
                _log.info("%s: attempt %d, again in %.1f s", type(error).__name__, number, wait)
                remaining -= wait
                self.pause(wait)
        raise AssertionError("a patience of no attempts")


def _wait(error: MakulError, number: int) -> float | None:
    """Return the seconds until the next attempt, or None if another attempt cannot help."""
    if error.retry is not Retry.LATER:
        return None
    if error.retry_after is not None:
        return float(error.retry_after)
    longest = min(FIRST_PAUSE * float(2 ** (number - 1)), LONGEST_PAUSE)
    # A random factor, so that a thousand clients do not return at the same instant.
    return longest * (0.5 + secrets.randbelow(501) / 1000)
