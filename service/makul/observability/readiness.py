"""Readiness of the service and its dependencies. Results are cached against frequent probes."""

import logging
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from makul.app.ports.health import Check, Readiness, ReadinessState

KEPT_SECONDS: Final = 1.0
"""Seconds for which a result is reused, so that probes cannot put load on the store."""

STUCK_SECONDS: Final = 10.0
"""Seconds after which a running check counts as down. Until then the last result counts."""

log = logging.getLogger(__name__)


class CachedCheck:
    """An expensive check that runs at most once in so many seconds."""

    def __init__(self, check: Check, seconds: float) -> None:
        self._check = check
        self._seconds = seconds
        self._until = 0.0
        self._state = ReadinessState.DOWN

    def __call__(self) -> ReadinessState:
        """Return the state, possibly cached. A state that is not OK is checked again."""
        now = time.monotonic()
        if self._state is not ReadinessState.OK or now >= self._until:
            self._state = self._check()
            self._until = now + self._seconds
        return self._state


class ReadinessProbe:
    """All checks of one worker. Thread-safe: one thread checks, and the others do not wait."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._logged: Mapping[str, ReadinessState] = {}
        self._result = Readiness(MappingProxyType(dict.fromkeys(checks, ReadinessState.DOWN)))

    def __call__(self) -> Readiness:
        """Return the state of every check. Never raises."""
        if time.monotonic() < self._checked_at + KEPT_SECONDS:
            return self._result
        if not self._lock.acquire(blocking=False):
            return self._last_result()
        try:
            self._result = self._run_checks()
            self._checked_at = time.monotonic()
        finally:
            self._lock.release()
        return self._result

    def _last_result(self) -> Readiness:
        if time.monotonic() < self._checked_at + STUCK_SECONDS:
            return self._result
        return Readiness(MappingProxyType(dict.fromkeys(self._checks, ReadinessState.DOWN)))

    def _run_checks(self) -> Readiness:
        states = {name: _state(name, check) for name, check in self._checks.items()}
        for name, state in states.items():
            if state is not self._logged.get(name, ReadinessState.OK):
                log.warning("check %s is %s", name, state.value)
        self._logged = states
        return Readiness(MappingProxyType(states))


def _state(name: str, check: Check) -> ReadinessState:
    # A check queries the store, a token's driver or an authority's CRL, each with exceptions of its
    # own. An unexpected exception must count as DOWN, and must not prevent the other results.
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("check %s broke: %s", name, type(error).__name__)
        return ReadinessState.DOWN
