"""HTTP beside the service, for few readers: so many connections at once, each for so long.

Whoever connects without end, or never ends a request, takes so many threads and no more of them.
"""

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any

from makul.net.supervision import SupervisedThread, trace

log = logging.getLogger(__name__)

RESTART_SECONDS = 0.2
"""After an unexpected error of the loop that accepts connections."""


class BoundedServer(ThreadingMixIn, HTTPServer):
    """HTTP, a thread for each connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        *,
        connections: int,
        seconds: float,
    ) -> None:
        """More `connections` are closed unanswered, and one that lasts `seconds` is cut.

        Raises `OSError` where the address cannot be had.
        """
        self._connections = connections
        self._seconds = seconds
        self._open: dict[socket.socket, float] = {}  # and when each is cut, by the monotonic clock
        self.request_queue_size = connections
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give it a thread, or close it."""
        if len(self._open) >= self._connections:
            self.shutdown_request(request)
            return
        self._open[request] = time.monotonic() + self._seconds
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be had, so none will take it out
            del self._open[request]
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer it, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._open[request]

    def service_actions(self) -> None:
        """Cut who has had their time: a socket's own time-out begins anew with every octet."""
        now = time.monotonic()
        for connection, until in list(self._open.items()):
            if until <= now:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log an unexpected error of one connection; the others go on.

        A peer that leaves is nobody's error, and who it was is not written down.
        """
        del request, client_address
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            log.error("a connection met an unexpected error: %s", trace(error))


@contextmanager
def running(server: BoundedServer, name: str) -> Iterator[int]:
    """Serve while the block runs, in a thread of this name; the port, which 0 left open."""
    stopped = threading.Event()
    thread = SupervisedThread(
        name,
        server.serve_forever,
        pause_seconds=RESTART_SECONDS,
        first_at_once=True,
        stopped=stopped,
    ).start()
    try:
        yield server.server_address[1]
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
