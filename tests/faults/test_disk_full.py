"""A disk is full for a while, under load, and nothing is given that could not be recorded."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from makul_testing.exhaustive import rounds
from makul_testing.external.postgres import Cluster, cluster, give_to_server
from makul_testing.faults.full_disk import MOUNTED, Disk, small_disk
from makul_testing.faults.record_audit import Count, assert_nothing_is_lost, audit_records
from makul_testing.in_process_service import InProcessService, build_installation_on
from makul_testing.load.concurrent_clients import RELEASED, ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service
from makul_testing.processes.service import Server, children

TIMES = rounds(2, exhaustive=3)
"""The number of times that the disk fills up."""

TOLD = 8
"""The number of requests that get OPS-03 each time."""

POOL_SECONDS = 0.5
"""The wait for a server that stopped without space, which is shorter than usual."""


class Machine:
    """A small disk with the records of a service."""

    def __init__(self, stack: ExitStack, directory: Path, what: str) -> None:
        self._serving: Server | None = None
        self.server: Cluster | None = None
        self.disk: Disk = stack.enter_context(small_disk(SIZES[what], self._writers))
        database, _, part = what.partition(" ")
        if database == "postgresql":
            log = self.disk.path / "log"
            log.mkdir()
            give_to_server(log)
            within = None if part else self.disk.path
            init = ["--wal-segsize=1", *(["--waldir", str(log)] if part else [])]
            self.server = stack.enter_context(
                cluster(durable=True, within=within, init=init, **SMALL)
            )
        else:
            directory = self.disk.path / "installation"
            directory.mkdir()
        self.installation: InProcessService = build_installation_on(
            directory, database, self._server
        )
        stack.callback(self.installation.close)

    def serve(self, stack: ExitStack) -> Server:
        self._serving = stack.enter_context(run_preforked_service(self.installation, workers=2))
        return self._serving

    def free(self) -> None:
        """Free space. A supervisor starts a server that gave up."""
        self.disk.free()
        if self.server is not None and not self.server.alive:
            self.server.start(**SMALL)

    @property
    def crashes(self) -> int:
        """Return how often the server stopped completely, without space for its log."""
        return 0 if self.server is None else self.server.log.count("PANIC:")

    def _server(self) -> Cluster:
        assert self.server is not None
        return self.server

    def _writers(self) -> Iterator[int]:
        if self.server is not None:
            process = self.server.process
            if process is not None and self.server.alive:
                yield from (process.pid, *children(process.pid))
        elif self._serving is not None:
            yield from self._serving.workers


SIZES = {"sqlite": 32, "postgresql": 160, "postgresql log": 32}
"""Megabytes of a new service's data, or only of the write-ahead log, with some space.

Without space for its log the server stops, and does not start before there is some.
"""

SMALL = {
    "max_wal_size": "16MB",
    "min_wal_size": "2MB",
    "shared_buffers": "8MB",
    "wal_recycle": "off",
}

ROOM = 400_000
"""Bytes that are left when the disk is filled: it becomes full during a request."""


@pytest.mark.parametrize("what", SIZES)
def test_a_full_disk_under_load_loses_nothing(
    what: str, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPS-03, and with space all continues; what was acknowledged is there."""
    monkeypatch.setattr("makul.store.db.postgres.POOL_SECONDS", POOL_SECONDS)
    with ExitStack() as stack:
        machine = Machine(stack, tmp_path, what)
        with ExitStack() as serving:
            server = machine.serve(serving)
            clients = serving.enter_context(ConcurrentClients(machine.installation, server.port))
            for _ in range(TIMES):
                clients.more(10)
                target = clients.words["fault OPS-03"] + TOLD
                machine.disk.fill(but=ROOM)
                clients.until(lambda: clients.words["fault OPS-03"] >= target)  # noqa: B023
                machine.free()
            clients.more(10)
        with run_preforked_service(machine.installation, workers=1) as server:
            clients.port = server.port
            clients.ask_again(sorted(clients.released)[:50])
        after = audit_records(machine.installation.settings.place)
        kind, crashes = machine.disk.kind, machine.crashes

    assert_nothing_is_lost(clients, after)
    assert set(clients.words) <= {RELEASED, "fault OPS-03", "fault OPS-01"}
    assert not clients.broken
    if what == "postgresql log" and kind == MOUNTED:
        assert crashes, "there was always room for the log"
    count(
        f"disk full under load x{TIMES} [{what}, {kind}]: {len(clients.released):,} acknowledged,"
        f" {clients.words['fault OPS-03']} told OPS-03, 0 lost, 0 released without leaf,"
        f" 0 released twice; the server crashed {crashes} times"
    )
