# mypy: allow-untyped-calls
"""Where the workers' numbers lie while the service runs: a file for each worker and kind of number.

prometheus_client's multiprocess mode writes them; what it leaves open is done here. A listener's
own leftovers are cleared when it starts. A worker that ended is added to the listener's dead, and
its files are taken away: numbers never go back, and the directory does not grow with reloads.

Nobody reads while a dead worker is added, or it would count twice or not at all: a lock file says
so. Who cannot have it within a second goes without; the arbiter has listeners to look after.
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

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 1.0
_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
_LOCK: Final = "lock"
_DEAD: Final = "dead"
_ADDED_UP: Final = ("counter", "histogram")
"""Kinds whose numbers outlive their worker; gauges tell of the living alone."""
_KINDS: Final = (*_ADDED_UP, "gauge_livesum")
"""Every file a worker writes."""

FILE_BYTES: Final = 1024 * 1024
"""Room for some 5,000 numbers: all labels there are, and more than 1,000 recipients."""


class WorkerMetricsError(Exception):
    """The directory cannot be used. The message is one line that says what to do."""


class WorkerMetricsDir:
    """One listener's part of the directory."""

    def __init__(self, directory: Path, listener: str) -> None:
        self._directory = directory
        self._mark = sha256(listener.encode()).hexdigest()[:8]  # a name may hold anything

    def prepare(self) -> None:
        """Make the directory, for its owner alone, and clear what an earlier run left.

        Raises `WorkerMetricsError`. Two services of the same listener would clear each other's;
        they cannot both have its address.
        """
        prepare(self._directory)
        with _locked(self._directory, fcntl.LOCK_EX):
            for path in self._files("*"):
                path.unlink(missing_ok=True)

    def use(self) -> None:
        """Let this process, a worker, write its numbers here. Before the first metric is made.

        Raises `OSError` where there is no room: then this process must make no metric.
        """
        identifier = f"{self._mark}-{os.getpid()}"
        for kind in _KINDS:
            _allocate(self._directory / f"{kind}_{identifier}.db")
        os.environ[_DIRECTORY] = str(self._directory)
        values.ValueClass = values.MultiProcessValue(lambda: identifier)

    def merge_dead_workers(self, living: Iterable[int]) -> None:
        """Add up and take away the files of every worker that is not among the living."""
        alive = {f"{self._mark}-{pid}" for pid in living} | {f"{self._mark}-{_DEAD}"}
        gone = [path for path in self._files("*") if path.stem.rpartition("_")[2] not in alive]
        if not gone:
            return
        try:
            with _locked(self._directory, fcntl.LOCK_EX):
                for kind in _ADDED_UP:
                    self._add_up(kind, [path for path in gone if path.name.startswith(kind)])
                for path in gone:
                    path.unlink(missing_ok=True)
        # A killed worker leaves a file as it is, and the library that reads it raises whatever the
        # octets make it trip over. Raised on, it would end the arbiter and the service with it.
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("a worker's numbers were not added up: %s", type(error).__name__)

    def _add_up(self, kind: str, gone: list[Path]) -> None:
        """The dead of this kind, written anew and renamed into place."""
        total = self._directory / f"{kind}_{self._mark}-{_DEAD}.db"
        sums: dict[str, float] = {}
        for path in [total, *gone] if total.exists() else gone:
            for key, value in _numbers_in(path):
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
    """Room for numbers to come: written to a map that a full disk has no room for, they kill."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, FILE_BYTES)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _numbers_in(path: Path) -> list[tuple[str, float]]:
    """Every number in a file; none of one that cannot be read, or it would spoil all the others."""
    try:
        return [(key, value) for key, value, _, _ in MmapedDict.read_all_values_from_file(path)]
    except (RuntimeError, ValueError, struct.error) as error:
        log.warning("a worker's numbers are lost: %s", type(error).__name__)
        return []


def prepare(directory: Path) -> None:
    """Make the directory, or see that it is ours alone; raises `WorkerMetricsError`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.stat()
    except OSError as error:
        raise WorkerMetricsError(
            f"{directory}: {error.strerror}. Name another metrics.directory."
        ) from None
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise WorkerMetricsError(
            f"{directory} must belong to this user, and others may not write to it."
        )


class SpoolCollector:
    """Every listener's numbers, for a `prometheus_client` registry."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """All of them added up, the living and the dead."""
        with _locked(self._directory, fcntl.LOCK_SH):
            files = [str(path) for path in self._directory.glob("*.db")]
            merge: Callable[..., Iterable[Metric]] = MultiProcessCollector.merge
            return merge(files, accumulate=True)


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[None]:
    """Raises `TimeoutError` where somebody holds the lock for too long."""
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
