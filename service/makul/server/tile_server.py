"""The published log over HTTP for witnesses: its checkpoint and tiles, read-only.

It serves this machine only; a reverse proxy serves others. A path is served only if it is
`checkpoint` or names a tile. No requested path reaches the file system unchanged.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from wsgiref.types import StartResponse, WSGIEnvironment

from makul.app.ports.ledger import LedgerBrokenError, PublishedLog
from makul.ledger.tiles import tile_of_path
from makul.net.bounded_http_server import BoundedServer, serve_in_thread

MAX_CONNECTIONS = 64
"""Maximum at once. A few witnesses ask every second; a proxy in front keeps as many open."""

CONNECTION_SECONDS = 10.0
"""Seconds for one request and one file of at most 8 KiB. A slower connection is closed."""

FOREVER = "public, max-age=31536000, immutable"
"""A tile of one width never changes (C2SP tlog-tiles)."""


def tiles_served(bind: str, published: PublishedLog) -> AbstractContextManager[int]:
    """Serve while the block runs, and yield the port. Raises `OSError` if the address is in use."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = "" if environ["QUERY_STRING"] else environ["PATH_INFO"]  # no file has a query
        content, kind, cache_control = _find_file(published, path.removeprefix("/"))
        status = "404 Not Found" if content is None else "200 OK"
        start_response(status, [("Content-Type", kind), ("Cache-Control", cache_control)])
        return [content or b""]

    server = BoundedServer(bind, answer, connections=MAX_CONNECTIONS, seconds=CONNECTION_SECONDS)
    return serve_in_thread(server, "tiles")


def _find_file(published: PublishedLog, path: str) -> tuple[bytes | None, str, str]:
    """Return the content of a file, its type, and how long it may be kept."""
    plain, octets = "text/plain; charset=utf-8", "application/octet-stream"
    try:
        if path == "checkpoint":
            return published.checkpoint(), plain, "no-cache"
        tile = tile_of_path(path)
        if tile is not None:
            return published.tile(tile.level, tile.index, tile.width), octets, FOREVER
    except (LedgerBrokenError, OSError):
        pass  # absent, or not published yet
    return None, plain, "no-cache"
