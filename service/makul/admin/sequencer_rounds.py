"""The rounds of the sequencer, and the cosignatures that a second thread collects for it."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock

from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import CosignedCheckpoint, LedgerBrokenError
from makul.app.sequencer import Sequencer, SequencerRun
from makul.net.supervision import SupervisedThread, trace
from makul.observability.security_events import Event as SecurityEvent
from makul.observability.security_log import emit_security_event
from makul.trust.tlog.cosignatures import Collector

log = logging.getLogger(__name__)

COLLECT_SECONDS = 1.0
"""Seconds between two rounds of requests to the witnesses, which cosign every few seconds."""

MAX_BUFFERED = 64
"""Maximum number of cosignatures buffered; older ones are dropped.

A standby sequencer stores none, possibly for months. It must not process an unbounded backlog when
it takes over.
"""


class CosignatureBuffer:
    """A buffer between the collecting and the storing thread: the newest `MAX_BUFFERED` lines."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: deque[CosignedCheckpoint] = deque(maxlen=MAX_BUFFERED)

    def add(self, line: CosignedCheckpoint) -> None:
        """Add the newest line. A full buffer drops its oldest line."""
        with self._lock:
            self._lines.append(line)

    def take(self) -> list[CosignedCheckpoint]:
        """Remove and return all lines."""
        with self._lock:
            taken = list(self._lines)
            self._lines.clear()
        return taken

    def put_back(self, lines: Sequence[CosignedCheckpoint]) -> None:
        """Return lines that could not be stored to the front of the buffer.

        A full buffer drops its oldest lines.
        """
        with self._lock:
            self._lines = deque([*lines, *self._lines], maxlen=MAX_BUFFERED)


@contextmanager
def collect_cosignatures(
    collector: Collector, stopped: Event, *, pause_seconds: float = COLLECT_SECONDS
) -> Iterator[CosignatureBuffer]:
    """Collect cosignatures in a thread of its own, so that a slow witness delays no leaf."""
    buffer = CosignatureBuffer()

    def collect() -> None:
        for each in collector.collect():
            buffer.add(each)

    SupervisedThread(
        "witnesses",
        collect,
        pause_seconds=pause_seconds,
        stopped=stopped,
        on_error=lambda _: emit_security_event(SecurityEvent.THREAD_FAILED),
    ).start()
    yield buffer


class SequencerRounds:
    """Runs the sequencer until stopped. Logs each error once and retries."""

    def __init__(
        self,
        sequencer: Sequencer,
        stopped: Event,
        interval: float,
        cosigned: CosignatureBuffer,
    ) -> None:
        self._sequencer = sequencer
        self._stopped = stopped
        self._interval = interval
        self._cosigned = cosigned
        self._last_status: str | None = None

    def run(self) -> bool:
        """Run until stopped. Return False if the log is found broken.

        An operator must investigate a broken log.
        """
        while not self._stopped.is_set():
            try:
                done = self._sequencer.run_once()
                self._log_status(_status_word(done))
                if done.size is not None:
                    self._store_cosignatures()
            except LedgerBrokenError as error:
                log.critical("the ledger is broken, nothing is sequenced: %s", error)
                emit_security_event(SecurityEvent.LEDGER_ALARM)
                return False
            except StoreUnavailableError:
                self._log_status("the store is unavailable", level=logging.ERROR)
            except OSError as error:
                self._log_status(f"cannot publish: {error.strerror}", level=logging.ERROR)
                self._release()  # another sequencer may be able to publish
            except Exception as error:  # noqa: BLE001 -- the next round begins where the log ends
                emit_security_event(SecurityEvent.THREAD_FAILED)
                self._log_status(f"an unexpected error: {trace(error)}", level=logging.ERROR)
            self._stopped.wait(self._interval)
        self._release()
        return True

    def _store_cosignatures(self) -> None:
        """Store the collected cosignatures. They wait until the store has accepted them."""
        buffer = self._cosigned.take()
        try:
            self._sequencer.keep(buffer)
        except StoreUnavailableError:
            self._cosigned.put_back(buffer)
            raise

    def _release(self) -> None:
        try:
            self._sequencer.release()
        except StoreUnavailableError:
            log.warning("the store is unavailable: another sequencer waits for the lease's end")

    def _log_status(self, word: str, *, level: int = logging.INFO) -> None:
        """Log a status if it differs from the previous one."""
        if word != self._last_status:
            log.log(level, "%s", word)
            self._last_status = word


def _status_word(done: SequencerRun) -> str:
    return "standing by" if done.size is None else "sequencing"
