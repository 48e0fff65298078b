"""The promises of docs/operating: copies, a reload and a stop of the service under load."""

import http.client
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from makul.app.ports import OperatorRegistry
from makul.domain.disclosures import Outcome
from makul.store import Store, StoreKeys, open_store
from makul.store.backup.postgres_dump import restore_dump, scratch_database
from makul.store.db.location import PostgresLocation
from makul_testing.cli_runner import CommandResult
from makul_testing.external.postgres import client_programs
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.load.steady_load import messages
from makul_testing.processes.all_listeners import RunningProgram, get, served_whole
from makul_testing.processes.service import drive

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


def test_a_copy_under_load_holds_earlier_answers(
    installation: InProcessService,
    service: RunningProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RPO: everything that was acknowledged before a copy began is in it."""
    makul = installation.makul(None)
    if not isinstance(installation.settings.place, Path):
        monkeypatch.setenv("PATH", f"{client_programs()}{os.pathsep}{os.environ['PATH']}")
    drive(service.listener, messages(installation, 6))
    before = list_request_ids(installation.store.registry)
    load = Load(service.port)
    copies: list[CommandResult] = []

    load.run(
        messages(installation, 40),
        lambda: copies.append(makul("backup", tmp_path / "copies", "--json")),
    )

    assert copies[0].code == 0, copies[0].err
    copy = Path(copies[0].json["copy"])
    with restored(copy, installation) as copied:
        assert before <= list_request_ids(copied.registry) <= before | load.answered
    assert (load.other, load.cut, load.refused) == ([], 0, 0)


@contextmanager
def restored(copy: Path, installation: InProcessService) -> Iterator[Store]:
    """Open a copy, which on PostgreSQL is a database that is dropped at the end."""
    keys = StoreKeys.load(installation.settings.store.keys)
    place = installation.settings.place
    with ExitStack() as stack:
        if isinstance(place, PostgresLocation):
            place = PostgresLocation(url=make_conninfo(place.url, dbname="restored"))
            stack.enter_context(scratch_database(place))
            restore_dump(copy / "makul.pgdump", place, lambda *_: None)
        else:
            place = copy / "makul.db"
        yield stack.enter_context(closing(open_store(place, keys, who="test")))
