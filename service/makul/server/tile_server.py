"""The published log over HTTP for witnesses: its checkpoint and tiles, read-only.

It serves this machine only; a reverse proxy serves others. A path is served only if it is
`checkpoint` or names a tile. No requested path reaches the file system unchanged.
"""

import logging
from contextlib import AbstractContextManager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from makul.app.ports.ledger import LedgerBrokenError, PublishedLog
from makul.ledger.tiles import tile_of_path
from makul.net.bounded_http_server import BoundedServer, running

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
"""Maximum at once. A few witnesses ask every second; a proxy in front keeps as many open."""

CONNECTION_SECONDS = 10.0
"""Seconds for one request and one file of at most 8 KiB. A slower connection is closed."""

FOREVER = "public, max-age=31536000, immutable"
"""A tile of one width never changes (C2SP tlog-tiles)."""


class _TileHandler(BaseHTTPRequestHandler):
    timeout = CONNECTION_SECONDS
    server: "_TileServer"

    def do_GET(self) -> None:
        """Answer with the bytes of a file, or with 404."""
        content, kind, kept = self._found()
        self.send_response(HTTPStatus.OK if content is not None else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("Cache-Control", kept)
        self.end_headers()
        self.wfile.write(content or b"")

    def version_string(self) -> str:
        """Return a name without Python's version."""
        return "makul"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as inherited
        """Log nothing, because reading a public log needs no entry here."""

    def _found(self) -> tuple[bytes | None, str, str]:
        path = self.path.removeprefix("/")
        plain, octets = "text/plain; charset=utf-8", "application/octet-stream"
        try:
            if path == "checkpoint":
                return self.server.published.checkpoint(), plain, "no-cache"
            tile = tile_of_path(path)
            if tile is not None:
                read = self.server.published.tile
                return read(tile.level, tile.index, tile.width), octets, FOREVER
        except (LedgerBrokenError, OSError):
            pass  # absent, or not published yet
        return None, plain, "no-cache"


class _TileServer(BoundedServer):
    def __init__(self, address: tuple[str, int], published: PublishedLog) -> None:
        self.published = published
        super().__init__(
            address, _TileHandler, connections=MAX_CONNECTIONS, seconds=CONNECTION_SECONDS
        )


def tiles_served(bind: str, published: PublishedLog) -> AbstractContextManager[int]:
    """Serve while the block runs, and yield the port. Raises `OSError` if the address is in use."""
    host, _, port = bind.rpartition(":")
    return running(_TileServer((host.strip("[]"), int(port)), published), "tiles")
