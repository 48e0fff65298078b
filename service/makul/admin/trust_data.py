"""The trust data of an installation: refresh of revocation data, and their state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from makul.admin.error_handling import as_operator_error
from makul.app.ports import Clock
from makul.composition.adapters import pending_ocsp_queue, trust_directories, tsa_directories
from makul.config.settings import Settings
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.trust.pki.refresh import Refresher, RefreshOutcome, SourceState
from makul.trust.pki.status_report import TrustItem, TrustSet, report_items

__all__ = ["RefreshOutcome", "SettingsTrust", "TrustItem"]


@dataclass(frozen=True, slots=True)
class SettingsTrust:
    """The trust data of an installation, as its settings name them."""

    settings: Settings
    refresher: Refresher
    clock: Clock

    @property
    def interval(self) -> int:
        """Seconds between two rounds."""
        return self.settings.trust.refresh.interval

    def refresh(self) -> Iterator[RefreshOutcome]:
        """Query every source once."""
        with as_operator_error():
            for each in self.refresher.once(self.clock()):
                if each.result is SourceState.FAILED:
                    emit_security_event(Event.REFRESH_FAILED)
                yield each

    def status(self) -> Sequence[TrustItem]:
        """Return what is trusted for documents and messages, then for timestamps."""
        with as_operator_error():
            stamping = tsa_directories(self.settings)
            sets = [TrustSet(trust_directories(self.settings), pending_ocsp_queue(self.settings))]
            sets += [TrustSet(stamping)] if stamping is not None else []
            return list(dict.fromkeys(report_items(sets, at=self.clock())))
