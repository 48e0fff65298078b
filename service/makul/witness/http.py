"""Serve the cosigned checkpoint over HTTP, read-only.

The log's operator reads it, and others who compare checkpoints.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

from makul.net.bounded_http_server import BoundedServer, running

MAX_CONNECTIONS = 32
"""Maximum number of concurrent connections; each is one thread that reads one small file."""
CONNECTION_SECONDS = 10.0
"""Time limit for one request. A slower connection is closed."""


def served(host: str, port: int, shown: Callable[[], bytes | None]) -> AbstractContextManager[int]:
    """Serve `GET /checkpoint` inside the context and return the port; raises `OSError`.

    The system chooses the port if `port` is 0.
    """

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
            """Log nothing, so that the requesting address is not recorded."""

    server = BoundedServer(
        (host, port), Handler, connections=MAX_CONNECTIONS, seconds=CONNECTION_SECONDS
    )
    return running(server, "witness-http")
