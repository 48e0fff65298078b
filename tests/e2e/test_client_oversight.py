"""`makul-oversight` against the service over HTTP, with its real decisions (cl. 11 and 12)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from makul.composition.adapters import build_agreements
from makul.domain.identifiers import AgreementNumber
from makul.domain.months import month_of
from makul_client.cli.exit_codes import ExitCode
from makul_sandbox.data.recipients import AUTHORISED_BODY, MOBILE, NOTARY
from makul_sandbox.demo.intercepting_proxy import Change, Eavesdropper
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.processes.service import Server, run_service

FACTS = ("--justification", "data without consent, report 14", "--apply")


def run_oversight(profile: Path, *arguments: object) -> Result:
    return run_client("--profile", profile, *arguments, program="makul-oversight")


@dataclass(frozen=True, slots=True)
class Inspection:
    """The officers at a running oversight port."""

    installation: InProcessService
    server: Server
    directory: Path

    def profile(self, officer: str) -> Path:
        return self.directory / "officers" / officer / f"{officer}.toml"

    def run(self, officer: str, *arguments: object) -> Result:
        """Run `makul-oversight` as an officer."""
        return run_oversight(self.profile(officer), *arguments)

    def run_json(self, officer: str, *arguments: object) -> dict[str, object]:
        result = self.run(officer, *arguments, "--json")
        content: dict[str, object] = json.loads(result.stdout)
        return content

    def codes_for_bank(self) -> tuple[str | None, list[str]]:
        """Return how a request of the bank is decided now."""
        ready = self.installation.document("bank-02-data")
        person = self.installation.person_of(ready)
        answer = self.installation.ask(
            person_request(**about(person, of=self.installation.bank, document=ready))
        )
        return answer.outcome, answer.codes


@pytest.fixture(scope="module")
def inspection(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[Inspection]:
    directory = tmp_path_factory.mktemp("inspection")
    (directory / "installation").mkdir()
    installation = build_installation(directory / "installation", database=record_database)
    config = directory / "installation" / "makul.toml"
    with run_service(config, workers=1, listener="oversight") as server:
        addresses = Addresses(
            host="127.0.0.1",
            port=1,
            xroad_port=1,
            mtls_port=1,
            oversight_port=server.port,
            subject_port=5,
        )
        write_service(installation.world, directory, addresses)
        write_files(installation.world, directory, addresses, {})
        yield Inspection(installation, server, directory)
    installation.close()


def test_a_cut_off_takes_effect_and_its_receipt_is_kept(inspection: Inspection) -> None:
    """The bank is served before; afterwards it gets RCP-03, and the act cannot be done twice."""
    code, request_id = inspection.installation.bank.code, uuid4()
    assert inspection.codes_for_bank()[0] == "RELEASED"

    done = inspection.run("inspector", "cut-off", code, *FACTS, "--request-id", request_id)
    repeated = inspection.run("inspector", "cut-off", code, *FACTS, "--request-id", request_id)
    again = inspection.run("second-inspector", "cut-off", code, *FACTS)

    assert done.exit_code == repeated.exit_code == ExitCode.OK, done.output
    assert done.stdout == repeated.stdout
    assert (again.exit_code, "OVR-02" in again.stderr) == (ExitCode.NO, True)
    assert inspection.codes_for_bank() == ("REFUSED", ["RCP-03"])
    stored = inspection.directory / "officers" / "inspector" / "receipts" / f"{request_id}.xml"
    assert inspection.run("inspector", "receipt", "verify", stored).exit_code == ExitCode.OK
    assert inspection.run("protection", "receipt", "verify", stored).exit_code == ExitCode.RECEIPT


def test_a_termination_needs_two_officers(inspection: Inspection) -> None:
    """PROPOSED, then OVR-05 for the same officer, then TERMINATED by the head."""
    command = ("terminate", MOBILE.agreement, *FACTS)

    assert inspection.run_json("inspector", *command)["termination_state"] == "PROPOSED"
    again = inspection.run("inspector", *command)
    assert (again.exit_code, "OVR-05" in again.stderr) == (ExitCode.NO, True)
    assert inspection.run_json("head", *command)["termination_state"] == "TERMINATED"


def test_the_protection_body_reads_and_does_not_act(inspection: Inspection) -> None:
    """OVR-01 for a cut-off; the numbers of the month are its to read."""
    month = str(month_of(inspection.installation.clock()))

    refused = inspection.run("protection", "cut-off", NOTARY.code, *FACTS)
    numbers = inspection.run("protection", "statistics", month)

    assert (refused.exit_code, "OVR-01" in refused.stderr) == (ExitCode.NO, True)
    assert numbers.exit_code == ExitCode.OK, numbers.output


def test_a_stranger_is_no_officer(inspection: Inspection) -> None:
    """A recipient's certificate is RCP-04, a fault: exit code 5."""
    profile = inspection.profile("inspector")
    party = inspection.directory / "parties" / "notary"
    text = profile.read_text(encoding="utf-8")
    for part in ("key", "cert"):
        text = text.replace(f'"officer.{part}.pem"', f'"{party}/message.{part}.pem"')
    other = profile.with_name("stranger.toml")
    other.write_text(text, encoding="utf-8")

    result = run_oversight(other, "cut-off", NOTARY.code, *FACTS)

    assert (result.exit_code, "RCP-04" in result.stderr) == (ExitCode.REJECTED, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda message: message.replace(b"COM/99999999", NOTARY.code.encode()), ExitCode.REJECTED),
        (lambda message: message, ExitCode.NO),
    ],
    ids=["changed", "unchanged"],
)
def test_an_act_changed_on_its_way_is_rejected(
    inspection: Inspection, change: Change, code: ExitCode
) -> None:
    """The officer's signature covers the recipient; unchanged, the unknown recipient is OVR-06."""
    with Eavesdropper(f"http://127.0.0.1:{inspection.server.port}/v1/oversight", change) as proxy:
        profile = inspection.profile("inspector")
        text = profile.read_text(encoding="utf-8")
        url = f"http://127.0.0.1:{inspection.server.port}/v1/oversight"
        other = profile.with_name("intercepted.toml")
        other.write_text(text.replace(url, proxy.url), encoding="utf-8")
        result = run_oversight(other, "cut-off", "COM/99999999", *FACTS)

    assert result.exit_code == code, result.output
    assert ("SIG-02" if code is ExitCode.REJECTED else "OVR-06") in result.stderr


def test_the_body_signs_an_agreement_and_approves_a_notice(
    inspection: Inspection, tmp_path: Path
) -> None:
    """The program signs exactly the draft: a changed word is found before anything is sent."""
    installation = inspection.installation
    registry, at = installation.store.registry, installation.clock()
    agreements, notices = build_agreements(
        installation.settings, registry, installation.parts.verifier
    )
    terms = replace(NOTARY.agreed(installation.world.made_at), number=AgreementNumber("BODY/1"))
    agreements.register_draft(terms, agreements.draw_up(terms, at=at), at=at)
    registry.add_notice("BODY-1", dict.fromkeys(("ky", "ru", "en"), b"text"), at=at)
    home = inspection.directory / "signatories" / AUTHORISED_BODY.replace("/", "-")
    key = ("--key", home / "signatory.key.pem", "--certificate", home / "signatory.cert.pem")
    to_sign, changed = tmp_path / "to-sign.xml", tmp_path / "changed.xml"

    assert "OVR-01" in inspection.run("protection", "agreement", "list").stderr
    assert "BODY/1" in inspection.run("head", "agreement", "list").stdout
    assert "<purpose>" in inspection.run("head", "agreement", "show", "BODY/1").stdout
    assert "[ru]" in inspection.run("head", "notice", "show", "BODY-1").stdout
    written = inspection.run("head", "agreement", "sign", "BODY/1", "--write-bytes", to_sign)
    assert written.exit_code == ExitCode.OK, written.output
    other = to_sign.read_bytes().replace(b"<scoresOut>false", b"<scoresOut>true")
    changed.write_bytes(installation.world.signatories[AUTHORISED_BODY].sign(other, at=at))
    refused = inspection.run("head", "agreement", "sign", "BODY/1", "--signed", changed, "--apply")
    assert (refused.exit_code, "not this document" in refused.stderr) == (ExitCode.USAGE, True)

    signed = inspection.run_json("head", "agreement", "sign", "BODY/1", *key, "--apply")
    assert signed["agreement_state"] == "DRAFT"
    approved = inspection.run("head", "notice", "approve", "BODY-1", *key, "--apply")
    assert approved.exit_code == ExitCode.OK, approved.output
    found = notices.find("BODY-1")
    assert found is not None
    assert found.approved_at is not None
