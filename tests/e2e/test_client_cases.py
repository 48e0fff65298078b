"""`makul-oversight month` and `case` against the service over HTTP (cl. 11 and 12)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from makul.composition.adapters import utc_now
from makul_client import EvidenceError, OversightClient
from makul_client.cli.exit_codes import ExitCode
from makul_client.models.cases import EvidencePart
from makul_sandbox.data.recipients import AUTHORISED_BODY
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.closing_month import Closing, open_closing
from makul_testing.in_process_service import RecordDatabase, about, person_request
from makul_testing.processes.service import run_service

FACTS = ("--justification", "data without consent, report 14", "--apply")


@dataclass(frozen=True, slots=True)
class Officers:
    """The officers at a running oversight port, with an issued month and a case to come."""

    closing: Closing
    directory: Path

    def profile(self, officer: str) -> Path:
        return self.directory / "officers" / officer / f"{officer}.toml"

    def run(self, officer: str, *arguments: object) -> Result:
        return run_client("--profile", self.profile(officer), *arguments, program="makul-oversight")

    def run_json(self, officer: str, *arguments: object) -> Any:
        result = self.run(officer, *arguments, "--json")
        assert result.exit_code == ExitCode.OK, result.output
        return json.loads(result.stdout)

    def open_case(self) -> str:
        """Open a case of the present month, and attach its evidence file."""
        month = self.closing.month.following
        days = ("--from", f"{month}-01", "--to", f"{month}-28", "--all")
        opened = self.run_json("inspector", "case", "open", self.closing.bank, *days, *FACTS)
        case_id: str = opened["case_id"]
        return case_id

    def attach(self, case_id: str) -> Path:
        options = ("--case", case_id, "--reason", "case of the body")
        return Path(self.closing.makul.run_json("case", "build", *options)["file"])

    def sign(self, content: bytes) -> bytes:
        """Sign as the signatory of the authorised body does, with a program of its own."""
        signatory = self.closing.installation.world.signatories[AUTHORISED_BODY]
        return signatory.sign(content, at=utc_now())


@pytest.fixture(scope="module")
def officers(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[Officers]:
    directory = tmp_path_factory.mktemp("officers")
    (directory / "installation").mkdir()
    with open_closing(directory / "installation", record_database) as closing:
        installation = closing.installation
        document = installation.document("bank-00-data")
        person = installation.person_of(document)
        request = person_request(**about(person, of=installation.bank, document=document))
        assert installation.ask(request).outcome == "RELEASED"
        closing.issue()
        closing.publish()
        config = directory / "installation" / "makul.toml"
        with run_service(config, workers=1, listener="oversight") as server:
            addresses = Addresses(
                host="127.0.0.1",
                port=1,
                xroad_port=1,
                mtls_port=1,
                oversight_port=server.port,
                subject_port=0,
            )
            write_service(installation.world, directory, addresses)
            write_files(installation.world, directory, addresses, {})
            yield Officers(closing, directory)


def test_a_case_from_its_opening_to_its_acknowledgement(officers: Officers, tmp_path: Path) -> None:
    """The evidence file is the operator's, byte for byte, and nothing is overwritten."""
    case_id = officers.open_case()
    built = officers.attach(case_id)
    unseen = officers.run("protection", "case", "show", case_id)
    assert (unseen.exit_code, "OVR-06" in unseen.stderr) == (ExitCode.NO, True)

    referred = officers.run("head", "case", "refer", case_id, *FACTS)
    out = tmp_path / "case.asice"
    saved = officers.run_json("protection", "case", "evidence", case_id, "--out", out)
    again = officers.run("protection", "case", "evidence", case_id, "--out", out)
    acknowledged = officers.run_json("protection", "case", "acknowledge", case_id, "--apply")

    assert referred.exit_code == ExitCode.OK, referred.output
    assert out.read_bytes() == built.read_bytes()
    assert saved["size"] == built.stat().st_size
    assert again.exit_code == ExitCode.USAGE
    assert [each.name for each in tmp_path.iterdir()] == ["case.asice"]
    assert acknowledged["case_state"] == "ACKNOWLEDGED"
    shown = officers.run("inspector", "case", "show", case_id)
    for word in ("EVIDENCE_ATTACHED", "PROTECTION_BODY", sha256(built.read_bytes()).hexdigest()):
        assert word in shown.stdout
    assert case_id in officers.run("protection", "case", "list").stdout


def test_a_dismissed_case_stays_in_the_list(officers: Officers) -> None:
    """A proposed case is opened by its id, and dismissed with a reason."""
    listed = officers.run_json("inspector", "case", "list")
    proposed = next(each for each in listed["cases"] if each["case_state"] == "PROPOSED")

    opened = officers.run_json("inspector", "case", "open", "--case", proposed["case_id"], *FACTS)
    dismissed = officers.run_json("head", "case", "dismiss", proposed["case_id"], *FACTS)

    assert (opened["case_state"], dismissed["case_state"]) == ("OPEN", "DISMISSED")
    states = {
        each["case_id"]: each["case_state"]
        for each in officers.run_json("head", "case", "list")["cases"]
    }
    assert states[proposed["case_id"]] == "DISMISSED"


def test_an_interrupted_evidence_file_is_continued(officers: Officers, tmp_path: Path) -> None:
    """A part that is there is kept; one with other bytes is deleted and gives no file."""
    case_id = officers.open_case()
    content = officers.attach(case_id).read_bytes()
    digest = sha256(content).hexdigest()
    out = tmp_path / "case.asice"
    part = tmp_path / f"case.asice.{digest[:16]}.part"
    part.write_bytes(content[:1000])
    asked: list[int] = []

    class Counting(OversightClient):
        def evidence_part(self, case_id: Any, offset: int) -> EvidencePart:
            asked.append(offset)
            return super().evidence_part(case_id, offset)

    with Counting.from_file(officers.profile("inspector")) as client:
        client.save_evidence(UUID(case_id), out)
        assert (asked, out.read_bytes(), part.exists()) == ([1000], content, False)
        other = tmp_path / f"other.asice.{digest[:16]}.part"
        other.write_bytes(b"x" * 1000)
        with pytest.raises(EvidenceError):
            client.save_evidence(UUID(case_id), tmp_path / "other.asice")
    assert not other.exists()
    assert not (tmp_path / "other.asice").exists()


def test_the_decisions_of_a_recipient_are_listed(officers: Officers) -> None:
    """A month or days are named; neither, or both, is wrong use and sends nothing."""
    month, bank = officers.closing.month, officers.closing.bank
    page = officers.run_json("protection", "disclosures", bank, "--month", month)
    shown = officers.run(
        "head", "disclosures", bank, "--from", f"{month}-02", "--to", f"{month}-02"
    )

    found = {each["disclosure_id"] for each in page["lines"]}
    assert found == {str(each) for each in officers.closing.lines}
    assert len(found & set(shown.stdout.split())) == 1
    for wrong in ((), ("--month", str(month), "--from", "2026-10-01", "--to", "2026-10-02")):
        assert officers.run("head", "disclosures", bank, *wrong).exit_code == ExitCode.USAGE


def test_a_month_is_signed_by_bytes_that_are_handed_out(officers: Officers, tmp_path: Path) -> None:
    """Another program signs exactly these bytes; another document is refused before it is sent."""
    closing, month = officers.closing, str(officers.closing.month)
    bank = closing.bank
    closing.confirm()
    states = officers.run_json("inspector", "month", "list", month)["states"]
    assert [(each["recipient"], each["state"]) for each in states] == [(bank, "CONFIRMED")]
    shown = officers.run("inspector", "month", "show", month, bank, "--out", tmp_path / "read")
    assert "NO_GROUND 2" in shown.stdout
    assert sorted(each.name for each in (tmp_path / "read").iterdir()) == [
        "page-001.xml",
        "statement.xml",
    ]
    to_sign, signed = tmp_path / "to-sign.xml", tmp_path / "signed.xml"
    written = officers.run("head", "month", "sign", month, bank, "--write-bytes", to_sign)
    assert written.exit_code == ExitCode.OK, written.output

    changed = to_sign.read_bytes().replace(b"<lines>2</lines>", b"<lines>1</lines>")
    signed.write_bytes(officers.sign(changed))
    refused = officers.run("head", "month", "sign", month, bank, "--signed", signed, "--apply")
    signed.write_bytes(officers.sign(to_sign.read_bytes()))
    previewed = officers.run("head", "month", "sign", month, bank, "--signed", signed)
    closed = officers.run("head", "month", "sign", month, bank, "--signed", signed, "--apply")

    assert (refused.exit_code, "not this document" in refused.stderr) == (ExitCode.USAGE, True)
    assert previewed.exit_code == ExitCode.OK
    assert closed.exit_code == ExitCode.OK, closed.output
    assert closing.state() == "SIGNED"


def test_what_cannot_sign_a_month_is_refused_in_one_line(
    officers: Officers, tmp_path: Path
) -> None:
    """Files that are no key, no certificate and no document; nothing is closed, no traceback."""
    month, bank = str(officers.closing.month), officers.closing.bank
    garbage, missing = tmp_path / "garbage", tmp_path / "missing"
    garbage.write_bytes(b"\xff\x00<a/>")
    before = officers.closing.state()
    for options in (
        ("--signed", garbage),
        ("--signed", missing),
        ("--signed", tmp_path),
        ("--key", garbage, "--certificate", garbage),
        ("--key", missing, "--certificate", missing),
        ("--key", garbage),
        ("--signed", garbage, "--write-bytes", missing),
        ("--write-bytes", garbage),
        (),
    ):
        result = officers.run("head", "month", "sign", month, bank, *options, "--apply")
        assert result.exit_code == ExitCode.USAGE, (options, result.output)
        assert "Traceback" not in result.output
    assert garbage.read_bytes() == b"\xff\x00<a/>"
    assert officers.closing.state() == before


def test_a_month_is_signed_by_a_key_in_a_file(officers: Officers, tmp_path: Path) -> None:
    """The key of somebody who is no signatory of the body is OVR-03."""
    month, bank = str(officers.closing.month), officers.closing.bank
    inspector = officers.directory / "officers" / "inspector"
    options = (
        "--key",
        inspector / "officer.key.pem",
        "--certificate",
        inspector / "officer.cert.pem",
    )
    stored = tmp_path / "receipt.xml"

    refused = officers.run(
        "head", "month", "sign", month, bank, *options, "--receipt", stored, "--apply"
    )

    assert (refused.exit_code, "OVR-03" in refused.stderr) == (ExitCode.NO, True), refused.output
    assert officers.run("head", "receipt", "verify", stored).exit_code == ExitCode.OK
