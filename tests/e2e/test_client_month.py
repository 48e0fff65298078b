"""The recipient's month, with the real service: compared, confirmed, contested, answered (cl. 11)."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from makul.composition.adapters import utc_now
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind
from makul.domain.months import Month, month_before
from makul.ledger.signed_note import ED25519
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_client import (
    Client,
    ConsentDocument,
    Demographic,
    Probe,
    Profile,
    RefusedError,
    sign_statement,
)
from makul_client._internal.crypto.credentials import load_credential
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

    def documents(self) -> list[SandboxDocument]:
        """Return the bank's documents that a request about their citizen can cite."""
        return [
            each
            for each in self.installation.world.documents.values()
            if each.presented_by.key == "bank" and each.kind is GroundKind.CONSENT
        ]

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
            except RefusedError as refused:
                assert refused.decision is not None
                return refused.decision.outcome
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

    def run_json(self, *arguments: object) -> dict[str, object]:
        content: dict[str, object] = json.loads(self.run(*arguments, "--json").stdout)
        return content

    def signatory(self) -> tuple[Path, Path]:
        home = self.directory / "signatories" / self.installation.bank.code.replace("/", "-")
        return home / "signatory.key.pem", home / "signatory.cert.pem"


@pytest.fixture
def bank(tmp_path: Path, record_database: RecordDatabase) -> Iterator[BankMonth]:
    """Three disclosures and a refusal of the last month, asked for by the reference client."""
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
        host="127.0.0.1", port=server.server_port, xroad_port=1, mtls_port=2, oversight_port=3
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


def test_x(bank: BankMonth) -> None:
    for each in bank.documents():
        print(each.name if hasattr(each, "name") else each.file_name, bank.ask(each))
        bank.clock.step(timedelta(minutes=1))
    bank.end_month()
    with bank.client as client:
        check = client.check_month(str(bank.month))
        print(check)
        key, certificate = bank.signatory()
        signed = sign_statement(check.issued.statement, load_credential(key, certificate))
        print(client.confirm_month(check.issued.statement, signed))
    assert 0
