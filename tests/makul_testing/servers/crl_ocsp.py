"""A web server on this machine that publishes CRLs and answers OCSP requests."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class PublishedPaths:
    """The content of each path; a function gets the request's body."""

    url: str = ""
    at: dict[str, bytes | Callable[[bytes], bytes]] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    requested_paths: list[str] = field(default_factory=list)
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """The headers and the body of each POST."""


@contextmanager
def run_publisher() -> Iterator[PublishedPaths]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    published = PublishedPaths()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            published.requested_paths.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == "POST":
                published.posted.append((dict(self.headers), body))
            resource = published.at.get(self.path, b"")
            content = resource(body) if callable(resource) else resource
            self.send_response(published.status if self.path in published.at else 404)
            for name, value in published.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    published.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield published
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
