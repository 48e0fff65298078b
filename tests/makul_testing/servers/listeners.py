"""Listeners as their fronts reach them: by a Unix socket, or by TLS with a client certificate."""

import http.client
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from makul_sandbox.data.pki import Credential
from makul_testing.in_process_service import InProcessService
from makul_testing.processes.program import Program
from makul_testing.processes.service import START_SECONDS


@contextmanager
def run_listener(installation: InProcessService, listener: str, **settings: str) -> Iterator[None]:
    """Run `makul serve --listener`, with these settings of the listener."""
    config = installation.settings.store.database.parent / "makul.toml"
    prefix = f"MAKUL_LISTENERS__{listener.upper()}__"
    changed = {f"{prefix}{name}": value for name, value in settings.items()}
    process = Program(
        *("--config", config, "serve", "--listener", listener), env=os.environ | changed
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=120)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=START_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def by_tls(port: int, pair: tuple[Path, Path] | None) -> http.client.HTTPSConnection:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if pair is not None:
        context.load_cert_chain(*pair)
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=120)


def write(directory: Path, name: str, credential: Credential) -> tuple[Path, Path]:
    certificate, key = directory / f"{name}.cert.pem", directory / f"{name}.key.pem"
    certificate.write_bytes(credential.certificate_pem)
    key.write_bytes(credential.key_pem)
    key.chmod(0o600)
    return certificate, key


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the service did not start"
        time.sleep(0.1)
