"""Everything that a whole run logs, counts and reports, which must name no person.

The sandbox runs `makul serve`, plays every scene of the demo, and gets the requests of hostile
clients. Then all its output is searched for every person in it (invariant 7).
"""

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person
from makul.observability.security_events import Event
from makul_client import MakulError
from makul_sandbox.data.citizens import citizens
from makul_sandbox.demo.client_session import DemoClient
from makul_sandbox.demo.main import LOG, PEOPLE, running_sandbox
from makul_sandbox.demo.scenarios import SCENES
from makul_testing.builders.messages import xroad_message
from makul_testing.in_process_service import about, party, person_request
from makul_testing.leak_scanner import Secret, find_leaks, leaks_in_every_form, secrets_of
from makul_testing.processes.program import forked_commands, run_program
from makul_testing.processes.service import free_port

PROBES_SENT = 12
"""The requests to `/readyz` by six people at two listeners, the only ones without a line."""

XML = {"Content-Type": "text/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Telemetry:
    """All that a run wrote."""

    log: str
    security: str
    metrics: str
    answers: tuple[tuple[int, Mapping[str, str]], ...]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.security.splitlines()]

    @property
    def access(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("logger") == "makul.access"]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def people() -> tuple[Person, ...]:
    return citizens(PEOPLE)


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory, people: tuple[Person, ...]) -> Telemetry:
    """Return a run from its first request to its last line."""
    place = tmp_path_factory.mktemp("telemetry")
    security, port = place / "security.log", free_port()
    settings = {
        "MAKUL_LOGS__SECURITY": str(security),
        "MAKUL_METRICS__BIND": f"127.0.0.1:{port}",
        "MAKUL_METRICS__DIRECTORY": str(place / "metrics"),
        "MAKUL_METRICS__RECIPIENTS": "true",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(name, value)
        with (
            forked_commands(),
            running_sandbox(place / "sandbox") as options,
            DemoClient(place / "sandbox") as stage,
        ):
            _show(place / "sandbox", people[0])
            _play(stage)
            answers = [
                *_hostile(options.port, people),
                *_hostile(options.xroad_port, people),
                *_over_xroad(options.xroad_port, people),
            ]
            metrics = _await_metrics(port, "makul_decisions_total")
    log = (place / "sandbox" / LOG).read_text(encoding="utf-8")
    return Telemetry(log, security.read_text(encoding="utf-8"), metrics, tuple(answers))


def _play(stage: DemoClient) -> None:
    for scene in SCENES:
        try:
            scene.step(stage)
        except MakulError:
            continue


def _show(directory: Path, person: Person) -> None:
    """Look at a person as an operator, with a reason that names them."""
    name = person.values[Attribute.SURNAME]
    assert isinstance(name, LocalizedName)
    result = run_program(
        *("--config", directory / "service/makul.toml", "person", "show", "-"),
        *("--reason", f"{name.ky} {person.pin.digits}"),
        typed=person.pin.digits.encode(),
    )
    result.check_returncode()


def _hostile(port: int, people: tuple[Person, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Send requests with a citizen's data and no right to them, in every wrong way."""
    for person in people[:6]:
        for raw in _wrong_messages(person):
            yield _post(port, raw)
        pin = person.pin.digits
        yield _send(port, "GET", f"/v1/recipient/{pin}?wsdl={pin}")
        yield _send(port, "GET", "/readyz", {"X-Request-Id": pin, "User-Agent": pin})
        yield _send(port, "POST", "/v1/recipient", {"Content-Type": f"text/{pin}"}, b"x")
        yield _send(port, "POST", "/v1/recipient", {**XML, "SOAPAction": pin}, pin.encode())
        _raw(port, f"{pin} {person.values[Attribute.DOCUMENT_NUMBER]}\r\n\r\n".encode())
        _raw(port, f"GET / HTTP/1.1\r\nbad {pin}: x\r\n\r\n".encode())


def _wrong_messages(person: Person) -> Iterator[bytes]:
    pin, name = person.pin.digits, person.values[Attribute.SURNAME]
    assert isinstance(name, LocalizedName)
    surname = name.ky or ""
    yield f"<!DOCTYPE a [<!ENTITY e '{pin}'>]><a>&e;{surname}</a>".encode()
    yield f"<{surname}>{pin}</{surname}x>".encode()
    yield f"<a {surname}='{pin}' {surname}='2'/>".encode()
    yield f"{pin}{surname}".encode()
    yield f"{pin}{surname}".encode("utf-16")
    yield b"\xff\xfe" + pin.encode()
    ordinary = person_request(**about(person, of=party("bank")))
    yield _enveloped(ordinary)
    yield _enveloped(
        ordinary.replace(b"surname</r:attribute>", f"{surname}</r:attribute>".encode())
    )
    yield _enveloped(f"<r:Get{pin} xmlns:r='urn:makul:recipient:1'>{surname}</r:Get{pin}>".encode())
    yield _enveloped(ordinary, f"<w:Security xmlns:w='urn:{pin}'>{surname}</w:Security>")


def _over_xroad(port: int, people: tuple[Person, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Send requests of a known recipient, with people's data in every field."""
    for person in people[:6]:
        pin = person.pin.digits
        disguised = UUID(f"{pin}{'f' * 18}")
        for changes in (
            {},
            {"request_id": disguised},
            {"agreement": pin},
            {"purpose": "P" + pin},
            {"attributes": ["surname", _latin(person)]},
            {"document_number": pin},
            {"ground": ("CONSENT", f"<Consent>{pin}</Consent>".encode())},
        ):
            fields = about(person, of=party("bank"), **changes)
            request = person_request(**fields)
            yield _post(port, xroad_message(request, party("bank").code, fields["request_id"]))
        yield _post(port, xroad_message(request, f"NOT/{pin}", fields["request_id"]))
        yield _post(port, xroad_message(request, party("bank").code, pin))


def _latin(person: Person) -> str:
    name = person.values[Attribute.GIVEN_NAME]
    assert isinstance(name, LocalizedName)
    return (name.latin or "").lower()


def _enveloped(body: bytes, header: str = "") -> bytes:
    return (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        + header.encode()
        + b"</s:Header><s:Body>"
        + body
        + b"</s:Body></s:Envelope>"
    )


def _post(port: int, message: bytes) -> tuple[int, Mapping[str, str]]:
    return _send(port, "POST", "/v1/recipient", XML, message)


def _send(
    port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[int, Mapping[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        answer.read()
        return answer.status, dict(answer.getheaders())
    finally:
        connection.close()


def _raw(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def _await_metrics(port: int, name: str) -> str:
    """Wait for the exporter, which starts beside the listeners."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            if name in text:
                return text
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    raise AssertionError("no metrics")


def test_no_person_appears_in_telemetry(telemetry: Telemetry, people: tuple[Person, ...]) -> None:
    """docs/architecture.md, invariant 7: no PIN, name, document number or address, in any form."""
    secrets = secrets_of(people)
    assert len(secrets) > 3 * PEOPLE

    assert find_leaks(telemetry.log, secrets) == []
    assert find_leaks(telemetry.security, secrets) == []
    assert find_leaks(telemetry.metrics, secrets) == []
    assert find_leaks(json.dumps(telemetry.answers), secrets) == []


@pytest.mark.parametrize("number", range(3))
def test_the_search_finds_planted_values(
    telemetry: Telemetry, people: tuple[Person, ...], number: int
) -> None:
    """The test above can fail: any one line, with any value in any form, is found."""
    for secret in secrets_of(people[number : number + 1]):
        for name, line in leaks_in_every_form(secret):
            assert find_leaks(f"{telemetry.log}{line}\n", [secret]), (secret.what, name)
    assert not find_leaks(telemetry.log, [Secret("PIN", "29999999999999")])


def test_every_request_has_its_line(telemetry: Telemetry) -> None:
    """An empty log would name nobody either, so every request must have its line, with its id."""
    ids = [headers["X-Request-Id"] for _, headers in telemetry.answers]
    lines = {line["correlation"]: line for line in telemetry.access}

    assert len(ids) == len(set(ids)) > 100
    assert sum(each not in lines for each in ids) == PROBES_SENT
    assert {line["outcome"] for line in telemetry.access} >= {
        *("RELEASED", "MATCHED", "NOT_MATCHED", "REFUSED", "ACCEPTED"),
        *("FAULT", "ANSWERED", "REPLAYED"),
    }
    assert {line["listener"] for line in telemetry.access} == {
        *("wsse", "xroad", "mtls", "oversight"),
    }
    released = next(line for line in telemetry.access if line["outcome"] == "RELEASED")
    assert released["ms"].keys() == {
        *("whole", "message", "grounds", "matching", "signing", "recording")
    }
    assert released["bytes_in"] > 1000
    assert released["codes"] == []


def test_a_request_id_with_a_pin_is_omitted(telemetry: Telemetry) -> None:
    """A recipient's value in its id stays out, and the line is found."""
    hidden = [line for line in telemetry.access if line["operation"] and line["request_id"] is None]

    assert len(hidden) >= 6
    assert all(re.fullmatch(r"[0-9a-f]{16}", line["correlation"]) for line in hidden)


def test_incidents_are_reported_as_events(telemetry: Telemetry) -> None:
    """Each line is one JSON object in ECS, of a kind in the catalogue."""
    kinds = {event["event.code"] for event in telemetry.events}

    assert kinds <= {event.value.code for event in Event}
    assert kinds >= {
        event.value.code
        for event in (
            Event.AUTHENTICATION_FAILED,
            Event.MESSAGE_REPLAYED,
            Event.REVOKED_CERTIFICATE,
            Event.STRANGER_ASKED,
            Event.FORBIDDEN_MESSAGE,
            Event.BEYOND_AGREEMENT,
            Event.ATTEMPTS_EXHAUSTED,
            Event.DOCUMENT_UNPROVED,
            Event.PERSON_SHOWN,
            Event.PERSONS_CHANGED,
            Event.CERTIFICATE_CHANGED,
            Event.AGREEMENT_CHANGED,
        )
    }
    traced = {event["trace.id"] for event in telemetry.events if "trace.id" in event}
    assert traced <= {line["correlation"] for line in telemetry.access}


def test_metrics_agree_with_the_lines(telemetry: Telemetry) -> None:
    """Metrics and lines count the same requests."""
    released = sum(line["outcome"] == "RELEASED" for line in telemetry.access)
    counted = re.findall(
        r'^makul_decisions_total\{.*outcome="RELEASED"\} ([0-9.]+)$',
        telemetry.metrics,
        re.MULTILINE,
    )

    assert sum(map(float, counted)) == released > 0
    assert 'makul_workers{listener="wsse"} 1.0' in telemetry.metrics
    assert "makul_build_info{" in telemetry.metrics
    assert 'makul_revocation_stale_lists{purpose="documents"} 0.0' in telemetry.metrics
    assert 'recipient="COM/60000001"' in telemetry.metrics
