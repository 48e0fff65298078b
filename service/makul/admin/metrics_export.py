"""`makul metrics`: the numbers of a running service, and how fresh what it trusts is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from makul.admin.models import OperatorError, OperatorUnavailableError
from makul.composition.adapters import (
    pending_ocsp_queue,
    trust_directories,
    tsa_directories,
    utc_now,
)
from makul.config.settings import Settings
from makul.observability.metrics_server import MetricsSource, Purposes, RevocationData, export
from makul.store import log_state_of
from makul.trust.pki.pending_ocsp import Wanted
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError
from makul.trust.pki.trust_store import TrustStore


def export_metrics(settings: Settings) -> None:
    """Answer Prometheus until stopped; raises `OperatorError`, `WorkerMetricsError`."""
    metrics = settings.metrics
    if metrics is None:
        raise OperatorError("there is no [metrics] in the settings: name bind and directory")
    try:
        installation = MetricsSource(
            _revocation_data(settings),
            utc_now,
            log_state_of(settings.place) if settings.ledger is not None else None,
        )
        export(metrics.bind, metrics.directory, installation)
    except OSError as error:
        raise OperatorUnavailableError(f"metrics.bind: {metrics.bind}: {error.strerror}") from None


def _revocation_data(settings: Settings) -> Purposes:
    """Read without an archive: whoever only counts adds nothing to the evidence."""
    documents = replace(trust_directories(settings), archive=None)
    looks: dict[str, Callable[[datetime], RevocationData | None]] = {
        "documents": _Look(documents, pending_ocsp_queue(settings))
    }
    stamping = tsa_directories(settings)
    if stamping is not None:
        looks["timestamps"] = _Look(replace(stamping, archive=None), None)
    return looks


class _Look:
    """How fresh it is in these directories; read anew where a file has changed."""

    def __init__(self, directories: TrustDirectories, wanted: Wanted | None) -> None:
        self._directories = directories
        self._wanted = wanted
        self._store: TrustStore | None = None

    def __call__(self, at: datetime) -> RevocationData | None:
        """None while it cannot be read: that is told as well, and is no reason to end."""
        try:
            self._store = self._store or TrustStore(self._directories, wanted=self._wanted)
        except TrustStoreError:
            return None
        found = self._store.freshness(at=at)
        if found is None:
            return None
        return RevocationData(
            stale=found.stale, silent=found.silent, oldest=found.oldest, ends=found.ends
        )
