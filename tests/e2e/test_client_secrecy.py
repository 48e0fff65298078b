"""`makul-client undertaking`, `incident` and `deletion` against a service (cl. 15 and 16)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from makul_client import Client, Context, Demographic, Probe, RefusedError
from makul_client.models.request import ConsentDocument
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_testing.client.cli_runner import run_client
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.pki.client import pem_of, pem_of_key
from makul_testing.processes.service import run_service
from makul_testing.secrecy import EMPLOYEE, EMPLOYEE_NUMBER, SecretBank


class ClientOfBank:
    """The bank's command line at a running service."""

    def __init__(self, bank: SecretBank, directory: Path) -> None:
        self.bank = bank
        self.directory = directory
        self.profile = directory / "parties" / "bank" / "profile.toml"

    def run(self, *arguments: object, code: int = 0) -> Any:
        result = run_client(*arguments, "--profile", self.profile, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if result.stdout else None

    def get(self) -> str:
        """Return the id of a decision that releases data to the employee."""
        ready = self.bank.installation.document("bank-02-data")
        person = self.bank.installation.person_of(ready)
        probe = Probe(
            demographic=Demographic(
                pin=person.pin.digits, document_number=str(person.values["documentNumber"])
            )
        )
        with Client.from_file(self.profile) as client:
            data = client.get_person_data(
                probe,
                sorted(ready.attributes),
                ground=ConsentDocument(ready.document),
                context=Context(employee=EMPLOYEE),
            )
        return str(data.decision.disclosure_id)


@pytest.fixture
def client(tmp_path: Path, record_database: RecordDatabase) -> Iterator[ClientOfBank]:
    installation_directory = tmp_path / "installation"
    installation_directory.mkdir()
    built: InProcessService = build_installation(installation_directory, database=record_database)
    bank = SecretBank.of(built)
    with run_service(installation_directory / "makul.toml", workers=1) as server:
        addresses = Addresses(
            host="127.0.0.1",
            port=server.port,
            xroad_port=1,
            mtls_port=1,
            oversight_port=1,
            subject_port=5,
        )
        write_service(built.world, tmp_path, addresses)
        write_files(built.world, tmp_path, addresses, {})
        yield ClientOfBank(bank, tmp_path)
    built.close()


def test_the_client_keeps_secrecy(client: ClientOfBank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draft, sign, record, use, report, attest and end; nothing is sent without --apply."""
    world = client.bank.installation.world
    key, certificate = client.directory / "card.key.pem", client.directory / "card.crt.pem"
    key.write_bytes(pem_of_key(world.citizens[EMPLOYEE_NUMBER].key))
    key.chmod(0o600)
    certificate.write_bytes(pem_of(world.citizens[EMPLOYEE_NUMBER].certificate))
    monkeypatch.setenv("MAKUL_PIN", world.people[EMPLOYEE_NUMBER].pin.digits)
    draft = client.directory / "draft.xml"
    day = client.bank.today.isoformat()
    named = ("--for", EMPLOYEE, "--name", "Test Teller", "--text", "SECRECY/2026, version 1")
    client.run("undertaking", "draft", *named, "-o", draft)
    signing = ("undertaking", "record", draft, "--key", key, "--certificate", certificate)
    client.run(*signing)
    with pytest.raises(RefusedError):
        client.get()
    client.run("undertaking", "record", draft, "--apply", code=2)

    recorded = client.run(*signing, "--apply")

    given = client.get()
    assert client.run("deletion", "list") == []
    texts = ("--description", "A screen was seen.", "--measures", "It is turned away.")
    incident = ("incident", "report", "--kind", "LOSS", "--since", day, "--discovered", day)
    reported = client.run(*incident, "--disclosure", given, *texts, "--apply")
    makul = client.bank.installation.makul()
    (listed,) = makul.run_json("incident", "list", "--recipient", client.bank.code)
    shown = makul.run_json("incident", "show", reported["incident_id"])
    assert (listed["kind"], shown["disclosures"]) == ("LOSS", [given])
    assert makul.run_json("deletion", "due") == []
    attested = client.run("deletion", "attest", given, "--on", day, "--apply")
    assert attested["attested"] == 1
    client.run("undertaking", "end", recorded["undertaking_id"], "--on", day, "--apply")
    with pytest.raises(RefusedError):
        client.get()
