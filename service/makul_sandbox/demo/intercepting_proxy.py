"""An attacker on the network, who forwards messages, keeps them, and may change them."""

from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

MAX_BYTES = 4 * 1024 * 1024
SECONDS = 30.0

Change = Callable[[bytes], bytes]


def post(url: str, message: bytes) -> tuple[int, bytes]:
    """Send bytes as a SOAP message. Return the HTTP status and the answer."""
    service = urlsplit(url)
    connection = HTTPConnection(str(service.hostname), service.port or 80, timeout=SECONDS)
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    try:
        connection.request("POST", service.path, body=message, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_BYTES)
    finally:
        connection.close()


class Eavesdropper:
    """A proxy between a client and the service at `url`. Use it in a `with` statement."""

    def __init__(self, url: str, change: Change = lambda message: message) -> None:
        self._url = url
        self._change = change
        self.messages: list[bytes] = []
        """Every message that was sent, in its original form."""
        self.overheard: list[bytes] = []
        """Every answer that came back."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address to which the client sends instead of the service."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{urlsplit(self._url).path}"

    def _pass_on(self, message: bytes) -> tuple[int, bytes]:
        self.messages.append(message)
        status, answer = post(self._url, self._change(message))
        self.overheard.append(answer)
        return status, answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pass_on = self._pass_on

        class Handler(BaseHTTPRequestHandler):
            """The handler that forwards one request."""

            def do_POST(self) -> None:
                message = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = pass_on(message)
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Log nothing."""

        return Handler
