"""The operator's receipt key in service: in a token, and renewed under load."""

import base64
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from lxml import etree

from makul.trust.keys.receipt_certificates import mark_compromised
from makul_client.errors import ReceiptError
from makul_client.profile import Operator
from makul_client.receipts.verifier import ReceiptVerifier
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.builders.messages import signed_message
from makul_testing.external.requirements import needs
from makul_testing.external.softhsm import SoftToken, make_token
from makul_testing.in_process_service import (
    NS,
    RECIPIENT,
    SCHEMA,
    InProcessService,
    RecordDatabase,
    build_installation,
)
from makul_testing.load.steady_load import Load, ask, messages
from makul_testing.processes.all_listeners import get
from makul_testing.processes.program import run_program
from makul_testing.processes.service import drive, run_service

DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture
def installation(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, database=record_database)
    yield built
    built.close()


@pytest.fixture
def token(
    installation: InProcessService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SoftToken:
    """Move the operator's key into a token, and name it in the settings."""
    soft_token = make_token(tmp_path / "hsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(soft_token.config))
    soft_token.store(installation.world.operator.key)
    _configure(tmp_path / "makul.toml", soft_token.toml())
    (tmp_path / "receipts.key.pem").unlink()
    return soft_token


def _configure(config: Path, receipts: str) -> None:
    """Write another `[receipts]` into the settings."""
    text = config.read_text()
    before, _, rest = text.partition("[receipts]")
    config.write_text(before + receipts + "[trust]" + rest.partition("[trust]")[2])


def receipt_in(answer: bytes) -> bytes:
    found = re.search(rb"<receipt>([^<]+)</receipt>", answer)
    assert found is not None, answer[:300]
    return base64.b64decode(found[1])


def signer_of(receipt: bytes) -> bytes:
    """Return the fingerprint of the certificate in a receipt's KeyInfo."""
    text = etree.fromstring(receipt).findtext(f".//{DS}X509Certificate")
    assert text is not None
    return x509.load_der_x509_certificate(base64.b64decode(text)).fingerprint(hashes.SHA256())


@needs("softhsm2-util")
def test_workers_and_threads_sign_with_the_token(
    installation: InProcessService, token: SoftToken, tmp_path: Path
) -> None:
    """Each worker opens the token itself, after the fork; its signed decisions are recorded."""
    with run_service(tmp_path / "makul.toml", workers=2) as server:
        drive(server, messages(installation, 80))

    rows = installation.store.registry.disclosures(recipient=None, since=None, limit=1000)
    assert len([row for row in rows if row.outcome == "RELEASED"]) == 80


@needs("softhsm2-util")
def test_a_service_without_its_token_gives_nothing_until_it_returns(
    installation: InProcessService, token: SoftToken, tmp_path: Path
) -> None:
    """OPS-01: no receipt, no answer, no record; the same request is answered later."""
    with run_service(tmp_path / "makul.toml", workers=1) as server:
        before, lost = messages(installation, 2)
        assert ask(server.port, before)[0] == 200
        token.take_out()

        status, body = ask(server.port, lost)
        not_ready = _await_not_ready(server.port)
        recorded = len(
            installation.store.registry.disclosures(recipient=None, since=None, limit=10)
        )
        token.put_back()
        time.sleep(1.2)
        again, answer = ask(server.port, lost)

    assert status == 500
    assert b"OPS-01" in body
    assert b"surname" not in body
    assert not_ready[0] == 503
    assert json.loads(not_ready[1])["checks"]["signer"] == "down"
    assert recorded == 1
    assert again == 200
    assert b"RELEASED" in answer


def _await_not_ready(port: int) -> tuple[int, bytes]:
    """Wait until it is not ready: checks run once a second, and another caller may have
    just asked.
    """
    deadline = time.monotonic() + 60
    while (answer := get(port, "/readyz"))[0] == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


@needs("softhsm2-util")
def test_a_missing_token_is_reported_before_serving(
    installation: InProcessService, token: SoftToken, tmp_path: Path
) -> None:
    token.take_out()

    result = run_program("--config", tmp_path / "makul.toml", "serve", text=True)

    assert result.returncode == 3
    assert "no token 'makul'" in result.stderr


def install(directory: Path, name: str, holder: Credential) -> str:
    """Write another receipt key beside the first; return the settings section that uses it."""
    (directory / f"{name}.key.pem").write_bytes(holder.key_pem)
    (directory / f"{name}.key.pem").chmod(0o600)
    (directory / f"{name}.cert.pem").write_bytes(holder.certificate_pem)
    return f'[receipts]\nkey = "{name}.key.pem"\ncertificate = "{name}.cert.pem"\n'


def by_client(directory: Path, *pinned: str) -> ReceiptVerifier:
    """Return the reference client's own verifier, with these certificates in its profile."""
    return ReceiptVerifier(
        Operator(
            code=OPERATOR,
            name="The operator",
            certificates=tuple(directory / name for name in pinned),
            anchors=(directory / "anchors" / "root.pem",),
            intermediates=(directory / "intermediates" / "cas.pem",),
        )
    )


def test_status_publishes_the_certificates(installation: InProcessService, tmp_path: Path) -> None:
    """GetStatus names every certificate by its fingerprint, state and term; and a compromise."""
    config, retired = tmp_path / "makul.toml", tmp_path / "retired"
    retired.mkdir()
    makes = installation.world.hierarchy.official
    holders = {
        name: makes(member_code=OPERATOR, name=name, identifier=name)
        for name in ("next", "old", "stolen")
    }
    (tmp_path / "next.pem").write_bytes(holders["next"].certificate_pem)
    for name in ("old", "stolen"):
        (retired / f"{name}.pem").write_bytes(holders[name].certificate_pem)
    since = installation.clock().replace(microsecond=0)
    mark_compromised(retired, holders["stolen"].fingerprint, since)
    _configure(
        config,
        '[receipts]\nkey = "receipts.key.pem"\ncertificate = "receipts.cert.pem"\n'
        'next = "next.pem"\nretired = "retired"\n',
    )
    body = (
        f'<r:GetStatus xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId></r:GetStatus>'
    ).encode()
    holder = installation.world.messages["bank"]
    message = signed_message(body, holder.key, holder.certificate, at=installation.clock())

    with run_service(config, workers=1) as server:
        status, answer = ask(server.port, message)

    assert status == 200
    child = etree.fromstring(answer).find(f".//{{{RECIPIENT}}}GetStatusResponse")
    assert child is not None
    SCHEMA.assertValid(child)
    certificates = {
        base64.b64decode(each.findtext("r:fingerprint", "", NS)): (
            each.findtext("r:state", namespaces=NS),
            each.findtext("r:compromisedSince", namespaces=NS),
        )
        for each in child.iterfind("r:receiptCertificate", NS)
    }
    assert certificates == {
        installation.world.operator.fingerprint: ("CURRENT", None),
        holders["next"].fingerprint: ("NEXT", None),
        holders["old"].fingerprint: ("RETIRED", None),
        holders["stolen"].fingerprint: ("COMPROMISED", since.isoformat().replace("+00:00", "Z")),
    }
    limits = {each.findtext("r:name", namespaces=NS) for each in child.iterfind("r:limit", NS)}
    assert "sealedPerson" in limits


def test_receipt_key_is_renewed_under_load(installation: InProcessService, tmp_path: Path) -> None:
    """No request fails after new settings and SIGHUP, and both certificates are seen."""
    config = tmp_path / "makul.toml"
    new = installation.world.hierarchy.official(
        member_code=OPERATOR, name="Renewed", identifier="r2"
    )
    queue = messages(installation, 400)

    with run_service(config, workers=2) as server, Load(server, queue) as load:
        load.until(10)
        _configure(config, install(tmp_path, "second", new))
        os.kill(server.pid, signal.SIGHUP)
        deadline = time.monotonic() + 60
        while signer_of(receipt_in(load.answers[-1][1])) != new.fingerprint:
            assert time.monotonic() < deadline, "the new key does not sign"
            load.until(1)
        load.until(20)

    receipts = [receipt_in(body) for _, body in load.answers]
    signers = [signer_of(each) for each in receipts]
    assert load.failures == []
    pinned = by_client(tmp_path, "receipts.cert.pem", "second.cert.pem")
    assert all(pinned.verify_kept(each, at=installation.clock()) for each in receipts)
    old_alone = by_client(tmp_path, "receipts.cert.pem")
    with pytest.raises(ReceiptError):
        old_alone.verify_kept(receipts[signers.index(new.fingerprint)], at=installation.clock())
    assert {status for status, _ in load.answers} == {200}
    assert set(signers) == {installation.world.operator.fingerprint, new.fingerprint}
    assert all(b">RELEASED<" in body for _, body in load.answers)


def test_unusable_settings_change_nothing(installation: InProcessService, tmp_path: Path) -> None:
    """A mistake in a reload must not stop the service: old workers continue, the log says why."""
    config, log = tmp_path / "makul.toml", tmp_path / "log"
    first, second = messages(installation, 2)

    with run_service(config, workers=2, log=log) as server:
        before = set(server.workers)
        assert ask(server.port, first)[0] == 200
        _configure(config, '[receipts]\nkey = "none.pem"\ncertificate = "receipts.cert.pem"\n')
        os.kill(server.pid, signal.SIGHUP)
        _until(lambda: "not reloaded" in log.read_text())

        assert ask(server.port, second)[0] == 200
        _until(lambda: set(server.workers) == before)  # beside them, for a moment, the check

    assert "none.pem: No such file" in log.read_text()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
