"""The X-Road front is identified by its TLS certificate or its socket, never by its address."""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from makul.composition.channels import build_channel
from makul.config.settings import SettingsError
from makul.trust.keys.files import KeyFileError
from makul_sandbox.data.pki import new_hierarchy
from makul_testing.builders.messages import xroad_message
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.processes.service import free_port
from makul_testing.servers.listeners import (
    UnixConnection,
    by_tls,
    is_listening,
    run_listener,
    wait_for,
    write,
)


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("front"), database=record_database)
    yield built
    built.close()


def build_request(installation: InProcessService) -> bytes:
    document, request_id = installation.document("bank-00-data"), uuid4()
    fields = about(
        installation.person_of(document),
        of=installation.bank,
        document=document,
        request_id=request_id,
    )
    return xroad_message(person_request(**fields), installation.bank.code, request_id)


def outcome(
    connection: http.client.HTTPConnection, message: bytes, sent: dict[str, str] | None = None
) -> str:
    """Return the outcome of one request."""
    headers = {"Content-Type": "text/xml; charset=utf-8"} | (sent or {})
    with closing(connection):
        connection.request("POST", "/v1/recipient", message, headers)
        answer = connection.getresponse().read()
    found = re.search(rb"<outcome>([A-Z_]+)</outcome>", answer)
    return found[1].decode() if found else "none"


def test_front_is_identified_by_its_unix_socket(
    installation: InProcessService, tmp_path: Path
) -> None:
    """The operating system decides who may write to the socket: its owner and group."""
    path = tmp_path / "xroad.sock"
    with run_listener(installation, "xroad", BIND=f"unix:{path}", WORKERS="1"):
        wait_for(path.exists)

        assert outcome(UnixConnection(path), build_request(installation)) == "RELEASED"
        assert path.stat().st_mode & 0o007 == 0


def test_front_is_identified_by_its_tls_client_certificate(
    installation: InProcessService, tmp_path: Path
) -> None:
    """RFC 8446, 4.3.2: a certificate of its CA is required; only in the sandbox."""
    ours, others = new_hierarchy(datetime.now(UTC)), new_hierarchy(datetime.now(UTC))
    server, front = (ours.organisation(member_code="GOV/1", common_name=n) for n in ("s", "f"))
    stranger = others.organisation(member_code="GOV/1", common_name="f")
    write(tmp_path, "server", server)
    (tmp_path / "ca.pem").write_bytes(ours.intermediate_certificates() + ours.anchors())
    port = free_port()
    with run_listener(
        installation,
        "xroad",
        BIND=f"127.0.0.1:{port}",
        WORKERS="1",
        TLS__CERTIFICATE=str(tmp_path / "server.cert.pem"),
        TLS__KEY=str(tmp_path / "server.key.pem"),
        TLS__CLIENT_CA=str(tmp_path / "ca.pem"),
    ):
        wait_for(lambda: is_listening(port))

        assert (
            outcome(by_tls(port, write(tmp_path, "front", front)), build_request(installation))
            == "RELEASED"
        )
        for nobody in (None, write(tmp_path, "stranger", stranger)):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                outcome(by_tls(port, nobody), build_request(installation))


def test_front_is_identified_by_its_secret(installation: InProcessService, tmp_path: Path) -> None:
    """Any local user can connect to a loopback address, but only the front knows the secret."""
    secret, port = "5e" * 32, free_port()
    file = tmp_path / "front.secret"
    file.write_text(f"{secret}\n")
    file.chmod(0o600)
    with run_listener(
        installation, "xroad", BIND=f"127.0.0.1:{port}", WORKERS="1", FRONT_SECRET=str(file)
    ):
        wait_for(lambda: is_listening(port))

        def ask(headers: dict[str, str]) -> str:
            return outcome(
                http.client.HTTPConnection("127.0.0.1", port), build_request(installation), headers
            )

        assert ask({"X-Makul-Front": secret}) == "RELEASED"
        for wrong in (
            {},
            {"X-Makul-Front": ""},
            {"X-Makul-Front": secret[:-1]},
            {"X-Makul-Front": f"{secret}, {secret}"},
            {"X_Makul_Front": secret},
        ):
            assert ask(wrong) == "none"

        for sent in (b"EHLO a\r\n\r\n", b"P(ST / HTTP/1.1\r\n\r\n", b"GET / HTTP/9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as peer:
                peer.sendall(sent)
                assert peer.recv(65536).startswith(b"HTTP/1.1 500 "), "a fault, so 500"


@pytest.mark.parametrize(("content", "mode"), [("short", 0o600), ("", 0o600), ("5e" * 32, 0o644)])
def test_a_weak_secret_is_refused(
    installation: InProcessService, tmp_path: Path, content: str, mode: int
) -> None:
    """A short one can be guessed, and others know one that they can read."""
    file = tmp_path / "front.secret"
    file.write_text(content)
    file.chmod(mode)
    listener = installation.settings.listeners["xroad"].model_copy(update={"front_secret": file})

    with pytest.raises((SettingsError, KeyFileError), match=str(file)):
        build_channel(listener, installation.parts)
