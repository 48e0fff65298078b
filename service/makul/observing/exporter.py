"""Tells the numbers to Prometheus: a process of its own, on an address of its own.

Besides what the workers count it tells what is true of the installation as a whole, looked at when
it is asked: the build, and how fresh revocation data are.
"""

import platform
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric

from makul.app.ports import Clock
from makul.observing import spool
from makul.observing.spool import SpoolCollector

EXPOSED: Final = "/metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationData:
    """How fresh the revocation data of one purpose are."""

    stale: int
    silent: int
    oldest: datetime | None
    ends: datetime | None


Purposes = Mapping[str, Callable[[datetime], RevocationData | None]]
"""Where revocation data of documents and of timestamps are looked up; None: they are unreadable."""


class Installation:
    """What is true of the installation as a whole, for a `prometheus_client` registry."""

    def __init__(self, purposes: Purposes, clock: Clock) -> None:
        self._purposes = purposes
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        """Looked at now."""
        build = GaugeMetricFamily(
            "makul_build_info", "The program that serves.", labels=("version", "python")
        )
        build.add_metric((version("makul"), platform.python_version()), 1)
        yield build
        yield from self._revocation()

    def _revocation(self) -> Iterable[Metric]:
        now = self._clock()
        told = {
            "makul_revocation_readable": "1 where trusted material can be read.",
            "makul_revocation_stale_lists": "CRLs that have run out or cannot tell.",
            "makul_revocation_silent_authorities": "CAs of whose certificates nothing is stated.",
            "makul_revocation_oldest_age_seconds": "Age of the oldest CRL in use.",
            "makul_revocation_next_update_seconds": "Seconds until the first CRL runs out.",
        }
        families = {
            name: GaugeMetricFamily(name, text, labels=("purpose",)) for name, text in told.items()
        }
        for purpose, look in self._purposes.items():
            for name, value in _values(look(now), now).items():
                families[name].add_metric((purpose,), value)
        return families.values()


def _values(found: RevocationData | None, now: datetime) -> dict[str, float]:
    if found is None:
        return {"makul_revocation_readable": 0.0}
    values = {
        "makul_revocation_readable": 1.0,
        "makul_revocation_stale_lists": float(found.stale),
        "makul_revocation_silent_authorities": float(found.silent),
    }
    if found.oldest is not None and found.ends is not None:
        values["makul_revocation_oldest_age_seconds"] = (now - found.oldest).total_seconds()
        values["makul_revocation_next_update_seconds"] = (found.ends - now).total_seconds()
    return values


def export(bind: str, directory: Path, purposes: Purposes, clock: Clock) -> None:
    """Answer on that address until stopped. Raises `SpoolError` and `OSError`."""
    spool.prepare(directory)
    registry = CollectorRegistry()
    registry.register(SpoolCollector(directory))
    registry.register(Installation(purposes, clock))
    host, _, port = bind.rpartition(":")
    server, _thread = start_http_server(int(port), host.strip("[]"), registry=registry)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    stopped.wait()
    server.shutdown()
