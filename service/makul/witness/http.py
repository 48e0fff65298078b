"""Serve the cosigned checkpoint over HTTP, read-only.

The log's operator reads it, and others who compare checkpoints.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from wsgiref.types import StartResponse, WSGIEnvironment

from makul.net.bounded_http_server import BoundedServer, serve_in_thread

MAX_CONNECTIONS = 32
"""Maximum number of concurrent connections; each is one thread that reads one small file."""
CONNECTION_SECONDS = 10.0
"""Time limit for one request. A slower connection is closed."""


def served(host: str, port: int, shown: Callable[[], bytes | None]) -> AbstractContextManager[int]:
    """Serve `GET /checkpoint` inside the context and return the port; raises `OSError`.

    The system chooses the port if `port` is 0.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_checkpoint = environ["PATH_INFO"] == "/checkpoint" and not environ["QUERY_STRING"]
        octets = shown() if is_checkpoint else None
        status = "404 Not Found" if octets is None else "200 OK"
        kind = ("Content-Type", "text/plain; charset=utf-8")
        start_response(status, [kind, ("Cache-Control", "no-store")])
        return [octets or b""]

    server = BoundedServer(
        f"{host}:{port}", answer, connections=MAX_CONNECTIONS, seconds=CONNECTION_SECONDS
    )
    return serve_in_thread(server, "witness-http")
