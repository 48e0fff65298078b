"""Operator commands for the ledger: run the sequencer, show its status, verify it, export it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from uuid import uuid4

from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.admin.sequencer_rounds import SequencerRounds, collect_cosignatures
from makul.app.log_recovery import UnstoredLeaves, find_unstored_leaves
from makul.app.ports import Clock
from makul.app.ports.ledger import (
    Finding,
    Lease,
    LedgerBrokenError,
    LedgerReport,
    LedgerState,
    LedgerStore,
    SignedTree,
    Standby,
)
from makul.app.sequencer import Sequencer, compare, read_published, write_log
from makul.config.ledger import LedgerSettings
from makul.config.observability import LogSettings
from makul.config.settings import Settings
from makul.language.translation import Language, translate, translate_cause, use_language
from makul.ledger.checkpoint import Checkpoint
from makul.observability.logging_config import configure_logging
from makul.observability.security_events import Event as SecurityEvent
from makul.observability.security_log import emit_security_event
from makul.server.tile_server import tiles_served
from makul.store import Store
from makul.store.log.tile_files import LogBundle, LogDirectory
from makul.store.log.verify import LedgerVerificationOptions
from makul.trust.tlog.cosignatures import Collector, WitnessEndpoint
from makul.trust.tlog.note_keys import CosignatureVerifier, NoteSigner, NoteVerifier, public_part


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """The status of the log, and the operator's promise."""

    origin: str
    vkey: str
    """The public key of the log, for witnesses and clients (C2SP signed-note)."""
    max_merge_delay: timedelta
    published: int | None
    """The size of the published tree; None if nothing is published."""
    state: LedgerState


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLedger:
    """The ledger of an installation, opened for one command."""

    settings: LedgerSettings
    ledger: LedgerStore
    opened: Callable[[], AbstractContextManager[Store]]
    """Opens the whole store with its keys. Only `verify` and `recover` need it."""
    clock: Clock
    verifier: NoteVerifier
    """The verifier of this log's own key. Only the sequencer needs the private key."""
    logs: LogSettings
    environment: str
    require_fit_settings: Callable[[], None]
    """Raises `OperatorError` if this database role must not sequence."""

    @property
    def published(self) -> LogDirectory:
        """The directory from which witnesses fetch the log."""
        return LogDirectory(self.settings.publish)

    def run(self, stopped: Event) -> bool:
        """Sequence and publish until stopped, whether the store is available or not.

        Return False if the log is found broken.

        Raises `OperatorError` if the database role has more privileges than its duty, and
        `KeyFileError`.
        """
        self.require_fit_settings()
        signer = NoteSigner.load(self.settings.key, self.settings.origin)
        verifier = NoteVerifier(key=signer.key)
        configure_logging(
            self.logs.level.number, security=self.logs.security, environment=self.environment
        )
        sequencer = Sequencer(
            store=self.ledger,
            signer=signer,
            checker=verifier,
            published=self.published,
            lease=Lease(holder=uuid4(), length=self.settings.lease),
            batch=self.settings.batch,
            clock=self.clock,
        )
        witnesses = load_witnesses(self.settings)
        with (
            self._serve_tiles(),
            collect_cosignatures(Collector(verifier, witnesses), stopped) as cosigned,
            use_language(Language.EN),  # log lines are the same for every operator
        ):
            return SequencerRounds(sequencer, stopped, self.settings.interval, cosigned).run()

    def facts(self) -> LedgerFacts:
        """Return the status of the log. Raises `OperatorError` if another log is published."""
        published = self.published_size()
        try:
            state = self.ledger.state()
        except LedgerBrokenError as error:
            raise OperatorError(str(error)) from None
        return LedgerFacts(
            origin=self.settings.origin,
            vkey=self.verifier.vkey,
            max_merge_delay=self.settings.promise,
            published=published,
            state=state,
        )

    def verify(self, tell: Callable[[int, int], None], *, lost: int) -> LedgerReport:
        """Verify every record against the log, and the log against what was published.

        `tell` receives the number of verified records and the total. `lost` is the number of
        decisions that are known to be lost.
        """
        with self.opened() as store:
            report = self.verify_records(store, tell, lost=lost)
        if report.finding is None:
            with self._readable():
                report = replace(report, finding=self._misfit())
        if report.finding is not None:
            emit_security_event(SecurityEvent.LEDGER_ALARM)
        return report

    def verify_records(
        self, store: Store, tell: Callable[[int, int], None], *, lost: int
    ) -> LedgerReport:
        """Verify every record of a store against the log in the same store."""
        question = LedgerVerificationOptions(
            origin=self.settings.origin,
            checker=self.verifier,
            max_merge_delay=self.settings.promise,
            witnesses={each.name: each.verifier for each in load_witnesses(self.settings)},
            lost=lost,
            at=self.clock(),
        )
        return store.check_ledger(question, tell)

    def _misfit(self) -> Finding | None:
        """Return the finding if the store does not contain what was published."""
        try:
            promised = self._read_published()
            if promised is not None:
                compare(self.ledger, promised)
        except LedgerBrokenError as error:
            return Finding(where="published", record="checkpoint", what=str(error))
        return None

    def _read_published(self) -> Checkpoint | None:
        """Return the published checkpoint. Raises `LedgerBrokenError` if it is of another log."""
        note = self.published.checkpoint()
        return (
            read_published(note, self.verifier, self.settings.origin) if note is not None else None
        )

    def published_size(self) -> int | None:
        """Return the size of the published tree; None if nothing is published."""
        with self._readable():
            promised = self._read_published()
        return promised.size if promised is not None else None

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Translate errors of the published log into one line for the operator."""
        try:
            yield
        except LedgerBrokenError as error:
            raise OperatorError(f"{self.settings.publish}: {error}") from None
        except OSError as error:
            raise OperatorUnavailableError(
                f"{self.settings.publish}: {translate_cause(error.strerror)}"
            ) from None

    def find_unstored_leaves(self) -> UnstoredLeaves | None:
        """Return the published leaves that the store lacks. Raises `OperatorError`."""
        with self._readable():
            return find_unstored_leaves(
                self.ledger,
                self.published,
                self.verifier,
                self.settings.origin,
                at=self.clock(),
            )

    def recover(self, lacking: UnstoredLeaves) -> None:
        """Restore each missing leaf to its leaf index, or note it as lost.

        Raises `OperatorError`.
        """
        lease = Lease(holder=uuid4(), length=timedelta(0))
        try:
            with self.opened() as store:
                done = store.recover_ledger(
                    lacking.promised, lacking.leaves, lease, at=self.clock()
                )
        except LedgerBrokenError as error:
            raise OperatorError(
                translate("{problem}; nothing was changed", problem=error)
            ) from None
        if isinstance(done, Standby):
            raise OperatorError(
                translate("a sequencer is at work: stop it first, or wait until its lease ends")
            )

    def export(self, directory: Path | None, bundle: Path | None) -> int:
        """Write the log to a new directory or to one file, and return its size in leaves."""
        signed = self.ledger.latest()
        if signed is None:
            raise OperatorUnavailableError(
                translate("there is no checkpoint yet; run: makul ledger run")
            )
        try:
            if bundle is not None:
                with LogBundle.create(bundle) as archive:
                    write_log(archive, signed, self.ledger.tile)
            elif directory is not None:
                self._export_to(directory, signed)
        except LedgerBrokenError as error:
            raise OperatorError(
                translate("{problem}; run: makul ledger verify", problem=error)
            ) from None
        except OSError as error:
            raise OperatorError(
                translate(
                    "cannot write to {path}: {cause}",
                    path=bundle or directory,
                    cause=translate_cause(error.strerror),
                )
            ) from None
        return signed.size

    def _export_to(self, directory: Path, signed: SignedTree) -> None:
        if directory.exists() and any(directory.iterdir()):
            raise OperatorError(
                translate("{directory} is not empty; name a new directory", directory=directory)
            )
        write_log(LogDirectory(directory), signed, self.ledger.tile)

    def _serve_tiles(self) -> AbstractContextManager[object]:
        if self.settings.bind is None:
            return nullcontext()
        return tiles_served(self.settings.bind, self.published)


def open_ledger(
    settings: Settings,
    ledger: LedgerStore,
    *,
    opened: Callable[[], AbstractContextManager[Store]],
    clock: Clock,
    require_fit_settings: Callable[[], None],
) -> OpenLedger:
    """Open the ledger of these settings. Raises `OperatorUnavailableError` or `KeyFileError`."""
    if settings.ledger is None:
        raise OperatorUnavailableError(
            translate("[ledger] is not set: name origin, key and publish in it")
        )
    verifier = NoteVerifier.load(public_part(settings.ledger.key), settings.ledger.origin)
    return OpenLedger(
        settings=settings.ledger,
        ledger=ledger,
        opened=opened,
        clock=clock,
        verifier=verifier,
        logs=settings.logs,
        environment=settings.environment.value,
        require_fit_settings=require_fit_settings,
    )


def load_witnesses(settings: LedgerSettings) -> tuple[WitnessEndpoint, ...]:
    """Return the witnesses whose cosignatures these settings request."""
    return tuple(
        WitnessEndpoint(verifier=CosignatureVerifier.parse(each.key), url=each.url, file=each.file)
        for each in settings.witnesses
    )
