"""A web server on this machine whose answers never end: headers or a body, octet by octet."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread

HEADERS = b"HTTP/1.1 200 OK\r\nX: "
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@dataclass
class SlowServer:
    """Its address, and the number of its connections."""

    url: str
    request_count: int = 0


@contextmanager
def run_slow_server(begin: bytes = HEADERS) -> Iterator[SlowServer]:
    """Serve until the block ends: send `begin`, and then an octet at intervals."""
    ended = Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(begin)
            while not ended.wait(0.05):
                connection.sendall(b"x")

    def serve() -> None:
        threads: list[Thread] = []
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                server.request_count += 1
                threads.append(Thread(target=drip, args=(connection,)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = SlowServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
        serving = Thread(target=serve)
        serving.start()
        try:
            yield server
        finally:
            ended.set()
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()
