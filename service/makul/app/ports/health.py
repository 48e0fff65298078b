"""What a service depends on, and how each of it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ReadinessState(StrEnum):
    """How one dependency stands, best first."""

    OK = "ok"
    DEGRADED = "degraded"
    """Requests are answered, some of them with less than they could get: somebody should look."""
    DOWN = "down"
    """No decision can be answered."""


class Check(Protocol):
    """Looks at one dependency. It must be quick; one that raises counts as `DOWN`."""

    def __call__(self) -> ReadinessState: ...


_WORSE = tuple(ReadinessState)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of every dependency, by a name that says nothing of where or what it is."""

    checks: Mapping[str, ReadinessState]

    @property
    def state(self) -> ReadinessState:
        """The worst of them."""
        return max(self.checks.values(), key=_WORSE.index, default=ReadinessState.DOWN)

    @property
    def ready(self) -> bool:
        """May requests be sent here?"""
        return self.state is not ReadinessState.DOWN
