"""`makul metrics`: the numbers of a running service, and how fresh what it trusts is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from makul.cli.house import HouseError, HouseUnavailableError
from makul.observing.exporter import RevocationData, export
from makul.parts import trust_directories, tsa_directories, utc_now, wanted_of
from makul.settings import Settings
from makul.trust.paths import TrustStore


def export_metrics(settings: Settings) -> None:
    """Answer Prometheus until stopped; raises `HouseError`, `SpoolError`, `TrustStoreError`."""
    metrics = settings.metrics
    if metrics is None:
        raise HouseError("there is no [metrics] in the settings: name bind and directory")
    try:
        export(metrics.bind, metrics.directory, _revocation_data(settings), utc_now)
    except OSError as error:
        raise HouseUnavailableError(f"metrics.bind: {metrics.bind}: {error.strerror}") from None


def _revocation_data(
    settings: Settings,
) -> dict[str, Callable[[datetime], RevocationData | None]]:
    """Read without an archive: whoever only counts adds nothing to the evidence."""
    stamping = tsa_directories(settings)
    stores = {
        "documents": TrustStore(
            replace(trust_directories(settings), archive=None), wanted=wanted_of(settings)
        ),
        **(
            {"timestamps": TrustStore(replace(stamping, archive=None))}
            if stamping is not None
            else {}
        ),
    }

    def looking(store: TrustStore) -> Callable[[datetime], RevocationData | None]:
        def look(at: datetime) -> RevocationData | None:
            found = store.freshness(at=at)
            if found is None:
                return None
            return RevocationData(
                stale=found.stale, silent=found.silent, oldest=found.oldest, ends=found.ends
            )

        return look

    return {purpose: looking(store) for purpose, store in stores.items()}
