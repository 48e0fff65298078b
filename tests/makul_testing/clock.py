"""Clocks that a test moves."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class SteppedClock:
    """Stands still between steps, in either direction."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def step(self, by: timedelta) -> None:
        self.now += by
