"""`makul metrics`: metrics of a running service, and the freshness of its trust data."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.composition.adapters import (
    pending_ocsp_queue,
    trust_directories,
    tsa_directories,
    utc_now,
)
from makul.config.settings import Settings
from makul.language.translation import translate, translate_cause
from makul.observability.metrics_server import MetricsSource, Purposes, export
from makul.store import build_log_state_reader, build_outbox_reader
from makul.trust.pki.pending_ocsp import PendingOcsp
from makul.trust.pki.status_report import Freshness
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError
from makul.trust.pki.trust_store import TrustStore


def export_metrics(settings: Settings) -> None:
    """Serve Prometheus until stopped. Raises `OperatorError` or `WorkerMetricsError`."""
    metrics = settings.metrics
    if metrics is None:
        raise OperatorError(
            translate("there is no [metrics] in the settings: name bind and directory")
        )
    try:
        installation = MetricsSource(
            _revocation_data(settings),
            utc_now,
            build_log_state_reader(settings.place) if settings.ledger is not None else None,
            build_outbox_reader(settings.place) if settings.notifications is not None else None,
        )
        export(metrics.bind, metrics.directory, installation)
    except OSError as error:
        raise OperatorUnavailableError(
            f"metrics.bind: {metrics.bind}: {translate_cause(error.strerror)}"
        ) from None


def _revocation_data(settings: Settings) -> Purposes:
    """Return readers of the trust data without an archive: metrics must add no evidence."""
    documents = replace(trust_directories(settings), archive=None)
    looks: dict[str, Callable[[datetime], Freshness | None]] = {
        "documents": _Look(documents, pending_ocsp_queue(settings))
    }
    stamping = tsa_directories(settings)
    if stamping is not None:
        looks["timestamps"] = _Look(replace(stamping, archive=None), None)
    return looks


class _Look:
    """The freshness of the trust data in these directories, read again if a file has changed."""

    def __init__(self, directories: TrustDirectories, wanted: PendingOcsp | None) -> None:
        self._directories = directories
        self._wanted = wanted
        self._store: TrustStore | None = None

    def __call__(self, at: datetime) -> Freshness | None:
        """Return the freshness, or None while the data cannot be read.

        The export reports unreadable data too, and continues.
        """
        try:
            self._store = self._store or TrustStore(self._directories, pending_ocsp=self._wanted)
        except TrustStoreError:
            return None
        return self._store.freshness(at=at)
