"""States of the dependencies of a service."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ReadinessState(StrEnum):
    """The state of one dependency, in order from best to worst."""

    OK = "ok"
    DEGRADED = "degraded"
    """Requests are answered, some with less than they could get. An operator should investigate."""
    DOWN = "down"
    """No decision can be answered."""


class Check(Protocol):
    """Checks one dependency. A check must be quick; a check that raises counts as `DOWN`."""

    def __call__(self) -> ReadinessState: ...


_WORSE = tuple(ReadinessState)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of every dependency, by a name that reveals neither its location nor its nature."""

    checks: Mapping[str, ReadinessState]

    @property
    def state(self) -> ReadinessState:
        """The worst of the states."""
        return max(self.checks.values(), key=_WORSE.index, default=ReadinessState.DOWN)

    @property
    def ready(self) -> bool:
        """True if requests may be sent to this service."""
        return self.state is not ReadinessState.DOWN
