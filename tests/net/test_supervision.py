"""A background thread that meets an unexpected error logs it, counts it and continues."""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from makul.admin.sequencer_rounds import CosignatureBuffer, SequencerRounds, collect_cosignatures
from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import CosignedCheckpoint
from makul.app.sequencer import Sequencer
from makul.composition.adapters import utc_now
from makul.composition.service import start_housekeeping
from makul.net import supervision
from makul.net.bounded_http_server import BoundedServer, serve_in_thread
from makul.net.fetcher import Fetcher, FetchError
from makul.net.supervision import SupervisedThread
from makul.observability.metrics import Metrics
from makul.store import Store
from makul.trust.tlog.cosignatures import Collector

PATIENCE = 60.0
"""A time in seconds."""

SECRET = "20101199000123"


class UnexpectedError(Exception):
    """An unexpected error; its message quotes a person's number."""


def until(true: Callable[[], bool]) -> None:
    """Wait for the result of another thread."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def lines(caplog: pytest.LogCaptureFixture, thread: str) -> list[str]:
    """Return the log lines about unexpected errors of a thread."""
    begin = f"thread {thread} had unexpected error"
    return [line for line in caplog.messages if line.startswith(begin)]


def test_a_failed_turn_is_logged_counted_and_followed_by_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log has the type and location of the error, never its message."""
    turns, counted, stopped = [0], [], threading.Event()

    def turn() -> None:
        turns[0] += 1
        if turns[0] < 3:
            raise UnexpectedError(SECRET)

    def count(name: str) -> None:
        counted.append(name)
        raise UnexpectedError(SECRET)  # counting must not end the thread either

    thread = SupervisedThread(
        "turns", turn, pause_seconds=0.001, stopped=stopped, on_error=count
    ).start()
    until(lambda: turns[0] > 3)
    stopped.set()
    thread.join()

    assert (thread.errors, counted) == (2, ["turns", "turns"])
    assert len(lines(caplog, "turns")) == 2
    assert "UnexpectedError at" in lines(caplog, "turns")[0]
    assert SECRET not in caplog.text


class Panic(BaseException):
    """An error like those that `cryptography` raises when its Rust panics; it is no Exception."""


@pytest.mark.parametrize("kind", [Panic, SystemExit, KeyboardInterrupt, RecursionError])
def test_a_thread_survives_a_base_exception(
    caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    """The error may occur in a turn or in counting; only `stopped` ends the thread."""
    turns, stopped = [0], threading.Event()

    def turn() -> None:
        turns[0] += 1
        raise kind(SECRET)

    def count(_: str) -> None:
        raise kind(SECRET)

    thread = SupervisedThread(
        "panics", turn, pause_seconds=0.001, stopped=stopped, on_error=count
    ).start()
    until(lambda: turns[0] > 3)
    stopped.set()
    thread.join()

    assert thread.errors == turns[0]
    assert len(lines(caplog, "panics")) == turns[0]
    assert SECRET not in caplog.text


def test_a_thread_survives_an_unwritable_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn still runs and is counted when the disk is full."""
    turns, counted, stopped = [0], [0], threading.Event()

    def turn() -> None:
        turns[0] += 1
        raise UnexpectedError

    def count(_: str) -> None:
        counted[0] += 1

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(supervision.log, "error", fail)
    thread = SupervisedThread(
        "logless", turn, pause_seconds=0.001, stopped=stopped, on_error=count
    ).start()
    until(lambda: turns[0] > 3)
    stopped.set()
    thread.join()

    assert counted[0] == turns[0] == thread.errors


def test_housekeeping_continues_after_an_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is no outage of the store; it has its metric and its event."""
    counted: list[str] = []
    events: list[object] = []
    monkeypatch.setattr("makul.composition.service.emit_security_event", events.append)
    outcomes = deque([UnexpectedError(SECRET), StoreUnavailableError("away"), KeyError(SECRET)])
    runs: list[datetime] = []

    def housekeep(*, at: datetime) -> Any:
        if outcomes:
            raise outcomes.popleft()
        runs.append(at)
        return SimpleNamespace(more=False)

    stopped = threading.Event()
    start_housekeeping(
        cast("Store", SimpleNamespace(housekeep=housekeep)),
        utc_now,
        cast("Metrics", SimpleNamespace(thread_failed=counted.append)),
        pause_seconds=0.001,
        stopped=stopped,
    )
    until(lambda: len(runs) > 1)
    stopped.set()

    assert counted == ["housekeeping", "housekeeping"]
    assert [event.name for event in events] == ["THREAD_FAILED", "THREAD_FAILED"]  # type: ignore[attr-defined]
    assert len(lines(caplog, "housekeeping")) == 2
    assert SECRET not in caplog.text


def test_the_number_of_a_threads_errors_is_a_metric() -> None:
    """The metric has the labels listener and thread."""
    metrics = Metrics("wsse", recipients=False)

    metrics.thread_failed("housekeeping")

    counter = metrics._instruments.thread_errors.labels("wsse", "housekeeping")
    assert counter._value.get() == 1


def test_collecting_cosignatures_continues_after_an_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One witness's note must not end the collection from all of them."""
    events: list[object] = []
    monkeypatch.setattr("makul.admin.sequencer_rounds.emit_security_event", events.append)
    outcomes = deque([UnexpectedError(SECRET), UnexpectedError(SECRET)])
    cosigned = cast("CosignedCheckpoint", object())

    def collect() -> list[CosignedCheckpoint]:
        if outcomes:
            raise outcomes.popleft()
        return [cosigned]

    stopped = threading.Event()
    collector = cast("Collector", SimpleNamespace(collect=collect))
    with collect_cosignatures(collector, stopped, pause_seconds=0.001) as buffer:
        for _ in range(2):
            until(lambda: bool(buffer.take()))
        stopped.set()

    assert len(lines(caplog, "witnesses")) == 2
    assert len(events) == 2
    assert SECRET not in caplog.text


def test_the_sequencer_continues_after_an_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round begins where the committed ledger ends, so the next round can run."""
    events: list[object] = []
    monkeypatch.setattr("makul.admin.sequencer_rounds.emit_security_event", events.append)
    stopped, rounds = threading.Event(), [0]

    def run_once() -> Any:
        rounds[0] += 1
        if rounds[0] == 3:
            stopped.set()
            return SimpleNamespace(size=None)
        raise UnexpectedError(SECRET)

    sequencer = SimpleNamespace(run_once=run_once, release=lambda: None)

    ended_well = SequencerRounds(
        cast("Sequencer", sequencer), stopped, 0.0, CosignatureBuffer()
    ).run()

    assert (ended_well, rounds[0], len(events)) == (True, 3, 2)
    assert "an unexpected error: UnexpectedError at" in caplog.text
    assert SECRET not in caplog.text


def _break(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    if environ["PATH_INFO"] == "/broken":
        raise UnexpectedError(SECRET)
    start_response("204 No Content", [])
    return []


class _BreakingServer(BoundedServer):
    """A server that fails in its accepting loop on request of a test."""

    breaks = 0

    def service_actions(self) -> None:
        if self.breaks:
            self.breaks -= 1
            raise UnexpectedError(SECRET)
        super().service_actions()


def status_at(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_auxiliary_servers_continue_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """Tiles, checkpoints and metrics survive an error of the accepting loop and of a connection."""
    server = _BreakingServer("127.0.0.1:0", _break, connections=4, seconds=PATIENCE)
    with serve_in_thread(server, "beside") as port:
        server.breaks = 2
        until(lambda: len(lines(caplog, "beside")) == 2)
        assert status_at(port, "/") == 204
        assert status_at(port, "/broken") == 500
        assert status_at(port, "/") == 204

    assert "an answer had an unexpected error: UnexpectedError at" in caplog.text
    assert SECRET not in caplog.text


def test_an_error_of_the_fetching_thread_reaches_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread does one thing and ends; an unexpected error is a failed fetch, and the next
    works.
    """
    fetch = Fetcher(PATIENCE)
    with monkeypatch.context() as broken:
        broken.setattr("makul.net.fetcher._fetch_untimed", lambda *_: 1 / 0)
        with pytest.raises(FetchError, match="no answer"):
            fetch("http://127.0.0.1:1/crl", None, 10)
    with monkeypatch.context() as mended:
        mended.setattr("makul.net.fetcher._fetch_untimed", lambda *_: b"crl")
        assert fetch("http://127.0.0.1:1/crl", None, 10) == b"crl"
