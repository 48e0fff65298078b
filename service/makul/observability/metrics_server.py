"""The metrics server for Prometheus: a process of its own, on an address of its own.

It exports the metrics of the workers and metrics of the whole installation. The latter are read at
each request: the build, the freshness of revocation data, and the lag of the log.
"""

import platform
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Final

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric

from makul.app.ports import Clock, StoreUnavailableError
from makul.app.ports.ledger import LedgerState
from makul.app.ports.notifications import OutboxState
from makul.net.bounded_http_server import BoundedServer, serve_in_thread
from makul.observability import multiprocess
from makul.observability.multiprocess import MultiprocessCollector
from makul.trust.pki.status_report import Freshness

MAX_CONNECTIONS: Final = 16
"""Maximum at once: a pair of Prometheus servers, and an administrator."""
CONNECTION_SECONDS: Final = 30.0
"""Seconds for a request and its answer: longer than Prometheus's default scrape_timeout of 10 s."""


Purposes = Mapping[str, Callable[[datetime], Freshness | None]]
"""Readers of revocation data for documents and for timestamps. None means unreadable."""


LogState = Callable[[], LedgerState]
"""A reader of the state of the log. Raises `StoreUnavailableError`."""

LEDGER: Final = MappingProxyType(
    {
        "makul_ledger_readable": "1 if the log's tables can be read.",
        "makul_ledger_size_leaves": "Leaves that have an index.",
        "makul_ledger_waiting_leaves": "Leaves that have no index yet.",
        "makul_ledger_lag_seconds": "Seconds for which the oldest of these has waited.",
        "makul_ledger_cosigned_leaves": "Size of the largest tree that a witness cosigned.",
        "makul_ledger_checkpoint_age_seconds": "Age of the newest checkpoint.",
    }
)


ReadOutbox = Callable[[datetime], OutboxState]
"""A reader of the state of the outbox of notifications. Raises `StoreUnavailableError`."""

NOTIFICATIONS: Final = MappingProxyType(
    {
        "makul_notifications_readable": "1 if the outbox of notifications can be read.",
        "makul_notifications_waiting": "Notifications that are due and undelivered.",
        "makul_notifications_oldest_seconds": "Seconds for which the oldest of these has waited.",
        "makul_notifications_given_up": "Notifications that were refused too often.",
    }
)


class MetricsSource:
    """Metrics of the whole installation, for a `prometheus_client` registry."""

    def __init__(
        self,
        purposes: Purposes,
        clock: Clock,
        log_state: LogState | None = None,
        read_outbox: ReadOutbox | None = None,
    ) -> None:
        """`log_state` is None if the installation has no log.

        `read_outbox` is None if it sends no notifications.
        """
        self._purposes = purposes
        self._clock = clock
        self._log_state = log_state
        self._read_outbox = read_outbox

    def collect(self) -> Iterable[Metric]:
        """Yield metrics that are read now."""
        build = GaugeMetricFamily(
            "makul_build_info", "The program that serves.", labels=("version", "python")
        )
        build.add_metric((version("makul"), platform.python_version()), 1)
        yield build
        yield from self._revocation()
        if self._log_state is not None:
            yield from self._ledger(self._log_state)
        if self._read_outbox is not None:
            yield from self._notifications(self._read_outbox)

    def _notifications(self, read_outbox: ReadOutbox) -> Iterable[Metric]:
        now = self._clock()
        try:
            values = _outbox_values(read_outbox(now), now)
        except StoreUnavailableError:
            values = {"makul_notifications_readable": 0.0}
        for name, text in NOTIFICATIONS.items():
            if name in values:
                yield GaugeMetricFamily(name, text, value=values[name])

    def _ledger(self, log_state: LogState) -> Iterable[Metric]:
        try:
            state = log_state()
        except StoreUnavailableError:
            state = None
        values = _ledger_values(state, self._clock())
        for name, text in LEDGER.items():
            if name in values:
                yield GaugeMetricFamily(name, text, value=values[name])

    def _revocation(self) -> Iterable[Metric]:
        now = self._clock()
        texts = {
            "makul_revocation_readable": "1 if the trust material can be read.",
            "makul_revocation_stale_lists": "CRLs that have expired or are not understood.",
            "makul_revocation_silent_authorities": "CAs with no revocation data.",
            "makul_revocation_oldest_age_seconds": "Age of the oldest CRL in use.",
            "makul_revocation_next_update_seconds": "Seconds until the first CRL expires.",
        }
        families = {
            name: GaugeMetricFamily(name, text, labels=("purpose",)) for name, text in texts.items()
        }
        for purpose, read_freshness in self._purposes.items():
            for name, value in _values(read_freshness(now), now).items():
                families[name].add_metric((purpose,), value)
        return families.values()


def _ledger_values(state: LedgerState | None, now: datetime) -> dict[str, float]:
    if state is None:
        return {"makul_ledger_readable": 0.0}
    since, signed = state.waiting_since, state.checkpoint_at
    values = {
        "makul_ledger_readable": 1.0,
        "makul_ledger_size_leaves": float(state.size),
        "makul_ledger_waiting_leaves": float(state.waiting),
        "makul_ledger_lag_seconds": (now - since).total_seconds() if since else 0.0,
        "makul_ledger_cosigned_leaves": float(state.cosigned_size or 0),
    }
    if signed is not None:
        values["makul_ledger_checkpoint_age_seconds"] = (now - signed).total_seconds()
    return values


def _outbox_values(state: OutboxState, now: datetime) -> dict[str, float]:
    oldest = state.oldest
    return {
        "makul_notifications_readable": 1.0,
        "makul_notifications_waiting": float(state.waiting),
        "makul_notifications_oldest_seconds": (now - oldest).total_seconds() if oldest else 0.0,
        "makul_notifications_given_up": float(state.given_up),
    }


def _values(freshness: Freshness | None, now: datetime) -> dict[str, float]:
    if freshness is None:
        return {"makul_revocation_readable": 0.0}
    values = {
        "makul_revocation_readable": 1.0,
        "makul_revocation_stale_lists": float(freshness.stale),
        "makul_revocation_silent_authorities": float(freshness.silent),
    }
    if freshness.oldest is not None and freshness.ends is not None:
        values["makul_revocation_oldest_age_seconds"] = (now - freshness.oldest).total_seconds()
        values["makul_revocation_next_update_seconds"] = (freshness.ends - now).total_seconds()
    return values


def serve_metrics(bind: str, registry: CollectorRegistry) -> AbstractContextManager[int]:
    """Serve on this address while the block runs, and yield the port. Raises `OSError`."""
    server = BoundedServer(
        bind,
        make_wsgi_app(registry),
        connections=MAX_CONNECTIONS,
        seconds=CONNECTION_SECONDS,
        methods=(
            "GET",
            "HEAD",
            "POST",
            "OPTIONS",
        ),  # prometheus_client refuses what it does not take
    )
    return serve_in_thread(server, "metrics")


def export(bind: str, directory: Path, installation: MetricsSource) -> None:
    """Serve on this address until stopped. Raises `WorkerMetricsError` and `OSError`."""
    multiprocess.prepare(directory)
    registry = CollectorRegistry()
    registry.register(MultiprocessCollector(directory))
    registry.register(installation)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    with serve_metrics(bind, registry):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        stopped.wait()
