"""The cosigned checkpoint over HTTP: nobody keeps others from it."""

import socket
import time
from http.client import HTTPConnection, RemoteDisconnected
from socketserver import ThreadingMixIn

import pytest

from makul.witness import serving
from makul.witness.serving import served

SHOWN = b"a cosigned checkpoint\n"


def asked(port: int, path: str = "/checkpoint") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def asked_once_there_is_room(port: int) -> tuple[int, bytes]:
    """Whoever was cut is seen to be gone a moment before its place is free."""
    until = time.monotonic() + 10
    while True:
        try:
            return asked(port)
        except (RemoteDisconnected, ConnectionResetError):
            assert time.monotonic() < until
            time.sleep(0.01)


def cut_within(seconds: float, dripping: socket.socket) -> bool:
    """Octet by octet, until the other end is closed."""
    until = time.monotonic() + seconds
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


def test_the_checkpoint_is_shown_and_nothing_else() -> None:
    with served("127.0.0.1", 0, lambda: SHOWN) as port:
        assert asked(port) == (200, SHOWN)
        assert asked(port, "/head.json") == asked(port, "/../lock") == (404, b"")


def test_whoever_drips_a_request_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Octet by octet, each in time: as many as may be connected would keep all others out."""
    monkeypatch.setattr(serving, "CONNECTION_SECONDS", 0.5)
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 1)
    with (
        served("127.0.0.1", 0, lambda: SHOWN) as port,
        socket.create_connection(("127.0.0.1", port)) as dripping,
    ):
        dripping.sendall(b"GET /checkpoint HTTP/1.0\r\nX: ")
        dripping.settimeout(0.1)

        assert cut_within(10, dripping)
        assert asked_once_there_is_room(port) == (200, SHOWN)


def test_who_cannot_be_given_a_thread_takes_no_place_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as may be connected would else be turned away for ever, after a bad moment."""
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 1)
    with served("127.0.0.1", 0, lambda: SHOWN) as port:
        with monkeypatch.context() as bad_moment:
            bad_moment.setattr(ThreadingMixIn, "process_request", no_thread)
            with pytest.raises(RemoteDisconnected):
                asked(port)

        assert asked_once_there_is_room(port) == (200, SHOWN)


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")
