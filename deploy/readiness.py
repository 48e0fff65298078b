"""Exit with 0 if the service behind a Unix socket is ready: `readiness.py SOCKET`.

The health check of a container (compose.yaml). The image has no curl, and the listeners of
production are sockets. `degraded` counts as ready (docs/operating/running.md).
"""

import http.client
import socket
import sys

TIMEOUT_SECONDS = 15
"""The service itself gives up a look at its dependencies after ten seconds."""


class _SocketConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def main() -> int:
    """Print the answer of `/readyz`, and return the exit code."""
    if len(sys.argv) != 2:
        sys.stderr.write("readiness: name one socket\n")
        return 2
    connection = _SocketConnection(sys.argv[1])
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        sys.stdout.write(answer.read(65_536).decode(errors="replace") + "\n")
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"readiness: {type(error).__name__}: the service does not answer\n")
        return 1
    return 0 if answer.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    raise SystemExit(main())
