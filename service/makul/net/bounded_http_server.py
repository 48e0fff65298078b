"""An HTTP server beside the service for few readers; it limits connections and their duration.

A client that opens connections without end, or never ends a request, can use only these threads.
Tiles of the log, metrics and a witness's checkpoint are WSGI applications that it serves.
"""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.types import WSGIApplication

from makul.net.supervision import SupervisedThread, trace

log = logging.getLogger(__name__)

RESTART_SECONDS = 0.2
"""Seconds before the loop that accepts connections restarts after an unexpected error."""


class _Handler(BaseHTTPRequestHandler):
    """Answer with what the application returns; a method that the server does not take is 501."""

    server: "BoundedServer"

    def do_GET(self) -> None:
        if self.command not in self.server.methods:
            self.send_error(HTTPStatus.NOT_IMPLEMENTED)
            return
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_ACCEPT": self.headers.get("Accept", ""),
            "HTTP_ACCEPT_ENCODING": self.headers.get("Accept-Encoding", ""),
        }

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None, /
        ) -> Callable[[bytes], object]:
            self.send_response(int(status[:3]))
            for name, value in headers:
                self.send_header(name, value)
            return self.wfile.write

        try:
            body = b"".join(self.server.application(environ, start_response))
        except Exception as error:  # noqa: BLE001 - others are answered
            log.error("an answer had an unexpected error: %s", trace(error))  # noqa: TRY400
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - as inherited
    do_POST = do_GET  # noqa: N815
    do_OPTIONS = do_GET  # noqa: N815

    def version_string(self) -> str:
        """Return a name without Python's version."""
        return "makul"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as inherited
        """Log nothing, so that the requesting address is not recorded."""


class BoundedServer(ThreadingMixIn, HTTPServer):
    """An HTTP server with one thread for each connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        bind: str,
        application: WSGIApplication,
        *,
        connections: int,
        seconds: float,
        methods: Collection[str] = ("GET",),
    ) -> None:
        """Bind the server to `HOST:PORT`. The host may be an IPv6 address in brackets.

        At most `connections` are open; further ones are closed unanswered. One is cut after
        `seconds`. The application answers `methods`; all others are 501.

        Raises `OSError` if the address is not available.
        """
        self.application = application
        self.methods = methods
        self._connections = connections
        self._seconds = seconds
        # when each open connection is cut, by the monotonic clock
        self._open: dict[socket.socket, float] = {}
        self.request_queue_size = connections
        host, _, port = bind.rpartition(":")
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host.strip("[]"), int(port)), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection in a thread, or close it if there are too many."""
        if len(self._open) >= self._connections:
            self.shutdown_request(request)
            return
        self._open[request] = time.monotonic() + self._seconds
        request.settimeout(self._seconds)
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread started, so none will remove the entry
            del self._open[request]
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer the connection, then release its slot."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._open[request]

    def service_actions(self) -> None:
        """Cut connections that are past their limit.

        A socket's own time-out is not enough, because it starts again with every octet.
        """
        now = time.monotonic()
        for connection, until in list(self._open.items()):
            if until <= now:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log an unexpected error of one connection; the others continue.

        A peer that disconnects is not an error. The log line does not name the peer.
        """
        del request, client_address
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            log.error("a connection had an unexpected error: %s", trace(error))


@contextmanager
def serve_in_thread(server: BoundedServer, name: str) -> Iterator[int]:
    """Serve while the block runs, in a thread of this name, and yield the port.

    The port is the one that the system chose if the address has port 0.
    """
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
