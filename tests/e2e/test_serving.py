"""The service in separate processes, as `makul serve` runs it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from makul.store.db.location import DatabaseLocation
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.processes.program import Program, run_program
from makul_testing.processes.service import Server, await_ready, drive, free_port, run_service

MARKER = b"20101199000123"

NOT_HTTP = {
    "no HTTP at all": b"EHLO " + MARKER + b"\r\n\r\n",
    "a bad method": b"P(ST /" + MARKER + b" HTTP/1.1\r\n\r\n",
    "a bad version": b"POST /v1/recipient HTTP/" + MARKER + b"\r\n\r\n",
    "a bad header": b"POST /v1/recipient HTTP/1.1\r\nbad header" + MARKER + b"\r\n\r\n",
    "a folded header": b"POST / HTTP/1.1\r\nA: b\r\n " + MARKER + b"\r\n\r\n",
    "a long request line": b"GET /" + MARKER * 1000 + b" HTTP/1.1\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nA: " + MARKER * 1000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * 500 + b"\r\n",
    "a smuggled length": (
        b"POST /v1/recipient HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
}


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("service"), database=record_database)
    yield built
    built.close()


@pytest.fixture(scope="module")
def server(installation: InProcessService) -> Iterator[Server]:
    with run_service(
        installation.settings.store.database.parent / "makul.toml", workers=2
    ) as running:
        yield running


def messages(installation: InProcessService, count: int) -> list[bytes]:
    document, holder = installation.document("bank-00-data"), installation.world.messages["bank"]
    fields = [
        about(installation.person_of(document), of=document.presented_by, document=document)
        for _ in range(count)
    ]
    return [
        signed_message(
            person_request(**each), holder.key, holder.certificate, at=installation.clock()
        )
        for each in fields
    ]


def test_two_workers_record_all_answers(installation: InProcessService, server: Server) -> None:
    """docs/architecture.md, invariant 1, across processes: as many recorded releases as answers."""
    before = len(released(installation))

    drive(server, messages(installation, 40))

    assert len(released(installation)) - before == 40


def released(installation: InProcessService) -> list[object]:
    rows = installation.store.registry.disclosures(recipient=None, since=None, limit=1000)
    return [row for row in rows if row.outcome == "RELEASED"]


@pytest.mark.parametrize("sent", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_malformed_http_gets_a_fault_and_no_echo(server: Server, sent: bytes) -> None:
    """The answer is never HTML, never a silent close, never a value of the request."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4")
    assert b"Content-Type: text/xml" in head
    assert b"<html" not in answer.lower()
    assert MARKER not in answer
    assert b"Fault>" in body


def take_away(place: DatabaseLocation) -> None:
    """Remove the store under a service that has it open."""
    if isinstance(place, Path):
        place.unlink()
        return
    here = urlsplit(place.url)
    maintenance = place.url.replace(here.path, "/postgres", 1)
    with psycopg.connect(maintenance, autocommit=True) as server:
        server.execute(f"DROP DATABASE {here.path[1:]} WITH (FORCE)")


def test_a_missing_store_gives_a_fault_and_is_not_ready(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """OPS-03: no record, no answer; /readyz reports it."""
    installation = build_installation(tmp_path, database=record_database)
    request_messages = messages(installation, 1)[0]
    take_away(installation.settings.place)

    answer = installation.post(request_messages)

    assert answer.status == 500
    assert answer.codes == ["OPS-03"]
    assert b"surname" not in answer.body


def test_serve_refuses_a_sandbox_root_in_production(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """Sandbox keys lie unprotected in its directory: in production they would admit anyone."""
    build_installation(tmp_path, database=record_database).close()
    config = tmp_path / "makul.toml"
    config.write_text(
        config.read_text().replace('"SANDBOX"', '"PRODUCTION"').split("[listeners.x")[0]
    )

    result = makul(config, "serve")

    assert result.returncode == 1
    assert "sandbox root" in result.stderr
    assert "Traceback" not in result.stderr


def test_serve_refuses_to_let_any_authority_make_citizens(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """Any trusted CA could consent for anybody without a policy for citizens' certificates."""
    build_installation(tmp_path, database=record_database).close()
    config = tmp_path / "makul.toml"
    settings = config.read_text().partition("[listeners.xroad]")[0]
    lines = [line for line in settings.splitlines() if not line.startswith("pin_policies")]
    config.write_text("\n".join(lines).replace('"SANDBOX"', '"PRODUCTION"'))
    (tmp_path / "anchors" / "root.pem").unlink()
    (tmp_path / "tsa" / "anchors" / "root.pem").unlink()

    result = makul(config, "serve")

    assert result.returncode == 1
    assert "pin_policies" in result.stderr


@pytest.mark.parametrize(("policy", "warned"), [(None, False), ("1.2.3", True)])
def test_serve_warns_where_no_authority_certifies_citizens(
    tmp_path: Path, policy: str | None, warned: bool, record_database: RecordDatabase
) -> None:
    """A policy that no CA may give would refuse every consent, without a visible reason."""
    build_installation(tmp_path, database=record_database).close()
    config, log = tmp_path / "makul.toml", tmp_path / "log"
    if policy is not None:
        settings = config.read_text().splitlines()
        lines = [
            f'pin_policies = ["{policy}"]' if line.startswith("pin_policies") else line
            for line in settings
        ]
        config.write_text("\n".join(lines))

    with run_service(config, workers=1, log=log):
        pass

    assert ("may give a policy of trust.pin_policies" in log.read_text()) is warned


def test_serve_refuses_a_bare_port_for_xroad(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """The security server is identified by its certificate or socket, never by its address."""
    build_installation(tmp_path, database=record_database).close()
    config = tmp_path / "makul.toml"
    config.write_text(config.read_text().replace('"SANDBOX"', '"PRODUCTION"'))

    result = makul(config, "serve", "--listener", "xroad")

    assert result.returncode == 3
    assert "unix:" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_listeners_stop_together(
    tmp_path: Path, number: signal.Signals, record_database: RecordDatabase
) -> None:
    """A stop by the operator leaves nothing running, and exits with 0."""
    build_installation(tmp_path, database=record_database).close()
    ports = {name: free_port() for name in ("WSSE", "XROAD")}
    binds = {f"MAKUL_LISTENERS__{name}__BIND": f"127.0.0.1:{port}" for name, port in ports.items()}
    process = Program("--config", tmp_path / "makul.toml", "serve", env=os.environ | binds)
    for port in ports.values():
        await_ready(port)

    process.send_signal(number)

    assert process.wait(timeout=120) == 0
    for port in ports.values():
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            pass


def makul(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program("--config", config, *arguments, text=True)


def test_a_worker_killed_under_load_loses_nothing_acknowledged(
    installation: InProcessService, server: Server
) -> None:
    """Kill -9 during a request: every answer that arrived is recorded, and the service
    continues.
    """
    victim = server.workers[0]
    request_messages = messages(installation, 60)
    drive(server, request_messages[:20])
    os.kill(victim, signal.SIGKILL)

    arrived = drive_until_dead(server, request_messages[20:])

    on_record = {
        str(row.request_id)
        for row in installation.store.registry.disclosures(recipient=None, since=None, limit=1000)
    }
    assert arrived
    assert arrived <= on_record


def drive_until_dead(server: Server, request_messages: list[bytes]) -> set[str]:
    """Return the request ids of the answers that came; connections may break meanwhile."""
    arrived = set()
    for message in request_messages:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        try:
            connection.request(
                "POST", "/v1/recipient", message, {"Content-Type": "text/xml; charset=utf-8"}
            )
            body = connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()
        found = re.search(rb"<requestId>([^<]+)</requestId>", body)
        if found is not None:
            arrived.add(found[1].decode())
    return arrived


def test_logs_are_json_without_personal_data(
    installation: InProcessService, tmp_path: Path
) -> None:
    """docs/architecture.md, invariant 7: the output of a process while it served."""
    config = installation.settings.store.database.parent / "makul.toml"
    log = tmp_path / "log"
    with run_service(config, workers=1, log=log) as server:
        drive(server, messages(installation, 3))
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(NOT_HTTP["no HTTP at all"])
            connection.recv(65536)

    written = log.read_text()
    assert MARKER.decode() not in written
    assert installation.person_of(installation.document("bank-00-data")).pin.digits not in written
    for line in written.splitlines():
        if line.startswith("{"):
            assert json.loads(line).keys() & {"level", "log.level"}
