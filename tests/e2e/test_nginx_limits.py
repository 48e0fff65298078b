"""The limits of the published nginx configuration, observed at a real nginx."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

import pytest

from makul_sandbox.data.pki import new_hierarchy
from makul_testing.external.nginx import fronting
from makul_testing.external.requirements import needs
from makul_testing.processes.service import START_SECONDS, free_port
from makul_testing.servers.listeners import write

pytestmark = needs("nginx")

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = (
    b"POST /v1/recipient HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 9\r\n\r\n"
)
LIMITS = {
    "rate=50r/s": "rate=1r/m",
    "burst=100 ": "burst=5 ",
    "makul_connections 64;": "makul_connections 4;",
}
TIMES = {
    "client_header_timeout     10s;": "client_header_timeout 1s;",
    "client_body_timeout       15s;": "client_body_timeout 1s;",
}


class _Answering(BaseHTTPRequestHandler):
    """Answers every request with 200."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the names of http.server

    def log_message(self, *_: object) -> None:
        """Log nothing on stderr."""

    def address_string(self) -> str:
        return "unix"


class _Service(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def front(directory: Path, changed: dict[str, str]) -> Iterator[int]:
    """Run the wsse front before a service that always answers; return its port."""
    hierarchy = new_hierarchy(datetime.now(UTC))
    server = hierarchy.server(member_code="GOV/1", host="127.0.0.1")
    certificate, key = write(directory, "server", server)
    (directory / "cas.pem").write_bytes(hierarchy.anchors())
    path, port = directory / "wsse.sock", free_port()
    places = {
        "/run/makul/wsse.sock": str(path),
        "/etc/makul/nginx/server.cert.pem": str(certificate),
        "/etc/makul/nginx/server.key.pem": str(key),
        "/etc/makul/nginx/client-cas.pem": str(directory / "cas.pem"),
        "192.0.2.10:8443": f"127.0.0.1:{free_port()}",
        "192.0.2.10:443": f"127.0.0.1:{port}",
    }
    with _Service(str(path), _Answering) as service:
        path.chmod(0o666)
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        try:
            with fronting(directory, places | changed):
                yield port
        finally:
            service.shutdown()
            thread.join()


def connect(port: int) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS)
    return context.wrap_socket(plain)


def status(connection: ssl.SSLSocket) -> bytes:
    """Return the status of one answer, or nothing if the connection was closed instead."""
    try:
        return connection.recv(65536).split(b" ")[1]
    except (IndexError, ConnectionError, ssl.SSLEOFError):
        return b""


def ask(port: int) -> bytes:
    with connect(port) as connection:
        connection.sendall(GET)
        return status(connection)


def test_requests_of_one_address_are_limited(tmp_path: Path) -> None:
    """`limit_req`: a number at once, and then 429 until time has passed."""
    with front(tmp_path, LIMITS) as port:
        answers = [ask(port) for _ in range(9)]

    assert answers[:6] == 6 * [b"200"]
    assert b"429" in answers[6:]


def test_connections_of_one_address_are_limited(tmp_path: Path) -> None:
    """`limit_conn`: missing bodies hold that many connections, and the next gets 429."""
    limits = {key: value for key, value in LIMITS.items() if "connections" in key}
    with front(tmp_path, limits) as port, ExitStack() as slow:
        for _ in range(4):
            slow.enter_context(connect(port)).sendall(POST)
        assert wait_until_refused(port)


def wait_until_refused(port: int) -> bool:
    """Return True when nginx has read the four heads and refuses a fifth connection."""
    return any(ask(port) == b"429" for _ in range(100))


@pytest.mark.parametrize("sent", [b"", POST[:40], POST, POST + b"<a"])
def test_a_client_that_stops_is_closed(tmp_path: Path, sent: bytes) -> None:
    """`client_header_timeout`, `client_body_timeout`: it gets 408 or nothing, and is closed."""
    with front(tmp_path, TIMES) as port, connect(port) as connection:
        connection.sendall(sent)
        assert status(connection) in (b"", b"408")


def test_a_handshake_that_stops_is_closed(tmp_path: Path) -> None:
    """The time for the head is also that for the handshake."""
    with (
        front(tmp_path, TIMES) as port,
        socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection,
    ):
        assert closed(connection)


def closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True
