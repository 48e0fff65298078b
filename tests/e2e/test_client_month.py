"""The recipient's month with the real service: compared, confirmed, contested (cl. 11)."""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from makul.app.ports import Receipt
from makul.composition.adapters import utc_now
from makul.documents.receipts import render_receipt
from makul.domain.attributes import Attribute
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month, month_before
from makul.ledger.signed_note import ED25519
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_client import (
    Client,
    ConfirmationError,
    ConsentDocument,
    ContestedItem,
    Demographic,
    Probe,
    Profile,
    RefusedError,
    content_to_sign,
    sign_statement,
)
from makul_client._internal.crypto.credentials import load_credential
from makul_client.cli.exit_codes import ExitCode
from makul_sandbox.data.recipients import NOTARY, OPERATOR
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_sandbox.world.document import SandboxDocument
from makul_testing.cli_runner import CommandLine
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.clock import SteppedClock
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.tlog.builder import ORIGIN, check_ledger, sequence


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@dataclass(frozen=True, slots=True)
class BankMonth:
    """A running service whose clock a test moves, and the bank that keeps its receipts."""

    installation: InProcessService
    makul: CommandLine
    clock: SteppedClock
    signer: NoteSigner
    profile: Path
    directory: Path
    month: Month

    @property
    def client(self) -> Client:
        return Client(Profile.load(self.profile), clock=self.clock)

    @property
    def receipts(self) -> Path:
        return self.profile.parent / "receipts" / str(self.month)

    def document(self, name: str) -> SandboxDocument:
        return self.installation.document(name)

    def sign_receipt(
        self,
        recipient: MemberCode,
        *,
        operation: str = "GetPersonData",
        decided_at: datetime | None = None,
    ) -> UUID:
        """Put a receipt of a decision that nobody recorded among those of the month."""
        at, receipt_id = decided_at or self.clock(), uuid4()
        unsigned = render_receipt(
            Receipt(
                receipt_id=receipt_id,
                request_id=uuid4(),
                request_digest=bytes(32),
                operation=operation,
                recipient=recipient,
                agreement_number=None,
                outcome=Outcome.NOT_MATCHED,
                reasons=(),
                released=frozenset(),
                payload_digest=None,
                answer_digest=bytes(32),
                ground=None,
                decided_at=at,
                leaf_hash=bytes(32),
                operator=OPERATOR,
            )
        )
        signed = self.installation.parts.signer.sign(unsigned, at=at)
        (self.receipts / f"{receipt_id}.xml").write_bytes(signed)
        return receipt_id

    def signatory_options(self) -> tuple[object, ...]:
        key, certificate = self.signatory()
        return key, "--certificate", certificate

    def ask(self, document: SandboxDocument) -> str:
        """Ask for the data of a document's citizen; return the outcome."""
        person = self.installation.person_of(document)
        number = str(person.values[Attribute.DOCUMENT_NUMBER])
        probe = Probe(demographic=Demographic(pin=person.pin.digits, document_number=number))
        with self.client as client:
            try:
                client.get_person_data(
                    probe, ["surname"], ground=ConsentDocument(document.document)
                )
            except RefusedError:
                return "REFUSED"
        return "RELEASED"

    def end_month(self) -> None:
        """Go to the present, publish the log, build the statement of the month, and issue it."""
        self.clock.now = utc_now()
        self.publish()
        bank, month = self.installation.bank.code, str(self.month)
        output = self.makul.directory / "months"
        self.makul.run_json("month", "build", month, "--recipient", bank, "--output", output)
        self.makul.run_json("month", "issue", bank, month, "--apply")

    def publish(self) -> None:
        sequence(self.installation.store, self.signer, at=self.clock())
        latest = self.installation.store.ledger.latest()
        assert latest is not None
        LogDirectory(self.makul.directory / "log").write_checkpoint(latest.note)

    def run(self, *arguments: object) -> Result:
        """Run `makul-client month` for this month as the bank."""
        return run_client("month", self.month, *arguments, "--profile", self.profile)

    def run_json(self, *arguments: object) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.run(*arguments, "--json").stdout)
        return content

    def signatory(self) -> tuple[Path, Path]:
        home = self.directory / "signatories" / self.installation.bank.code.replace("/", "-")
        return home / "signatory.key.pem", home / "signatory.cert.pem"


@pytest.fixture
def bank(tmp_path: Path, record_database: RecordDatabase) -> Iterator[BankMonth]:
    """The service in the last month, at which the reference client asks, and the bank's profile."""
    month = month_before(utc_now())
    clock = SteppedClock(month.begins + timedelta(days=12))
    (tmp_path / "installation").mkdir()
    built = build_installation(tmp_path / "installation", database=record_database, clock=clock)
    makul = built.makul()
    new_key_file(makul.directory / "ledger.key", ORIGIN, ED25519)
    with (makul.directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    signer = NoteSigner.load(makul.directory / "ledger.key", ORIGIN)
    server = make_server("127.0.0.1", 0, built.applications["wsse"], handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    addresses = Addresses(
        host="127.0.0.1",
        port=server.server_port,
        xroad_port=1,
        mtls_port=2,
        oversight_port=3,
        subject_port=0,
    )
    write_service(built.world, tmp_path, addresses)
    write_files(built.world, tmp_path, addresses, {}, log_key=signer.vkey)
    profile = tmp_path / "parties" / "bank" / "profile.toml"
    try:
        yield BankMonth(built, makul, clock, signer, profile, tmp_path, month)
        clock.now = utc_now()
        sequence(built.store, signer, at=clock())
        assert check_ledger(built.store, signer, at=clock()).finding is None
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        built.close()


def test_a_month_is_compared_and_confirmed(bank: BankMonth, tmp_path: Path) -> None:
    """Every decision has its receipt: nothing differs, and the signatory confirms it."""
    asked = [bank.ask(bank.document(name)) for name in ("bank-00-data", "bank-01-data", "expired")]
    bank.clock.now = utc_now()
    not_issued = bank.run()
    bank.end_month()

    compared = bank.run_json()
    key, certificate = bank.signatory()
    confirm = ("--confirm", "--key", key, "--certificate", certificate)
    shown = bank.run(*confirm)
    to_sign = tmp_path / "to-sign.xml"
    handed_out = bank.run("--write-bytes", to_sign)
    signed = tmp_path / "signed.xml"
    with bank.client as client:
        statement = client.monthly_statement(str(bank.month)).statement
    signed.write_bytes(sign_statement(statement, load_credential(key, certificate)))
    confirmed = bank.run(
        "--confirm", "--signed", signed, "--apply", "--receipt", tmp_path / "r.xml"
    )

    assert (not_issued.exit_code, "OVR-06" in not_issued.stderr) == (ExitCode.NO, True)
    assert asked == ["RELEASED", "RELEASED", "REFUSED"]
    assert (compared["lines"], compared["matched"], compared["differences"]) == (3, 3, [])
    assert (compared["proved"], compared["unproved"], compared["unusable_files"]) == (3, 0, 0)
    assert (shown.exit_code, "--apply" in shown.stderr) == (ExitCode.OK, True), shown.output
    assert handed_out.exit_code == ExitCode.OK, handed_out.output
    assert to_sign.read_bytes() == content_to_sign(statement)
    assert (confirmed.exit_code, "CONFIRMED" in confirmed.stdout) == (ExitCode.OK, True)
    again = bank.run(*confirm, "--apply")
    assert (again.exit_code, "OVR-02" in again.stderr) == (ExitCode.NO, True)
    kept = [each.read_bytes() for each in (bank.receipts.parent / "acts").glob("*.xml")]
    assert (tmp_path / "r.xml").read_bytes() in kept


def test_another_signature_does_not_confirm(bank: BankMonth, tmp_path: Path) -> None:
    """Other bytes are refused here, and a signer who is no signatory by the service (OVR-03)."""
    bank.ask(bank.document("bank-00-data"))
    bank.end_month()
    home = bank.profile.parent
    other = load_credential(home / "message.key.pem", home / "message.cert.pem")

    with bank.client as client:
        statement = client.monthly_statement(str(bank.month)).statement
        changed = content_to_sign(statement).replace(b"<lines>1</lines>", b"<lines>0</lines>")
        with pytest.raises(ConfirmationError):
            client.confirm_month(statement, changed)
        with pytest.raises(RefusedError) as refused:
            client.confirm_month(statement, sign_statement(statement, other))

    assert refused.value.code == "OVR-03"
    forged = tmp_path / "forged.xml"
    forged.write_bytes(changed)
    assert bank.run("--confirm", "--signed", forged, "--apply").exit_code == ExitCode.USAGE


def test_differences_are_contested_and_answered(bank: BankMonth, tmp_path: Path) -> None:
    """A deleted receipt, one that the operator does not know, and one of another recipient."""
    for name in ("bank-00-data", "bank-01-data", "bank-02-data"):
        bank.ask(bank.document(name))
    deleted, *_ = sorted(bank.receipts.glob("*.xml"))
    deleted.unlink()
    unknown = bank.sign_receipt(bank.installation.bank.code)
    foreign = bank.sign_receipt(NOTARY.code)
    (bank.receipts / "notes.txt").write_text("not a receipt")
    bank.end_month()

    compared = bank.run_json()
    refused = bank.run("--confirm", "--key", *bank.signatory_options(), "--apply")
    draft = tmp_path / "contest.txt"
    assert bank.run("--draft-contest", draft).exit_code == ExitCode.NO
    lines = draft.read_text().splitlines()
    draft.write_text("\n".join(f"{row}not ours" if row.endswith(" ") else row for row in lines))
    shown = bank.run("--contest-file", draft)
    contested = bank.run("--contest-file", draft, "--apply")

    assert compared["counts"] == {"NO_RECEIPT": 1, "NOT_LISTED": 1, "CONTENT": 0}
    assert (compared["matched"], compared["unusable_files"]) == (2, 2)
    assert {each["file"] for each in compared["unusable"]} == {f"{foreign}.xml", "notes.txt"}
    assert (refused.exit_code, "--despite-differences" in refused.stderr) == (ExitCode.NO, True)
    assert "UNREPORTED_BY_RECIPIENT" in shown.stdout
    assert (contested.exit_code, "CONTESTED" in contested.stdout) == (ExitCode.OK, True)
    of_month = (bank.installation.bank.code, str(bank.month))
    rows = bank.makul.run_json("month", "lines", *of_month)
    kinds = {each["disclosure_id"]: each["exception"] for each in rows}
    assert kinds == {
        deleted.stem: "UNREPORTED_BY_RECIPIENT",
        str(unknown): "UNKNOWN_TO_OPERATOR",
    }
    (sent,) = [each["receipt"] for each in rows if each["receipt"]]
    assert b64decode(sent) == (bank.receipts / f"{unknown}.xml").read_bytes()
    for line in kinds:
        answer = ("month", "answer", *of_month, line, "--as", "CORRECTED")
        bank.makul.run_json(*answer, "--reason", "we look into it", "--apply")
    with bank.client as client:
        answered = client.monthly_statement(str(bank.month)).contested
    assert {(each.exception, each.answer) for each in answered} == {
        ("UNREPORTED_BY_RECIPIENT", "CORRECTED"),
        ("UNKNOWN_TO_OPERATOR", "CORRECTED"),
    }
    assert "we look into it" in bank.run().stdout


def test_a_false_receipt_is_no_contest(bank: BankMonth) -> None:
    """The operator verifies its own signature, the recipient, the month and the id."""
    bank.ask(bank.document("bank-00-data"))
    (own,) = bank.receipts.glob("*.xml")
    of_bank = bank.sign_receipt(bank.installation.bank.code)
    of_notary = bank.sign_receipt(NOTARY.code)
    of_act = bank.sign_receipt(bank.installation.bank.code, operation="ConfirmMonth")
    earlier = bank.sign_receipt(
        bank.installation.bank.code, decided_at=bank.month.begins - timedelta(seconds=1)
    )
    bank.end_month()
    read = {
        name: (bank.receipts / f"{name}.xml").read_bytes()
        for name in (of_bank, of_notary, of_act, earlier)
    }
    altered = read[of_bank].replace(b"GetPersonData", b"VerifyPerson")
    listed = ContestedItem(
        disclosure_id=UUID(own.stem), reason="it is listed", receipt=own.read_bytes()
    )

    with bank.client as client:
        statement = client.monthly_statement(str(bank.month)).statement

        def contest(line: UUID, receipt: bytes) -> str | None:
            item = ContestedItem(disclosure_id=line, reason="ours", receipt=receipt)
            with pytest.raises(RefusedError) as refused:
                client.contest_month(statement, [item])
            return refused.value.code

        assert contest(of_bank, altered) == "OVR-03"
        assert contest(uuid4(), read[of_bank]) == "OVR-03"
        assert contest(of_bank, b"<a/>") == "OVR-03"
        assert contest(of_notary, read[of_notary]) == "OVR-06"
        assert contest(of_act, read[of_act]) == "OVR-06"
        assert contest(earlier, read[earlier]) == "OVR-06"
        client.contest_month(statement, [listed])
        (line,) = client.monthly_statement(str(bank.month)).contested
    assert (line.disclosure_id, line.exception) == (listed.disclosure_id, None)
