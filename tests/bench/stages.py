"""CPU by stage: the parts that `composition` wires, each counting its own time."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from makul.composition.adapters import Adapters

STAGE_OF = {
    "register": "store (reads)",
    "recorder": "store (recording transaction)",
    "documents": "documents",
    "verifier": "trust (consent)",
    "messages": "trust (message)",
    "matcher": "matching",
    "signer": "trust (receipt)",
}


class Meter:
    """Thread CPU by stage, in nanoseconds.

    The parts do not call one another, so nothing is nested.
    """

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()

    def over(self, parts: Adapters) -> Adapters:
        """Return the same parts with meters."""
        metered: dict[str, Any] = {
            name: _Metered(getattr(parts, name), stage, self.spent)
            for name, stage in STAGE_OF.items()
        }
        return replace(parts, **metered)


class _Metered:
    def __init__(self, part: Any, stage: str, spent: Counter[str]) -> None:
        self._part = part
        self._stage = stage
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not callable(value):
            return value
        metered = self._timed(value)
        setattr(self, name, metered)
        return metered

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time_ns()
            try:
                return call(*arguments, **named)
            finally:
                self._spent[self._stage] += time.thread_time_ns() - began

        return timed
