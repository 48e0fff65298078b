"""The cosigned checkpoint over HTTP, read-only: for the log's operator, and whoever compares."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any

MAX_CONNECTIONS = 32
"""At once; each is one thread that reads one small file. Others are closed unanswered."""
CONNECTION_SECONDS = 10.0
"""For one request. Who is slower is closed."""


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be had, so none will release it
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        # The socket's own time-out begins anew with every octet.
        cut = threading.Timer(CONNECTION_SECONDS, _cut, (request,))
        cut.daemon = True
        cut.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            cut.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that leaves is nobody's error, and who it was is not written down."""


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def served(host: str, port: int, shown: Callable[[], bytes | None]) -> Iterator[int]:
    """Serve `GET /checkpoint` meanwhile; the port, which 0 leaves open. Raises `OSError`."""

    class Handler(BaseHTTPRequestHandler):
        timeout = CONNECTION_SECONDS
        server_version = "makul-witness"
        sys_version = ""

        def do_GET(self) -> None:
            octets = shown() if self.path == "/checkpoint" else None
            self.send_response(200 if octets is not None else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(octets or b"")))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(octets or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - inherited
            """Who asks is not written down."""

    server = _Server((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever, name="witness-http", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
