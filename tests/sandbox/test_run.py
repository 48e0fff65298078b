"""`makul sandbox` as a process: its ports, its lock, what it keeps, and the caller's own keys."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from makul.admin.errors import OperatorError
from makul.admin.requests import Certification, KeyUse, SandboxOptions
from makul.admin.runtime import Runtime
from makul_sandbox.certification import certify
from makul_sandbox.output.files import CONFIG, INDEX
from makul_sandbox.run import prepare, run, with_ports
from makul_testing.client.cli_runner import run_client
from makul_testing.processes.program import Program

SECONDS = 300.0
"""The time for a start, which takes some seconds on an idle machine."""


def free(directory: Path) -> SandboxOptions:
    return with_ports(SandboxOptions(directory=directory, port=0, people=25))


def ports_of(options: SandboxOptions) -> list[str]:
    """Return the options that name the ports, beside --port."""
    ports = {
        "--xroad-port": options.xroad_port,
        "--mtls-port": options.mtls_port,
        "--oversight-port": options.oversight_port,
        "--subject-port": options.subject_port,
    }
    return [word for name, port in ports.items() for word in (name, str(port))]


@contextmanager
def start_sandbox(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command in its own process group, until the end of the block."""
    process = Program(
        *("sandbox", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def await_ready(process: "subprocess.Popen[str]") -> list[str]:
    """Return its output up to the line that says that it answers."""
    assert process.stdout is not None
    lines, ends = [], time.monotonic() + SECONDS
    while time.monotonic() < ends:
        line = process.stdout.readline()
        assert line, f"it ended after {lines}"
        lines.append(line)
        if line.startswith("Ready"):
            return lines
    raise AssertionError(lines)


def test_sandbox_prints_ready_and_locks_its_directory(tmp_path: Path) -> None:
    """One directory is one running sandbox; a start with --keep keeps its records."""
    directory = tmp_path / "sandbox"
    options = free(directory)
    arguments = ["--dir", str(directory), "--people", "25", "--port", str(options.port)]
    arguments += ports_of(options)
    with start_sandbox(*arguments) as process:
        await_ready(process)
        socket.create_connection(("127.0.0.1", options.port), timeout=120).close()
        index = (directory / INDEX).read_bytes()
        with pytest.raises(OperatorError, match=r"runs in .* already"):
            run(free(directory), Runtime())
        assert (directory / INDEX).read_bytes() == index

    with start_sandbox("--dir", str(directory), "--keep") as again:
        output = "".join(await_ready(again))

    assert (directory / INDEX).read_bytes() == index
    assert f":{options.port}/" in output
    assert f":{options.mtls_port}/" in output
    assert f":{options.oversight_port}/v1/oversight" in output


def test_officers_of_a_sandbox_use_their_profiles(tmp_path: Path) -> None:
    """Numbers, a termination by two officers and an act that is not theirs."""
    directory = tmp_path / "sandbox"
    options = free(directory)
    arguments = ["--dir", str(directory), "--people", "25", "--port", str(options.port)]

    def act(officer: str, *words: str) -> tuple[int, Any]:
        profile = directory / "officers" / officer / f"{officer}.toml"
        result = run_client("--profile", profile, *words, "--json", program="makul-oversight")
        assert result.stdout, result.stderr
        return result.exit_code, json.loads(result.stdout)

    with start_sandbox(*arguments, *ports_of(options)) as process:
        await_ready(process)
        end = ("terminate", "SANDBOX/NOTARY", "--justification", "a test", "--apply")
        counted, numbers = act("protection", "statistics", "2026-10")
        forbidden, refusal = act("protection", *end)
        proposed, first = act("inspector", *end)
        terminated, second = act("head", *end)

    receipts = sorted((directory / "officers" / "head" / "receipts").glob("*.xml"))
    verified, rows = act("head", "receipt", "verify", *map(str, receipts))
    assert (counted, numbers["month"]) == (0, "2026-10")
    assert (forbidden, refusal["error"]["reasons"][0]["code"]) == (1, "OVR-01")
    assert (proposed, first["termination_state"]) == (0, "PROPOSED")
    assert (terminated, second["termination_state"]) == (0, "TERMINATED")
    assert verified in (0, 3), "3: the sequencer may have ended before it logged the act"
    assert [each["valid"] for each in rows] == [True]


def test_listeners_end_with_a_sandbox_that_is_killed(tmp_path: Path) -> None:
    """Otherwise the listeners would hold the ports, and nobody could stop them."""
    directory = tmp_path / "sandbox"
    options = free(directory)
    arguments = ["--dir", str(directory), "--people", "25", "--port", str(options.port)]
    arguments += ports_of(options)
    with start_sandbox(*arguments) as process:
        await_ready(process)
        process.kill()
        process.wait()

        with start_sandbox("--dir", str(directory), "--keep") as again:
            await_ready(again)


def test_a_kept_sandbox_keeps_its_ports(tmp_path: Path) -> None:
    """Its profiles name its ports, so a caller would wait at a port where nothing listens."""
    directory = tmp_path / "sandbox"
    prepare(free(directory), Runtime())
    kept_options = SandboxOptions(directory=directory, keep=True)
    options_by_name: dict[str, SandboxOptions] = {
        "port": replace(kept_options, port=19000),
        "xroad_port": replace(kept_options, xroad_port=19000),
        "mtls_port": replace(kept_options, mtls_port=19000),
        "oversight_port": replace(kept_options, oversight_port=19000),
        "subject_port": replace(kept_options, subject_port=19000),
        "host": replace(kept_options, host="127.0.0.2"),
        "people": replace(kept_options, people=26),
        "seed": replace(kept_options, seed=2),
    }
    for name, options in options_by_name.items():
        option = "--" + name.replace("_", "-")
        with pytest.raises(OperatorError, match=f"{option} was decided when the sandbox"):
            run(replace(options, given=frozenset({name})), Runtime())

    command = [sys.executable, "-m", "makul", "sandbox", "--dir", str(directory), "--keep"]
    typed = subprocess.run([*command, "--port", "8080"], capture_output=True, check=False)
    assert typed.returncode == 1
    assert b"--port was decided" in typed.stderr


@pytest.mark.parametrize("offset", [0, 1, 2, 3, 4])
def test_a_taken_port_is_reported_before_anything_is_written(tmp_path: Path, offset: int) -> None:
    """The test takes each of the five ports."""
    directory = tmp_path / "sandbox"
    with socket.socket() as busy_socket:
        busy_socket.bind(("127.0.0.1", 0))
        busy_socket.listen()
        port = busy_socket.getsockname()[1]
        others = with_ports(SandboxOptions(directory=directory, port=0))
        ports = [others.port, others.xroad_port, others.mtls_port, others.oversight_port]
        ports.append(others.subject_port)
        ports[offset] = port
        options = SandboxOptions(
            directory=directory,
            port=ports[0] or 0,
            xroad_port=ports[1],
            mtls_port=ports[2],
            oversight_port=ports[3],
            subject_port=ports[4],
        )
        with pytest.raises(OperatorError, match=rf"port {port} .* is in use"):
            run(options, Runtime())

    assert not directory.exists()


def test_a_failed_start_leaves_no_mark(tmp_path: Path) -> None:
    """A mark that stayed in it would let the next sandbox delete other files there."""
    with socket.socket() as busy_socket:
        busy_socket.bind(("127.0.0.1", 0))
        busy_socket.listen()
        busy = SandboxOptions(directory=tmp_path, port=busy_socket.getsockname()[1])
        with pytest.raises(OperatorError, match=r"is in use|must differ"):
            run(busy, Runtime())
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(OperatorError, match="no sandbox"):
        run(free(tmp_path), Runtime())

    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_another_directory_is_not_touched(tmp_path: Path) -> None:
    """The lock writes no mark into another user's directory either."""
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(OperatorError, match="no sandbox"):
        run(free(tmp_path), Runtime())

    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("issue") / "sandbox"
    prepare(free(directory), Runtime())
    return directory


def a_request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever the requester writes")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def build_certification(
    directory: Path, content: bytes, output: str, **changes: object
) -> Certification:
    file = directory.parent / f"{output}.in"
    file.write_bytes(content)
    fields: dict[str, object] = {
        "directory": directory,
        "party": "bank",
        "citizen": None,
        "use": KeyUse.MESSAGE,
        "key_file": file,
        "is_request": True,
        "output": directory.parent / output,
    }
    return Certification(**(fields | changes))  # type: ignore[arg-type]


def test_callers_own_key_is_certified_and_registered(prepared: Path) -> None:
    """The subject is the party's, for any name in the request; messages count at once."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = build_certification(prepared, a_request(key), "own.pem")

    output = certify(request, Runtime())

    certificate = x509.load_pem_x509_certificate(request.output.read_bytes())
    assert certificate.public_key() == key.public_key()
    assert "whatever" not in certificate.subject.rfc4514_string()
    assert "COM/60000001" in output
    with Runtime().open(prepared / CONFIG) as installation:
        certificates = {
            der for code, der in installation.registry.certificates() if code == "COM/60000001"
        }
    assert certificate.public_bytes(serialization.Encoding.DER) in certificates


def test_a_citizens_key_is_certified_for_their_pin(prepared: Path) -> None:
    """A citizen's card can be tested: consents that it signs are that citizen's."""
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    request = build_certification(
        prepared, public, "card.pem", party=None, citizen=0, is_request=False
    )

    certify(request, Runtime())

    subject = x509.load_pem_x509_certificate(request.output.read_bytes()).subject
    (serial,) = subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    assert str(serial.value).startswith("PNOKG-")


_P256 = ec.generate_private_key(ec.SECP256R1())
_ED = ed25519.Ed25519PrivateKey.generate().public_key()
_PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("content", "changes", "problem"),
    [
        (a_request(_P256), {"party": "nobody"}, "no such party"),
        (a_request(_P256), {"party": None, "citizen": 9_999}, "no citizen 9999"),
        (a_request(_P256)[:-60] + a_request(_P256)[-60:].lower(), {}, "request"),
        (b"\0" * 100, {}, "not a certificate request"),
        (_ED.public_bytes(*_PEM), {"is_request": False}, "the service takes"),
        (b"\0" * 100, {"is_request": False}, "not a public key"),
        (a_request(_P256), {"use": KeyUse.SEALING}, "RSA keys alone"),
    ],
    ids=["party", "citizen", "spoilt", "no request", "ed25519", "no key", "sealing"],
)
def test_unusable_request_is_refused_in_one_line(
    prepared: Path, content: bytes, changes: dict[str, object], problem: str
) -> None:
    """No file is written."""
    request = build_certification(prepared, content, "never.pem", **changes)

    with pytest.raises(OperatorError, match=problem):
        certify(request, Runtime())

    assert not request.output.exists()
