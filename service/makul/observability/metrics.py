"""The metrics of the service for Prometheus. docs/operating/metrics.md lists all of them.

Labels come from closed lists: listeners of the settings, operations, outcomes, reasons, stages. No
label identifies a subject or an employee. Recipients are distinguished only if a setting says so.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from makul.observability.request_context import DecisionSummary, RequestContext, Stage
from makul.observability.security_log import redact_member_code

BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)
"""Seconds. A disclosure alone takes some 6 ms; a worker that is silent for 30 s is replaced."""

NO_OPERATION: Final = "none"
"""The operation of a message that failed before its operation was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """The metrics and their labels."""

    requests: Counter
    faults: Counter
    decisions: Counter
    reasons: Counter
    recipients: Counter
    seconds: Histogram
    stage_seconds: Histogram
    in_flight: Gauge
    workers: Gauge
    store_retries: Counter
    thread_errors: Counter


def instruments() -> Instruments:
    """Create all metrics once for each process, in a write-only registry of their own."""
    registry = CollectorRegistry()
    counter = partial(Counter, registry=registry)
    seconds = partial(Histogram, buckets=BUCKETS, registry=registry)
    gauge = partial(Gauge, multiprocess_mode="livesum", registry=registry)
    labels = ("listener", "operation")
    decided = (*labels, "outcome")
    return Instruments(
        requests=counter("makul_requests_total", "Requests by HTTP status.", (*labels, "status")),
        faults=counter("makul_faults_total", "Reasons of SOAP faults.", (*labels, "code")),
        decisions=counter(
            "makul_decisions_total", "Recorded decisions and repeated stored answers.", decided
        ),
        reasons=counter(
            "makul_decision_reasons_total",
            "Reasons of recorded decisions; one decision may have several.",
            (*decided, "code"),
        ),
        recipients=counter(
            "makul_recipient_decisions_total",
            "Recorded decisions by recipient; only with metrics.recipients.",
            ("recipient", "outcome"),
        ),
        seconds=seconds(
            "makul_request_seconds", "From the request's arrival to its complete answer.", labels
        ),
        stage_seconds=seconds(
            "makul_room_seconds",
            "Time of a request in one stage of its processing.",
            ("listener", "room"),
        ),
        in_flight=gauge("makul_requests_in_flight", "Requests being answered.", ("listener",)),
        workers=gauge("makul_workers", "Worker processes that serve.", ("listener",)),
        store_retries=counter(
            "makul_store_retries_total",
            "Transactions of the store repeated after a conflict.",
            ("listener",),
        ),
        thread_errors=counter(
            "makul_thread_errors_total",
            "Unexpected errors of a background thread, which continued.",
            ("listener", "thread"),
        ),
    )


class Metrics:
    """The metrics of one worker."""

    def __init__(self, listener: str, *, recipients: bool) -> None:
        metrics = instruments()
        self._listener = listener
        self._instruments = metrics
        self._counts_recipients = recipients
        self._in_flight = metrics.in_flight.labels(listener)
        self._retries = metrics.store_retries.labels(listener)
        self._stages = {
            stage: metrics.stage_seconds.labels(listener, stage.value) for stage in Stage
        }
        self._children: dict[tuple[object, ...], Any] = {}
        metrics.workers.labels(listener).set(1)

    def count_begun(self) -> None:
        """Count a request that has arrived."""
        self._in_flight.inc()

    def count_ended(self, context: RequestContext) -> None:
        """Count a request that has been answered."""
        self._in_flight.dec()
        metrics, listener = self._instruments, self._listener
        operation = context.operation or NO_OPERATION
        self._child(metrics.requests, listener, operation, context.status).inc()
        self._child(metrics.seconds, listener, operation).observe(context.took)
        for stage, seconds in context.seconds.items():
            self._stages[stage].observe(seconds)
        for code in context.faults:
            self._child(metrics.faults, listener, operation, code).inc()
        if context.decided is not None and not context.faults:
            self._count_decision(context.decided, context.codes, operation)

    def store_retried(self) -> None:
        """Count work that the store repeated."""
        self._retries.inc()

    def thread_failed(self, thread: str) -> None:
        """Count an unexpected error of a background thread."""
        self._instruments.thread_errors.labels(self._listener, thread).inc()

    def _count_decision(
        self, decided: DecisionSummary, codes: tuple[str, ...], operation: str
    ) -> None:
        labels = (self._listener, operation, decided.outcome)
        self._child(self._instruments.decisions, *labels).inc()
        for code in codes:
            self._child(self._instruments.reasons, *labels, code).inc()
        if self._counts_recipients:
            recipient = redact_member_code(decided.recipient)
            self._child(self._instruments.recipients, recipient, decided.outcome).inc()

    def _child(self, parent: Counter | Histogram, *labels: object) -> Any:
        """Return the cached `parent.labels(...)`, whose call costs as much as the counting."""
        key = (parent, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = parent.labels(*labels)
        return child
