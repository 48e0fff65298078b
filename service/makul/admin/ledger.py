"""Operator commands for the ledger: run the sequencer, show its status, verify it, export it."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock
from uuid import uuid4

from makul.admin.models import ExitCode, LedgerFacts, OperatorError, OperatorUnavailableError
from makul.app.log_recovery import Missing, missing
from makul.app.ports import Clock, StoreUnavailableError
from makul.app.ports.ledger import (
    Cosigned,
    Finding,
    Lease,
    LedgerBrokenError,
    LedgerReport,
    LedgerStore,
    SignedTree,
    StandingBy,
)
from makul.app.sequencer import Sequencer, SequencerRun, compare, read_published, write_log
from makul.config.ledger import LedgerSettings
from makul.config.observability import LogSettings
from makul.config.settings import Settings
from makul.ledger.checkpoint import Checkpoint
from makul.net.supervision import SupervisedThread, trace
from makul.observability.logging_config import configure_logging
from makul.observability.security_events import Event as SecurityEvent
from makul.observability.security_log import emit_security_event
from makul.server.tile_server import tiles_served
from makul.store import Store
from makul.store.log.tile_files import LogBundle, LogDirectory
from makul.store.log.verify import LedgerVerificationOptions
from makul.trust.tlog.cosignatures import Collector, WitnessEndpoint
from makul.trust.tlog.note_keys import CosignatureVerifier, NoteSigner, NoteVerifier, public_part

log = logging.getLogger(__name__)

COLLECT_SECONDS = 1.0
"""Seconds between two rounds of requests to the witnesses, which cosign every few seconds."""

MOST_WAITING = 64
"""Maximum number of cosignatures buffered; older ones are dropped.

A standby sequencer stores none, possibly for months. It must not process an unbounded backlog when
it takes over.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLedger:
    """The ledger of an installation, which implements `LedgerKeeper`."""

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

    def run(self, stopped: Event) -> int:
        """Sequence and publish until stopped, whether the store is available or not.

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
        witnesses = witnesses_of(self.settings)
        with self._served(), collected(Collector(verifier, witnesses), stopped) as cosigned:
            return _Rounds(sequencer, stopped, self.settings.interval, cosigned).run()

    def facts(self) -> LedgerFacts:
        """Return the status of the log. Raises `OperatorError` if another log is published."""
        with self._readable():
            promised = self._promised()
        try:
            state = self.ledger.state()
        except LedgerBrokenError as error:
            raise OperatorError(str(error)) from None
        return LedgerFacts(
            origin=self.settings.origin,
            vkey=self.verifier.vkey,
            max_merge_delay=self.settings.promise,
            published=promised.size if promised is not None else None,
            state=state,
        )

    def verify(self, tell: Callable[[int, int], None], *, lost: int) -> LedgerReport:
        """Verify every record against the log, and the log against what was published."""
        question = LedgerVerificationOptions(
            origin=self.settings.origin,
            checker=self.verifier,
            max_merge_delay=self.settings.promise,
            witnesses={each.name: each.verifier for each in witnesses_of(self.settings)},
            lost=lost,
            at=self.clock(),
        )
        with self.opened() as store:
            report = store.check_ledger(question, tell)
        if report.finding is None:
            with self._readable():
                report = replace(report, finding=self._misfit())
        if report.finding is not None:
            emit_security_event(SecurityEvent.LEDGER_ALARM)
        return report

    def _misfit(self) -> Finding | None:
        """Return the finding if the store does not contain what was published."""
        try:
            promised = self._promised()
            if promised is not None:
                compare(self.ledger, promised)
        except LedgerBrokenError as error:
            return Finding(where="published", record="checkpoint", what=str(error))
        return None

    def _promised(self) -> Checkpoint | None:
        """Return the published checkpoint. Raises `LedgerBrokenError` if it is of another log."""
        note = self.published.checkpoint()
        return (
            read_published(note, self.verifier, self.settings.origin) if note is not None else None
        )

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Translate errors of the published log into one line for the operator."""
        try:
            yield
        except LedgerBrokenError as error:
            raise OperatorError(f"{self.settings.publish}: {error}") from None
        except OSError as error:
            raise OperatorUnavailableError(f"{self.settings.publish}: {error.strerror}") from None

    def missing(self) -> Missing | None:
        """Return the published leaves that the store lacks. Raises `OperatorError`."""
        with self._readable():
            return missing(
                self.ledger,
                self.published,
                self.verifier,
                self.settings.origin,
                at=self.clock(),
            )

    def recover(self, lacking: Missing) -> None:
        """Restore the missing leaves. Raises `OperatorError`."""
        lease = Lease(holder=uuid4(), length=timedelta(0))
        try:
            with self.opened() as store:
                done = store.recover_ledger(
                    lacking.promised, lacking.leaves, lease, at=self.clock()
                )
        except LedgerBrokenError as error:
            raise OperatorError(f"{error}; nothing was changed") from None
        if isinstance(done, StandingBy):
            raise OperatorError(
                "a sequencer is at work: stop it first, or wait until its lease ends"
            )

    def export(self, directory: Path | None, bundle: Path | None) -> int:
        """Write the log to a new directory or to one file, and return its size in leaves."""
        signed = self.ledger.latest()
        if signed is None:
            raise OperatorUnavailableError("there is no checkpoint yet; run: makul ledger run")
        try:
            if bundle is not None:
                with LogBundle.create(bundle) as archive:
                    write_log(archive, signed, self.ledger.tile)
            elif directory is not None:
                self._export_to(directory, signed)
        except LedgerBrokenError as error:
            raise OperatorError(f"{error}; run: makul ledger verify") from None
        except OSError as error:
            raise OperatorError(
                f"cannot write to {bundle or directory}: {error.strerror}"
            ) from None
        return signed.size

    def _export_to(self, directory: Path, signed: SignedTree) -> None:
        if directory.exists() and any(directory.iterdir()):
            raise OperatorError(f"{directory} is not empty; name a new directory")
        write_log(LogDirectory(directory), signed, self.ledger.tile)

    def _served(self) -> AbstractContextManager[object]:
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
        raise OperatorUnavailableError("[ledger] is not set: name origin, key and publish in it")
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


def witnesses_of(settings: LedgerSettings) -> tuple[WitnessEndpoint, ...]:
    """Return the witnesses whose cosignatures these settings request."""
    return tuple(
        WitnessEndpoint(verifier=CosignatureVerifier.parse(each.key), url=each.url, file=each.file)
        for each in settings.witnesses
    )


class Waiting:
    """A buffer between the collecting and the storing thread: the newest `MOST_WAITING` lines."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: deque[Cosigned] = deque(maxlen=MOST_WAITING)

    def add(self, line: Cosigned) -> None:
        """Add the newest line. A full buffer drops its oldest line."""
        with self._lock:
            self._lines.append(line)

    def take(self) -> list[Cosigned]:
        """Remove and return all lines."""
        with self._lock:
            taken = list(self._lines)
            self._lines.clear()
        return taken

    def put_back(self, lines: Sequence[Cosigned]) -> None:
        """Return lines that could not be stored to the front of the buffer.

        A full buffer drops its oldest lines.
        """
        with self._lock:
            self._lines = deque([*lines, *self._lines], maxlen=MOST_WAITING)


@contextmanager
def collected(
    collector: Collector, stopped: Event, *, pause_seconds: float = COLLECT_SECONDS
) -> Iterator[Waiting]:
    """Collect cosignatures in a thread of its own, so that a slow witness delays no leaf."""
    waiting = Waiting()

    def collect() -> None:
        for each in collector.collect():
            waiting.add(each)

    SupervisedThread(
        "witnesses",
        collect,
        pause_seconds=pause_seconds,
        stopped=stopped,
        on_error=lambda _: emit_security_event(SecurityEvent.THREAD_FAILED),
    ).start()
    yield waiting


class _Rounds:
    """Runs the sequencer until stopped. Logs each error once and retries."""

    def __init__(
        self,
        sequencer: Sequencer,
        stopped: Event,
        interval: float,
        cosigned: Waiting,
    ) -> None:
        self._sequencer = sequencer
        self._stopped = stopped
        self._interval = interval
        self._cosigned = cosigned
        self._told: str | None = None

    def run(self) -> int:
        """Run until stopped, or until the log is found broken.

        An operator must investigate a broken log.
        """
        while not self._stopped.is_set():
            try:
                done = self._sequencer.round()
                self._tell(_word_of(done))
                if done.size is not None:
                    self._keep()
            except LedgerBrokenError as error:
                log.critical("the ledger is broken, nothing is sequenced: %s", error)
                emit_security_event(SecurityEvent.LEDGER_ALARM)
                return ExitCode.REFUSED
            except StoreUnavailableError:
                self._tell("the store is unavailable", level=logging.ERROR)
            except OSError as error:
                self._tell(f"cannot publish: {error.strerror}", level=logging.ERROR)
                self._release()  # another sequencer may be able to publish
            except Exception as error:  # noqa: BLE001 -- the next round begins where the log ends
                emit_security_event(SecurityEvent.THREAD_FAILED)
                self._tell(f"an unexpected error: {trace(error)}", level=logging.ERROR)
            self._stopped.wait(self._interval)
        self._release()
        return ExitCode.DONE

    def _keep(self) -> None:
        """Store the collected cosignatures. They wait until the store has accepted them."""
        waiting = self._cosigned.take()
        try:
            self._sequencer.keep(waiting)
        except StoreUnavailableError:
            self._cosigned.put_back(waiting)
            raise

    def _release(self) -> None:
        try:
            self._sequencer.release()
        except StoreUnavailableError:
            log.warning("the store is unavailable: another sequencer waits for the lease's end")

    def _tell(self, word: str, *, level: int = logging.INFO) -> None:
        """Log a status if it differs from the previous one."""
        if word != self._told:
            log.log(level, "%s", word)
            self._told = word


def _word_of(done: SequencerRun) -> str:
    return "standing by" if done.size is None else "sequencing"
