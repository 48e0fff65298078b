"""Consents through the reference client, against a service in separate processes (cl. 4)."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from makul.domain.calendar import legal_day
from makul.domain.consents import PaperConsent, Representation
from makul_client import Client, Profile
from makul_client.cli.exit_codes import ExitCode
from makul_sandbox.data.recipients import MUNICIPALITY
from makul_sandbox.data.scans import pdf_scan, png_scan
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_sandbox.world.signers import SandboxSigners
from makul_testing.builders.consents import revocation, signers_of
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.processes.service import Server, run_service

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Town:
    """The municipality at a running service."""

    installation: InProcessService
    server: Server
    directory: Path
    profile: Path

    @property
    def sandbox_signers(self) -> SandboxSigners:
        return signers_of(self.installation)

    def file(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content)
        return path

    def run(self, *arguments: str | Path) -> Result:
        """Run `makul-client consent …` with the municipality's profile."""
        command = ["consent", *map(str, arguments), "--profile", str(self.profile)]
        return run_client(*command)

    def on_paper(self, scan: bytes) -> bytes:
        paper = PaperConsent(
            date=legal_day(self.installation.world.made_at - timedelta(hours=1)),
            official="M-1001",
            media_type="application/pdf",
            scan_digest=sha256(scan).digest(),
        )
        consent = self.sandbox_signers.consent(MUNICIPALITY, 3, paper=paper)
        signer = self.installation.world.officials[MUNICIPALITY.key]
        return self.sandbox_signers.sign_consent(consent, MUNICIPALITY, signer)

    def by_representative(self, authority: bytes, consent_id: UUID) -> bytes:
        by = Representation(
            pin=self.installation.world.people[4].pin,
            kind="POWER_OF_ATTORNEY",
            valid_to=legal_day(self.installation.world.made_at + timedelta(days=30)),
            document_digest=sha256(authority).digest(),
            media_type="image/png",
        )
        consent = self.sandbox_signers.consent(
            MUNICIPALITY, 3, representative=by, consent_id=consent_id
        )
        return self.sandbox_signers.sign_consent(
            consent, MUNICIPALITY, self.installation.world.citizens[4]
        )


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[Town]:
    directory = tmp_path_factory.mktemp("town")
    (directory / "installation").mkdir()
    installation = build_installation(directory / "installation", database=record_database)
    with run_service(directory / "installation" / "makul.toml", workers=1) as server:
        addresses = Addresses(
            host="127.0.0.1",
            port=server.port,
            xroad_port=1,
            mtls_port=1,
            oversight_port=1,
            subject_port=5,
        )
        write_service(installation.world, directory, addresses)
        write_files(installation.world, directory, addresses, {})
        profile = directory / "parties" / MUNICIPALITY.key / "profile.toml"
        yield Town(installation, server, directory, profile)
    installation.close()


def test_the_client_sends_a_scan_of_ten_mebibytes(town: Town) -> None:
    """The largest scan is accepted, and the service frees nearly all of the memory."""
    scan = pdf_scan()
    scan = scan[:9] + b"%" + b"x" * (10 * MEBIBYTE - len(scan) - 2) + b"\n" + scan[9:]
    file = town.file("on-paper.xml", town.on_paper(scan))
    before, began = town.server.rss_mb, time.perf_counter()

    result = town.run(
        "register", file, "--scan", town.file("scan.pdf", scan), "--employee", "clerk-7"
    )

    took, after = time.perf_counter() - began, town.server.rss_mb
    print(f"10 MiB scan: {took:.2f} s; worker {before:.0f} -> {after:.0f} MB")
    if result.exception:
        raise result.exception
    assert result.exit_code == ExitCode.OK, result.output
    assert "IN_FORCE" in result.stdout
    assert took < 60
    assert after < before + 400


def test_the_scan_must_be_that_of_the_consent(town: Town) -> None:
    """CNS-13 is a refusal: exit code 1."""
    scan = pdf_scan()
    file = town.file("needs-scan.xml", town.on_paper(scan))

    without = town.run("register", file, "--employee", "clerk-7")
    another = town.run(
        "register", file, "--scan", town.file("other.png", png_scan()), "--employee", "clerk-7"
    )

    assert (without.exit_code, another.exit_code) == (ExitCode.NO, ExitCode.NO)
    assert "CNS-13" in without.stderr
    assert "CNS-13" in another.stderr


def test_a_consent_by_authority_is_revoked_and_listed(town: Town) -> None:
    """Register --authority, draft-revocation, revoke, status, revocations."""
    authority, consent_id = png_scan(), uuid4()
    file = town.file("by-proxy.xml", town.by_representative(authority, consent_id))
    proof = town.file("authority.png", authority)
    registered = town.run("register", file, "--authority", proof, "--json")
    assert registered.exit_code == ExitCode.OK, registered.output
    assert json.loads(registered.stdout)["consent_id"] == str(consent_id)

    drawn_up = town.directory / "revocation-draft.xml"
    pin = town.installation.world.people[3].pin.digits
    drafted = town.run("draft-revocation", str(consent_id), "--pin", pin, "-o", drawn_up, "--json")
    assert drafted.exit_code == ExitCode.OK, drafted.output
    assert pin not in drafted.output
    assert str(consent_id).encode() in drawn_up.read_bytes()

    signed = revocation(town.installation, consent_id, of=3, signer=4, recipient=MUNICIPALITY.code)
    revoked = town.run("revoke", town.file("revocation.xml", signed))
    again = town.run("revoke", town.directory / "revocation.xml", "--json")
    status = town.run("status", str(consent_id), "--json")
    listed = town.run("revocations", "--json")
    later = town.run("revocations", "--since", "2099-01-01")

    assert (revoked.exit_code, revoked.stdout) == (ExitCode.OK, f"{consent_id} REVOKED\n")
    assert again.exit_code == ExitCode.OK
    assert json.loads(status.stdout)["state"] == "REVOKED"
    assert str(consent_id) in [each["consent_id"] for each in json.loads(listed.stdout)]
    assert str(consent_id) not in later.stdout


def test_a_revocation_by_a_stranger_is_refused(town: Town) -> None:
    """It is refused with exit code 1, and the consent stays valid."""
    signed = revocation(town.installation, uuid4(), of=3, signer=5, recipient=MUNICIPALITY.code)

    result = town.run("revoke", town.file("strange.xml", signed))

    assert result.exit_code == ExitCode.NO
    assert "CNS-02" in result.stderr


def test_status_reports_missing_certificates(town: Town) -> None:
    """None is missing while the one in use is pinned; it is missing if another is
    pinned instead.
    """
    profile = Profile.load(town.profile)
    with Client(profile) as client:
        status = client.status()
        assert client.find_unpinned_certificates(status) == ()
    home = town.directory / "parties" / MUNICIPALITY.key
    other = replace(profile.operator, certificates=(home / "message.cert.pem",))
    with Client(replace(profile, operator=other)) as client:
        (lacking,) = client.find_unpinned_certificates(status)
    assert lacking.fingerprint == town.installation.world.operator.fingerprint
    assert lacking.state == "CURRENT"
