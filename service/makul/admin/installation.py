"""An installation that is open for one command: its registry, its trust data, its database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from makul.admin.certificate_suitability import find_unsuitability
from makul.admin.error_handling import as_operator_error, open_store_for, who
from makul.admin.key_inventory import keys_in_use, recipients_certificates
from makul.admin.models import (
    CertificateUse,
    InstallationInfo,
    KeyInfo,
    OperatorError,
    OperatorUnavailableError,
    RevalidationResult,
    SourceOutcome,
    StoreInfo,
    TrustInfo,
)
from makul.admin.revalidation import rejudge
from makul.app.agreements import Agreements
from makul.app.notices import Notices
from makul.app.ports import Clock, Desk, DocumentVerifier, Duty, KeyRotation, VerifiedDocument
from makul.composition.adapters import (
    build_agreements,
    document_verifier,
    pending_ocsp_queue,
    trust_directories,
    tsa_directories,
)
from makul.config.settings import Settings
from makul.observability.audited_registry import AuditedRegistry
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.store import Store, StoreKeys, samples_to_move, upgrade_store
from makul.store.schema.partitions import make_months, missing_months
from makul.store.schema.roles import grant, weaknesses
from makul.store.schema.version import VERSION, assert_schema
from makul.trust.keys.receipt_certificates import mark_compromised
from makul.trust.pki.refresh import Refresher, SourceState
from makul.trust.pki.status_report import TrustSet, report_items
from makul.trust.pki.trust_store import TrustStore


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation that is open for one command."""

    settings: Settings
    store: Store
    facts: InstallationInfo
    clock: Clock

    @property
    def desk(self) -> Desk:
        """The operator's registry. Its use is reported as a security event."""
        return AuditedRegistry(self.store.desk, who())

    @property
    def agreements(self) -> Agreements:
        """The use cases that draft agreements and verify what the parties signed."""
        return self._papers[0]

    @property
    def notices(self) -> Notices:
        """The use cases that draft approvals and verify what the authorised body signed."""
        return self._papers[1]

    @property
    def _papers(self) -> tuple[Agreements, Notices]:
        return build_agreements(self.settings, self.desk, _VerifierOnDemand(self.settings))

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """Return the receipt certificates, the store keys, and every trusted or registered one."""
        with as_operator_error():
            return [*keys_in_use(self.settings), *recipients_certificates(self.desk)]

    @property
    def rotation(self) -> KeyRotation:
        """The rotation of the store's master key."""
        return self.store.rotation(self.settings.store.keys)

    def rejudge(self, disclosure_id: UUID) -> Sequence[RevalidationResult]:
        """Judge each document of a decision again by its stored evidence. This use is recorded."""
        case = self.desk.evidence_of(disclosure_id, at=self.clock())
        if case is None:
            raise OperatorUnavailableError(
                f"no decision {disclosure_id} is recorded; see: makul disclosure list"
            )
        with as_operator_error():
            return list(rejudge(case, self.settings))

    def find_unsuitability(self, certificate: bytes, use: CertificateUse) -> str | None:
        """Return why nothing would be accepted under a certificate, or None if something may be."""
        return find_unsuitability(self.settings, certificate, use, at=self.clock())

    def mark_compromised(self, fingerprint: bytes, *, since: datetime) -> None:
        """Note, beside the earlier certificates, that others may have signed with this key."""
        retired = self.settings.receipts.retired
        if retired is None:
            raise OperatorError(
                "receipts.retired is not set: name a directory for it in the settings"
            )
        with as_operator_error():
            mark_compromised(retired, fingerprint, since)
        emit_security_event(Event.KEY_COMPROMISED, user=who())


class _VerifierOnDemand:
    """A document verifier that loads the trust data when a document is first verified.

    An agreement can be drafted before any authority is trusted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verifier: DocumentVerifier | None = None

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """Verify a document. Raises `OperatorUnavailableError` if no trust data can be loaded."""
        if self._verifier is None:
            with as_operator_error():
                trust = TrustStore(trust_directories(self._settings))
                self._verifier = document_verifier(self._settings, trust)
        return self._verifier.verify(document, at=at, existed_at=existed_at)


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

    def refresh(self) -> Iterator[SourceOutcome]:
        """Query every source once."""
        with as_operator_error():
            for each in self.refresher.once(self.clock()):
                if each.result is SourceState.FAILED:
                    emit_security_event(Event.REFRESH_FAILED)
                yield SourceOutcome(source=each.source, result=each.result.value, why=each.why)

    def status(self) -> Sequence[TrustInfo]:
        """Return what is trusted for documents and messages, then for timestamps."""
        with as_operator_error():
            stamping = tsa_directories(self.settings)
            sets = [TrustSet(trust_directories(self.settings), pending_ocsp_queue(self.settings))]
            sets += [TrustSet(stamping)] if stamping is not None else []
            told = list(report_items(sets, at=self.clock()))
        unique = dict.fromkeys(told)
        return [
            TrustInfo(
                kind=each.kind,
                name=each.name,
                state=each.state.value,
                since=each.since,
                until=each.until,
                entries=each.entries,
            )
            for each in unique
        ]


@dataclass(frozen=True, slots=True)
class SettingsStore:
    """The store of an installation, for database administrators."""

    settings: Settings
    clock: Clock

    def status(self, duty: Duty) -> StoreInfo:
        """Return the database, its version, and what it and the role of the duty lack."""
        with as_operator_error():
            place = self.settings.place
            assert_schema(place)
            return StoreInfo(
                database="SQLite" if isinstance(place, Path) else "PostgreSQL",
                version=VERSION,
                months_missing=_named(missing_months(place, at=self.clock())),
                weaknesses=tuple(weaknesses(place, duty)),
                samples_to_move=samples_to_move(place) if duty in _READ_PERSONS else 0,
            )

    def upgrade(self, report: Callable[[int, int], None]) -> None:
        """Upgrade the store to the version of this program, then move samples to rows of their own.

        The second step needs the keys of the store. It continues where an interrupted one stopped.
        """
        with as_operator_error():
            keys = StoreKeys.load(self.settings.store.keys)
            upgrade_store(self.settings.place, keys, who=who(), at=self.clock())
            left = samples_to_move(self.settings.place)
        if left:
            self._move_samples(left, report)

    def _move_samples(self, left: int, report: Callable[[int, int], None]) -> None:
        moved = broken = 0
        try:
            with as_operator_error(), closing(open_store_for(self.settings)) as store:
                for batch in store.move_samples(at=self.clock()):
                    moved, broken = moved + batch.versions, broken + batch.broken
                    report(moved + broken, left)
        except OperatorUnavailableError as error:
            raise OperatorUnavailableError(
                f"the store has this program's version, and the samples of {left - moved} records"
                f" are still to be moved: {error}. Give the command again, as a user who may read"
                " the store's keys"
            ) from None
        if broken:
            raise OperatorError(
                f"{broken} records do not open with these keys and stay as they were;"
                " see: makul key show"
            )

    def months_missing(self, ahead: int) -> Sequence[str]:
        """Return the months that have no partition yet."""
        with as_operator_error():
            return _named(missing_months(self.settings.place, at=self.clock(), ahead=ahead))

    def make_months(self, ahead: int) -> None:
        """Create the missing partitions."""
        with as_operator_error():
            make_months(self.settings.place, at=self.clock(), ahead=ahead)

    def grant(self, role: str, duty: Duty) -> None:
        """Grant a role exactly the privileges of its duty."""
        place = self.settings.place
        if isinstance(place, Path):
            raise OperatorError("an SQLite store has no roles; the file's owner may do everything")
        with as_operator_error():
            grant(place, role, duty)


_READ_PERSONS = frozenset({Duty.SERVING, Duty.DESK})
"""Duties whose role can count samples to move. The sequencer's role reads no table of persons."""


def _named(months: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    return tuple(f"{year:04}-{month:02}" for year, month in months)
