"""The X-Road front is known by its TLS client certificate or its socket, never by its address."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from makul.sandbox.pki import Credential, new_hierarchy
from support.house import InProcess, about, build_house, person_request
from support.messages import xroad_message
from support.serving import START_SECONDS, free_port


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    built = build_house(tmp_path_factory.mktemp("front"))
    yield built
    built.close()


@contextmanager
def fronted(house: InProcess, **settings: str) -> Iterator[None]:
    """`makul serve --listener xroad`, with these settings of the listener."""
    config = house.settings.store.database.parent / "makul.toml"
    changed = {f"MAKUL_LISTENERS__XROAD__{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "makul", "--config", str(config)]
    process = subprocess.Popen([*command, "serve", "--listener", "xroad"], env=os.environ | changed)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def asked(house: InProcess) -> bytes:
    paper, request_id = house.paper("bank-00-data"), uuid4()
    fields = about(house.person_of(paper), of=house.bank, paper=paper, request_id=request_id)
    return xroad_message(person_request(**fields), house.bank.code, request_id)


def outcome(connection: http.client.HTTPConnection, message: bytes) -> str:
    """The outcome of one request."""
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    with closing(connection):
        connection.request("POST", "/v1/recipient", message, headers)
        answer = connection.getresponse().read()
    found = re.search(rb"<outcome>([A-Z_]+)</outcome>", answer)
    return found[1].decode() if found else "none"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=START_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def test_by_its_unix_socket(house: InProcess, tmp_path: Path) -> None:
    """Who may write to the socket is the operating system's to say: its owner and group."""
    path = tmp_path / "xroad.sock"
    with fronted(house, BIND=f"unix:{path}", WORKERS="1"):
        wait_for(path.exists)

        assert outcome(UnixConnection(path), asked(house)) == "RELEASED"
        assert path.stat().st_mode & 0o007 == 0


def test_by_its_tls_client_certificate(house: InProcess, tmp_path: Path) -> None:
    """RFC 8446, 4.3.2: without a certificate of the front's own CA there is no connection."""
    ours, others = new_hierarchy(datetime.now(UTC)), new_hierarchy(datetime.now(UTC))
    server, front = (ours.organisation(member_code="GOV/1", common_name=n) for n in ("s", "f"))
    stranger = others.organisation(member_code="GOV/1", common_name="f")
    write(tmp_path, "server", server)
    (tmp_path / "ca.pem").write_bytes(ours.intermediate_certificates() + ours.anchors())
    port = free_port()
    with fronted(
        house,
        BIND=f"127.0.0.1:{port}",
        WORKERS="1",
        TLS__CERTIFICATE=str(tmp_path / "server.cert.pem"),
        TLS__KEY=str(tmp_path / "server.key.pem"),
        TLS__CLIENT_CA=str(tmp_path / "ca.pem"),
    ):
        wait_for(lambda: listening(port))

        assert outcome(by_tls(port, write(tmp_path, "front", front)), asked(house)) == "RELEASED"
        for nobody in (None, write(tmp_path, "stranger", stranger)):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                outcome(by_tls(port, nobody), asked(house))


def by_tls(port: int, pair: tuple[Path, Path] | None) -> http.client.HTTPSConnection:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if pair is not None:
        context.load_cert_chain(*pair)
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)


def write(directory: Path, name: str, credential: Credential) -> tuple[Path, Path]:
    certificate, key = directory / f"{name}.cert.pem", directory / f"{name}.key.pem"
    certificate.write_bytes(credential.certificate_pem)
    key.write_bytes(credential.key_pem)
    key.chmod(0o600)
    return certificate, key


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the service did not start"
        time.sleep(0.1)
