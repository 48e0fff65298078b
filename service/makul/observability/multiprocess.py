# mypy: allow-untyped-calls
"""The metrics files of the workers: one file for each worker and kind of metric.

The multiprocess mode of prometheus_client writes them. This module adds what that mode lacks. A
listener's old files are cleared when it starts. The files of a worker that ended are merged into
one file of the listener and then removed. So counters never decrease, and the directory does not
grow with reloads.

A lock file prevents reads while a dead worker is merged, which would count it twice or not at all.
A process that cannot acquire the lock within a second continues without it, because the arbiter
must supervise its listeners.
"""

import fcntl
import logging
import os
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from makul.language.translation import translate, translate_cause

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 1.0
_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_LOCK: Final = "lock"
_DEAD: Final = "dead"
_ADDED_UP: Final = ("counter", "histogram")
"""Kinds whose values outlive their worker. Gauges describe only living workers."""
_KINDS: Final = (*_ADDED_UP, "gauge_livesum")
"""Every file that a worker writes."""

FILE_BYTES: Final = 1024 * 1024
"""Enough for some 5,000 values: all existing labels, and more than 1,000 recipients."""


class WorkerMetricsError(Exception):
    """The directory cannot be used. The message is one line that says what to do."""


class WorkerMetricsDir:
    """The part of the directory that belongs to one listener."""

    def __init__(self, directory: Path, listener: str) -> None:
        self._directory = directory
        self._mark = sha256(listener.encode()).hexdigest()[:8]  # a name may contain any character

    def prepare(self) -> None:
        """Create the directory for its owner only, and clear the files of an earlier run.

        Raises `WorkerMetricsError`. Two services of one listener would clear each other's files,
        but they cannot both have its address.
        """
        prepare(self._directory)
        with _hold_lock(self._directory, fcntl.LOCK_EX):
            for path in self._files("*"):
                path.unlink(missing_ok=True)

    def activate_for_worker(self) -> None:
        """Let this worker write its metrics here. Call this before the first metric is created.

        Raises `OSError` if the disk is full. This process must then create no metric.
        """
        identifier = f"{self._mark}-{os.getpid()}"
        for kind in _KINDS:
            _allocate(self._directory / f"{kind}_{identifier}.db")
        os.environ[_DIRECTORY] = str(self._directory)
        values.ValueClass = values.MultiProcessValue(lambda: identifier)

    def merge_dead_workers(self, living: Iterable[int]) -> None:
        """Merge and remove the files of every worker that is not among the living."""
        alive = {f"{self._mark}-{pid}" for pid in living} | {f"{self._mark}-{_DEAD}"}
        gone = [path for path in self._files("*") if path.stem.rpartition("_")[2] not in alive]
        if not gone:
            return
        try:
            with _hold_lock(self._directory, fcntl.LOCK_EX):
                for kind in _ADDED_UP:
                    self._add_up(kind, [path for path in gone if path.name.startswith(kind)])
                for path in gone:
                    path.unlink(missing_ok=True)
        # A killed worker leaves its file in any state, and the library that reads it may raise any
        # error. Such an error would end the arbiter and the service.
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("a worker's numbers were not added up: %s", type(error).__name__)

    def _add_up(self, kind: str, gone: list[Path]) -> None:
        """Write the merged file of this kind to a new file, and rename it."""
        total = self._directory / f"{kind}_{self._mark}-{_DEAD}.db"
        sums: dict[str, float] = {}
        for path in [total, *gone] if total.exists() else gone:
            for key, value in _read_samples(path):
                sums[key] = sums.get(key, 0.0) + value
        unfinished = total.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        _allocate(unfinished)
        written = MmapedDict(str(unfinished))
        for key, value in sums.items():
            written.write_value(key, value, 0.0)
        written.close()
        unfinished.rename(total)

    def _files(self, identifier: str) -> Iterator[Path]:
        return self._directory.glob(f"*_{self._mark}-{identifier}.db")


def _allocate(path: Path) -> None:
    """Reserve space for a file. A write to a memory map kills the process if the disk is full."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, FILE_BYTES)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _read_samples(path: Path) -> list[tuple[str, float]]:
    """Return all samples in the file, or an empty list if it is corrupt.

    One bad file must not break the scrape.
    """
    try:
        return [(key, value) for key, value, _, _ in MmapedDict.read_all_values_from_file(path)]
    except (RuntimeError, ValueError, struct.error) as error:
        log.warning("a worker's numbers are lost: %s", type(error).__name__)
        return []


def prepare(directory: Path) -> None:
    """Create the directory, or check its owner and mode. Raises `WorkerMetricsError`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.stat()
    except OSError as error:
        raise WorkerMetricsError(
            translate(
                "{directory}: {cause}. Name another metrics.directory.",
                directory=directory,
                cause=translate_cause(error.strerror),
            )
        ) from None
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise WorkerMetricsError(
            translate(
                "{directory} must belong to this user, and others may not write to it.",
                directory=directory,
            )
        )


class MultiprocessCollector:
    """The metrics of every listener, for a `prometheus_client` registry."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Return the merged metrics of living and dead workers."""
        with _hold_lock(self._directory, fcntl.LOCK_SH):
            files = [str(path) for path in self._directory.glob("*.db")]
            merge: Callable[..., Iterable[Metric]] = MultiProcessCollector.merge
            return merge(files, accumulate=True)


@contextmanager
def _hold_lock(directory: Path, how: int) -> Iterator[None]:
    """Hold the lock. Raises `TimeoutError` if another process holds it for too long."""
    deadline = time.monotonic() + LOCK_SECONDS
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(directory / _LOCK, flags, 0o600)
    try:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(file, how | fcntl.LOCK_NB)
                break
            if time.monotonic() > deadline:
                raise TimeoutError("the metrics' lock is held")
            time.sleep(0.01)
        yield
    finally:
        os.close(file)
