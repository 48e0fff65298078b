"""The auxiliary HTTP servers limit the number of connections and the time of each.

The ledger's tiles, a witness's checkpoint and the metrics are served in this way.
"""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from socketserver import ThreadingMixIn

import pytest
from prometheus_client import CollectorRegistry

from makul.observability import metrics_server as exporter
from makul.server import tile_server
from makul.store.log.tile_files import LogDirectory
from makul.witness import http as serving


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
PATIENCE = 60.0
"""A time in seconds."""

Serve = Callable[[str, Path], AbstractContextManager[int]]


def tiles(host: str, path: Path) -> AbstractContextManager[int]:
    (path / "checkpoint").write_bytes(b"a checkpoint")
    return tile_server.tiles_served(f"{host}:0", LogDirectory(path))


def checkpoint(host: str, _: Path) -> AbstractContextManager[int]:
    return serving.served(host.strip("[]"), 0, lambda: b"a cosigned checkpoint")


def metrics(host: str, _: Path) -> AbstractContextManager[int]:
    return exporter.serve_metrics(f"{host}:0", CollectorRegistry())


SERVED = {tiles: tile_server, checkpoint: serving, metrics: exporter}


@pytest.fixture(params=SERVED)
def serve(request: pytest.FixtureRequest) -> Serve:
    return request.param


@pytest.fixture
def limit(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    """Set the maximum number of connections, and the seconds of each."""

    def to(connections: int, seconds: float) -> None:
        monkeypatch.setattr(SERVED[serve], "MAX_CONNECTIONS", connections)
        monkeypatch.setattr(SERVED[serve], "CONNECTION_SECONDS", seconds)

    return to


def status_at(port: int, host: str = "127.0.0.1") -> int:
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/checkpoint")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_reading_is_all_that_is_served(serve: Serve, method: str, tmp_path: Path) -> None:
    with serve("127.0.0.1", tmp_path) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request(method, "/checkpoint")
        answer = connection.getresponse()

        refused = 405 if serve is metrics and method in {"HEAD", "POST"} else 501
        assert (answer.status, answer.getheader("Server")) == (refused, "makul")
        connection.close()


def is_answered(port: int) -> bool:
    """Return whether an answer comes soon: a peer's close is noticed a moment before its slot is
    free.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return status_at(port) == 200
        except (RemoteDisconnected, ConnectionResetError):
            time.sleep(0.01)
    return False


def cut(dripping: socket.socket) -> bool:
    """Send octet by octet until the other end closes."""
    dripping.settimeout(0.1)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            dripping.sendall(b"x")
            if dripping.recv(1) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("[::1]", marks=NEEDS_IPV6)])
def test_server_listens_on_both_kinds_of_address(serve: Serve, host: str, tmp_path: Path) -> None:
    """The server accepts both kinds of address in the settings."""
    with serve(host, tmp_path) as port:
        assert status_at(port, host.strip("[]")) == 200


def test_connections_beyond_the_limit_are_closed(
    serve: Serve, limit: Callable[[int, float], None], tmp_path: Path
) -> None:
    """A connection that comes when a slot is free is answered."""
    limit(3, 60.0)
    with serve("127.0.0.1", tmp_path) as port, ExitStack() as silent:
        first, *_ = [
            silent.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3)
        ]
        for _ in range(5):
            with pytest.raises((RemoteDisconnected, ConnectionResetError)):
                status_at(port)

        first.close()
        assert is_answered(port)


def test_slow_sender_is_disconnected(
    serve: Serve, limit: Callable[[int, float], None], tmp_path: Path
) -> None:
    """Each octet comes in time, but as many such senders would keep all others out."""
    limit(1, 0.5)
    with (
        serve("127.0.0.1", tmp_path) as port,
        socket.create_connection(("127.0.0.1", port)) as dripping,
    ):
        dripping.sendall(b"GET /checkpoint HTTP/1.0\r\nX: ")

        assert cut(dripping)
        assert is_answered(port)


def test_failed_thread_frees_its_slot(
    serve: Serve,
    limit: Callable[[int, float], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise one moment of overload would permanently use up all slots."""
    limit(1, 60.0)
    with serve("127.0.0.1", tmp_path) as port:
        with monkeypatch.context() as bad_moment:
            bad_moment.setattr(ThreadingMixIn, "process_request", no_thread)
            with pytest.raises((RemoteDisconnected, ConnectionResetError)):
                status_at(port)

        assert is_answered(port)


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("path", ["/checkpoint?", "/checkpoint?x", "/checkpoint?x=1&y"])
@pytest.mark.parametrize("serve", [tiles, checkpoint])
def test_no_published_file_has_a_query(serve: Serve, path: str, tmp_path: Path) -> None:
    """C2SP tlog-tiles names files: a query would give caches many names of one file."""
    with serve("127.0.0.1", tmp_path) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", path)

        assert connection.getresponse().status == (200 if path.endswith("?") else 404)
        connection.close()
