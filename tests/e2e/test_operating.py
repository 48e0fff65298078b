"""The promises of docs/operating: copies, a reload and a stop of the service under load."""

import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from makul.app.ports import OperatorRegistry
from makul.domain.disclosures import Outcome
from makul.store import StoreKeys, open_store
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.load.steady_load import messages
from makul_testing.paths import ROOT
from makul_testing.processes.all_listeners import RunningProgram, get, served_whole
from makul_testing.processes.service import drive

OPERATING = ROOT / "docs" / "operating"
COPY = OPERATING / "copy_store.py"
HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
RELEASED = {"listener": "wsse", "operation": "GetPersonData", "outcome": "RELEASED"}


# --- at work ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("operated"), database=record_database)
    config = built.settings.store.database.parent / "makul.toml"
    config.write_text(config.read_text().partition("[listeners.xroad]")[0])
    yield built
    built.close()


@pytest.fixture(scope="module")
def service(installation: InProcessService) -> Iterator[RunningProgram]:
    """Run one service for all tests that leave it unchanged; its three processes start slowly."""
    config = installation.settings.store.keys.parent / "makul.toml"
    with served_whole(config, workers=2, log=config.parent / "log") as running:
        yield running


@pytest.fixture
def lone_service(installation: InProcessService, tmp_path: Path) -> Iterator[RunningProgram]:
    """Run a service for a test that ends or changes it."""
    settings = installation.settings.store.keys.parent
    with served_whole(
        settings / "makul.toml", workers=2, log=tmp_path / "log", metrics=tmp_path / "metrics"
    ) as running:
        yield running


def list_request_ids(registry: OperatorRegistry) -> set[str]:
    rows = registry.disclosures(recipient=None, since=None, limit=5000)
    return {str(row.request_id) for row in rows if row.outcome is Outcome.RELEASED}


@dataclass(slots=True)
class Load:
    """Clients that send requests until they are done, with their answers and failures."""

    port: int
    answered: set[str] = field(default_factory=set)
    other: list[int] = field(default_factory=list)
    cut: int = 0
    """The number of connections that ended during an answer."""
    refused: int = 0

    def run(self, requests: list[bytes], meanwhile: Callable[[], None]) -> None:
        shares = [requests[start::3] for start in range(3)]
        threads = [threading.Thread(target=self._ask_all, args=(share,)) for share in shares]
        for thread in threads:
            thread.start()
        meanwhile()
        for thread in threads:
            thread.join()

    def _ask_all(self, share: list[bytes]) -> None:
        for message in share:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.request("POST", "/v1/recipient", message, HEADERS)
                answer = connection.getresponse()
                body = answer.read()
            except http.client.IncompleteRead:
                self.cut += 1
                continue
            except (OSError, http.client.HTTPException):
                self.refused += 1
                continue
            finally:
                connection.close()
            found_id = re.search(rb"<requestId>([^<]+)</requestId>", body)
            if answer.status == 200 and found_id is not None:
                self.answered.add(found_id[1].decode())
            else:
                self.other.append(answer.status)


def test_reloads_under_load_fail_no_request_and_lose_no_count(
    installation: InProcessService, service: RunningProgram
) -> None:
    """New workers come three times under load: all is answered and counted, no file is left."""
    before = list_request_ids(installation.store.registry)
    counted = service.number("makul_decisions_total", **RELEASED)
    first = set(service.listener.workers)
    load = Load(service.port)

    def reload() -> None:
        for _ in range(3):
            time.sleep(0.5)
            old = set(service.listener.workers)
            os.kill(service.listener.pid, signal.SIGHUP)
            _await_new(service, old)

    load.run(messages(installation, 120), reload)

    assert (load.other, load.cut, load.refused) == ([], 0, 0)
    assert len(load.answered) == 120
    assert load.answered <= list_request_ids(installation.store.registry) - before
    assert first.isdisjoint(service.listener.workers)
    assert service.number("makul_decisions_total", **RELEASED) == counted + 120
    assert service.number("makul_workers", listener="wsse") == 2
    assert service.number("makul_requests_in_flight", listener="wsse") == 0
    assert len(list(service.directory.glob("*.db"))) <= 2 + 4 * 2


def _await_new(service: RunningProgram, old: set[int]) -> None:
    deadline = time.monotonic() + 60
    while (now := set(service.listener.workers)) & old or len(now) < 2:
        assert time.monotonic() < deadline, "no new workers"
        time.sleep(0.1)


def test_a_stop_under_load_answers_what_it_recorded(
    installation: InProcessService, lone_service: RunningProgram
) -> None:
    """SIGTERM: a request that was read is answered whole; others are refused and not recorded."""
    before = list_request_ids(installation.store.registry)
    load = Load(lone_service.port)

    def stop() -> None:
        time.sleep(1.0)
        lone_service.process.terminate()

    load.run(messages(installation, 120), stop)

    assert lone_service.process.wait(60) == 0
    assert load.cut == 0
    assert load.other == []
    assert load.answered == list_request_ids(installation.store.registry) - before
    assert load.answered
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", lone_service.metrics_port)),
    ):
        pass


def test_a_killed_exporter_restarts_and_nobody_waits(
    installation: InProcessService, service: RunningProgram
) -> None:
    """The service continues without it, and its counts are as before."""
    drive(service.listener, messages(installation, 10))
    before = service.number("makul_decisions_total", **RELEASED)
    killed = service.exporter

    os.kill(killed, signal.SIGKILL)
    drive(service.listener, messages(installation, 10))

    assert service.number("makul_decisions_total", **RELEASED) == before + 10
    assert before >= 10
    assert service.exporter != killed


def test_the_service_runs_without_the_metrics_directory(
    installation: InProcessService, lone_service: RunningProgram
) -> None:
    """Somebody cleared /run: new workers count nothing, and answer."""
    old = set(lone_service.listener.workers)
    shutil.rmtree(lone_service.directory)

    os.kill(lone_service.listener.pid, signal.SIGHUP)
    _await_new(lone_service, old)

    drive(lone_service.listener, messages(installation, 5))


def test_metrics_are_only_on_their_own_address(service: RunningProgram) -> None:
    """No listener serves metrics, and the exporter serves nothing else."""
    assert get(service.port, "/metrics")[0] == 404
    status, body = get(service.metrics_port, "/v1/recipient?wsdl")
    assert b"wsdl" not in body
    assert status in {200, 404}


def test_a_reload_that_is_refused_is_an_event(
    installation: InProcessService, service: RunningProgram
) -> None:
    """Unusable settings change nothing, and monitoring gets an event."""
    config = installation.settings.store.keys.parent / "makul.toml"
    good, old = config.read_text(), set(service.listener.workers)
    try:
        config.write_text(good.replace('crls = "crls"', 'crls = "nowhere"', 1))
        os.kill(service.listener.pid, signal.SIGHUP)
        deadline = time.monotonic() + 60
        while "MKL-402" not in (config.parent / "log").read_text():
            assert time.monotonic() < deadline, (config.parent / "log").read_text()[-500:]
            time.sleep(0.1)
    finally:
        config.write_text(good)

    assert set(service.listener.workers) == old
    drive(service.listener, messages(installation, 3))


# --- copies -------------------------------------------------------------------------------------


def copy(database: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(COPY), str(database), str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def database(installation: InProcessService) -> Path:
    """Return the file that is copied."""
    if not isinstance(installation.settings.place, Path):
        pytest.skip("copies a file of SQLite; PostgreSQL has tools of its own")
    return installation.settings.place


def test_a_copy_under_load_holds_earlier_answers(
    installation: InProcessService, service: RunningProgram, database: Path, tmp_path: Path
) -> None:
    """RPO: everything that was acknowledged before a copy began is in it."""
    drive(service.listener, messages(installation, 6))
    before = list_request_ids(installation.store.registry)
    load = Load(service.port)
    copies: list[subprocess.CompletedProcess[str]] = []

    load.run(messages(installation, 40), lambda: copies.append(copy(database, tmp_path / "copies")))

    assert copies[0].returncode == 0, copies[0].stderr
    (copy_path,) = (tmp_path / "copies").iterdir()
    assert copy_path.stat().st_mode & 0o077 == 0
    copied = open_store(copy_path, StoreKeys.load(installation.settings.store.keys), who="test")
    try:
        assert before <= list_request_ids(copied.registry) <= before | load.answered
    finally:
        copied.close()
    assert (load.other, load.cut, load.refused) == ([], 0, 0)


def test_only_the_newest_copies_stay(database: Path, tmp_path: Path) -> None:
    """The directory does not fill the disk, and copies with other names are not touched."""
    directory = tmp_path / "copies"
    directory.mkdir()
    for hour in range(30):
        (directory / f"makul-202501{hour + 1:02}T000000Z.db").touch()
    (directory / "before-upgrade.db").touch()

    result = copy(database, directory)

    names_left = sorted(path.name for path in directory.iterdir())
    assert result.returncode == 0
    assert len(names_left) == 24 + 1
    assert "before-upgrade.db" in names_left
    assert names_left[1] == "makul-20250108T000000Z.db"


@pytest.mark.parametrize("what", ["missing", "damaged"])
def test_a_damaged_copy_gets_no_name(database: Path, tmp_path: Path, what: str) -> None:
    """Exit code 1 and one line: a named copy is reliable."""
    source = tmp_path / "makul.db"
    if what == "damaged":
        damaged_copy(database, source)

    result = copy(source, tmp_path / "copies")

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert list((tmp_path / "copies").glob("makul-*")) == []


def damaged_copy(database: Path, to: Path) -> None:
    """Return the store with an overwritten page in its middle."""
    assert copy(database, to.parent / "good").returncode == 0
    (good,) = (to.parent / "good").iterdir()
    shutil.copy(good, to)
    pages = to.stat().st_size // 4096
    with to.open("r+b") as file:
        for page in range(2, pages):
            file.seek(page * 4096)
            file.write(b"\xff" * 512)
    with closing(sqlite3.connect(to)) as store, pytest.raises(sqlite3.DatabaseError):
        store.execute("SELECT count(*) FROM disclosure").fetchall()
