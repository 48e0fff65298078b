"""The workers' metrics over starts and deaths, in real processes."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from makul.observability import multiprocess
from makul.observability.multiprocess import (
    MultiprocessCollector,
    WorkerMetricsDir,
    WorkerMetricsError,
)

_WORKER = """
import json, sys, time
from pathlib import Path
from uuid import UUID
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.observability.request_context import RequestContext, DecisionSummary, Stage
from makul.observability.metrics import Metrics
from makul.observability.multiprocess import WorkerMetricsDir

directory, listener, count, recipients, ending = sys.argv[1:]
WorkerMetricsDir(Path(directory), listener).activate_for_worker()
metrics = Metrics(listener, recipients=recipients == "told")
for number in range(int(count)):
    metrics.count_begun()
    account = RequestContext(listener=listener, operation="GetPersonData", status=200, took=0.004)
    account.add(Stage.MESSAGE, 0.0009)
    account.decided = DecisionSummary(
        outcome="REFUSED",
        reasons=(Reason(code=Code.AGR_04), Reason(code=Code.AGR_04), Reason(code=Code.CNS_09)),
        recipient=MemberCode("NOT/20101199000123"),
    )
    metrics.count_ended(account)
fault = RequestContext(listener=listener, faults=("SIG-02",), status=500, took=0.1)
metrics.count_begun()
metrics.count_ended(fault)
metrics.count_begun()
metrics.store_retried()
print("written", flush=True)
if ending == "stays":
    time.sleep(60)
"""


def worker(
    directory: Path,
    count: int,
    *,
    listener: str = "wsse",
    recipients: bool = False,
    stays: bool = False,
) -> subprocess.Popen[str]:
    """Run a process that counted decisions and one fault, and has one request in flight."""
    visibility, ending = "told" if recipients else "hidden", "stays" if stays else "ends"
    command = [
        sys.executable,
        "-c",
        _WORKER,
        str(directory),
        listener,
        str(count),
        visibility,
        ending,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.stdout.close()
    if not stays:
        process.wait(120)
    return process


def scraped(directory: Path) -> dict[str, float]:
    """Return every sample by its name and labels."""
    registry = CollectorRegistry()
    registry.register(MultiprocessCollector(directory))
    text = generate_latest(registry).decode()
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(directory: Path, name: str, **labels: str) -> float | None:
    return scraped(directory).get(name + json.dumps(labels, sort_keys=True))


DECIDED = {"listener": "wsse", "operation": "GetPersonData", "outcome": "REFUSED"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


def test_decisions_are_counted_once_and_reasons_each(directory: Path) -> None:
    """A decision with two codes is one decision, and a code that occurs twice is one reason."""
    WorkerMetricsDir(directory, "wsse").prepare()
    worker(directory, 3)

    assert value(directory, "makul_decisions_total", **DECIDED) == 3
    assert value(directory, "makul_decision_reasons_total", **DECIDED, code="AGR-04") == 3
    assert value(directory, "makul_decision_reasons_total", **DECIDED, code="CNS-09") == 3
    faults = {"listener": "wsse", "operation": "none", "code": "SIG-02"}
    assert value(directory, "makul_faults_total", **faults) == 1
    labels = {"listener": "wsse", "room": "message"}
    assert value(directory, "makul_room_seconds_count", **labels) == 3
    assert value(directory, "makul_room_seconds_bucket", **labels, le="0.001") == 3
    assert value(directory, "makul_store_retries_total", listener="wsse") == 1


def test_recipients_are_distinguished_only_by_the_setting(directory: Path) -> None:
    """Procedure, cl. 3, e: a notary is never identified by a PIN."""
    WorkerMetricsDir(directory, "wsse").prepare()
    worker(directory, 2)
    assert not any("NOT/" in name for name in scraped(directory))

    worker(directory, 2, recipients=True)
    named = [name for name in scraped(directory) if "NOT/" in name]
    assert named == [
        'makul_recipient_decisions_total{"outcome": "REFUSED", "recipient": "NOT/2***********23"}'
    ]


def test_a_dead_workers_counts_stay_and_its_files_are_deleted(directory: Path) -> None:
    """Counters never go back, and the directory does not grow, for any number of reloads."""
    mine = WorkerMetricsDir(directory, "wsse")
    mine.prepare()
    for _ in range(4):
        worker(directory, 5)
        mine.merge_dead_workers([])
        mine.merge_dead_workers([])

    assert value(directory, "makul_decisions_total", **DECIDED) == 20
    assert value(directory, "makul_request_seconds_count", listener="wsse", operation="none") == 4
    assert value(directory, "makul_requests_in_flight", listener="wsse") is None
    assert len(list(directory.glob("*.db"))) == 2


def test_a_killed_worker_has_no_request_in_flight(directory: Path) -> None:
    """Only that worker's gauges disappear after a kill -9 during a request."""
    mine = WorkerMetricsDir(directory, "wsse")
    mine.prepare()
    victim, living = worker(directory, 1, stays=True), worker(directory, 1, stays=True)
    try:
        assert value(directory, "makul_workers", listener="wsse") == 2
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(120)
        mine.merge_dead_workers([living.pid])

        assert value(directory, "makul_workers", listener="wsse") == 1
        assert value(directory, "makul_requests_in_flight", listener="wsse") == 1
        assert value(directory, "makul_decisions_total", **DECIDED) == 2
    finally:
        living.kill()
        living.wait(120)


def test_a_start_deletes_only_the_listeners_own_files(directory: Path) -> None:
    """A starting listener counts from zero, and leaves another's metrics alone."""
    for listener in ("wsse", "a_b/c d"):
        WorkerMetricsDir(directory, listener).prepare()
        worker(directory, 1, listener=listener)

    WorkerMetricsDir(directory, "wsse").prepare()

    left = scraped(directory)
    assert {json.loads(name[name.index("{") :])["listener"] for name in left} == {"a_b/c d"}


def test_a_slow_reader_delays_no_worker(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A hanging exporter must not keep the arbiter from its workers; the next death adds up."""
    monkeypatch.setattr(multiprocess, "LOCK_SECONDS", 0.05)
    mine = WorkerMetricsDir(directory, "wsse")
    mine.prepare()
    worker(directory, 2)
    with (directory / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        mine.merge_dead_workers([])  # and comes back
        assert "not added up: TimeoutError" in caplog.text

    mine.merge_dead_workers([])
    assert value(directory, "makul_decisions_total", **DECIDED) == 2
    assert len(list(directory.glob("*.db"))) == 2


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff\x7f" * 4, b"\x40\0\0\0" + b"\1\0\0\0" * 9])
def test_a_corrupt_file_stops_no_process(
    directory: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """The arbiter continues, with any file of a worker."""
    mine = WorkerMetricsDir(directory, "wsse")
    mine.prepare()
    worker(directory, 1)
    (broken,) = directory.glob("counter_*.db")
    broken.write_bytes(content)

    mine.merge_dead_workers([])

    assert "numbers are lost" in caplog.text
    assert value(directory, "makul_decisions_total", **DECIDED) is None
    assert value(directory, "makul_request_seconds_count", listener="wsse", operation="none") == 1


def test_space_of_a_workers_files_is_reserved(directory: Path) -> None:
    """Writing into a mapped file without disk space kills the process (SIGBUS)."""
    WorkerMetricsDir(directory, "wsse").prepare()
    worker(directory, 3)
    WorkerMetricsDir(directory, "other").prepare()
    files = list(directory.glob("*.db"))

    assert len(files) == len(multiprocess._KINDS)
    for path in files:
        facts = path.stat()
        assert facts.st_size == multiprocess.FILE_BYTES <= facts.st_blocks * 512


def test_missing_space_is_reported_and_leaves_no_file(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker then serves without metrics (`composition`)."""
    WorkerMetricsDir(directory, "wsse").prepare()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        WorkerMetricsDir(directory, "wsse").activate_for_worker()
    assert list(directory.glob("*.db")) == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_may_write_is_refused(directory: Path, mode: int) -> None:
    """The exporter trusts the files in it."""
    directory.mkdir()
    directory.chmod(mode)

    with pytest.raises(WorkerMetricsError, match="others may not write"):
        WorkerMetricsDir(directory, "wsse").prepare()


def test_an_impossible_directory_is_reported(tmp_path: Path) -> None:
    """The message is one line that says what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkerMetricsError, match=r"metrics\.directory"):
        multiprocess.prepare(tmp_path / "file" / "metrics")
