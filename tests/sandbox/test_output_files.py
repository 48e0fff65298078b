"""The files of a sandbox are enough for any SOAP stack, and only a sandbox is ever deleted."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from makul.admin.errors import OperatorError
from makul.admin.requests import SandboxOptions
from makul.admin.runtime import Runtime
from makul_client import OversightClient, Profile
from makul_sandbox.output.files import CONFIG
from makul_sandbox.run import choose_addresses, prepare, with_ports
from makul_testing.cli_runner import CommandLine
from makul_testing.sandbox_dir import SandboxDirectory, prepare_sandbox


@pytest.fixture(scope="module")
def index(prepared: SandboxDirectory) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((prepared.directory / "sandbox.json").read_text())
    return loaded


def paths_in(value: Any) -> Iterator[str]:
    """Return every relative path that the index names."""
    if isinstance(value, dict):
        for found in value.values():
            yield from paths_in(found)
    elif isinstance(value, list):
        for found in value:
            yield from paths_in(found)
    elif isinstance(value, str) and value.endswith(
        (".pem", ".xml", ".toml", ".txt", ".png", ".pdf")
    ):
        yield value


def test_every_file_of_the_index_exists(prepared: SandboxDirectory, index: dict[str, Any]) -> None:
    """Every file in sandbox.json exists."""
    named = list(paths_in(index))

    assert len(named) > 100
    assert [path for path in named if not (prepared.directory / path).is_file()] == []


def test_keys_belong_to_certificates(prepared: SandboxDirectory, index: dict[str, Any]) -> None:
    """The keys are those of every party, official and citizen."""
    pairs = [(party["messageKey"], party["messageCertificate"]) for party in index["parties"]]
    holders = [party["official"] for party in index["parties"] if party["official"]]
    pairs += [(holder["key"], holder["certificate"]) for holder in holders + index["citizens"]]

    for key_path, certificate_path in pairs:
        key = load_pem_private_key((prepared.directory / key_path).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(
            (prepared.directory / certificate_path).read_bytes()
        )
        assert key.public_key() == certificate.public_key()


def test_the_reference_client_reads_every_profile(
    prepared: SandboxDirectory, index: dict[str, Any]
) -> None:
    """There is a ready profile for each party and each channel that its agreement names."""
    for party in index["parties"]:
        assert sorted(party["profiles"]) == party["agreement"]["channels"]
        for channel, path in party["profiles"].items():
            profile = Profile.load(prepared.directory / path)
            assert profile.sandbox
            assert profile.recipient.code == party["code"]
            assert profile.service.url == index["urls"][channel]
            assert profile.consent is not None


def test_the_officers_client_reads_every_profile(
    prepared: SandboxDirectory, index: dict[str, Any]
) -> None:
    """There is a ready profile for each officer, whose key belongs to the certificate."""
    assert {each["key"] for each in index["officers"]} == set(prepared.world.officers)
    for officer in index["officers"]:
        with OversightClient.from_file(prepared.directory / officer["profile"]) as client:
            assert client.profile.sandbox
            assert client.profile.officer.body == officer["body"]
            assert client.profile.officer.identifier == officer["identifier"]
            assert client.profile.service.url == index["oversightUrl"]
            assert client.profile.ledger is not None


def test_a_document_states_its_use_and_its_outcome(index: dict[str, Any]) -> None:
    """The files alone are enough to test a SOAP stack."""
    documents = {document["name"]: document for document in index["papers"]}

    assert UUID(documents["expired"].pop("id"))
    assert documents["expired"] == {
        "name": "expired",
        "kind": "CONSENT",
        "file": "documents/expired.xml",
        "presentedBy": "bank",
        "agreement": "SANDBOX/BANK",
        "citizen": 0,
        "operation": "GetPersonData",
        "purpose": "ACCOUNT_OPENING",
        "attributes": ["surname", "givenName", "address"],
        "registration": None,
        "employee": None,
        "outcome": "REFUSED",
        "reasons": ["CNS-04"],
    }
    assert documents["revoked-certificate"]["reasons"] == ["CNS-02 (SIG-06)"]


def test_a_paper_document_names_its_attachments(index: dict[str, Any]) -> None:
    """The scan or authority document, and its sender are named; the employee is the one who uses
    it.
    """
    documents = {document["name"]: document for document in index["papers"]}

    assert documents["paper"]["registration"] == {
        "employee": "clerk-1",
        "scan": "documents/paper.scan.png",
        "authorityDocument": None,
    }
    assert documents["paper-used-by-official"]["employee"] == "M-1001"
    authority = documents["represented"]["registration"]["authorityDocument"]
    assert authority == "documents/represented.authority.pdf"


def test_the_index_shows_which_agreement_lacks_a_signature(index: dict[str, Any]) -> None:
    """All are in force but one, which its recipient has signed and the operator has not
    received.
    """
    drafts = [each for each in index["agreements"] if each["state"] != "IN_FORCE"]

    assert [each["number"] for each in drafts] == ["SANDBOX/BANK-2"]
    missing = [each["role"] for each in drafts[0]["signatures"] if not each["submitted"]]
    assert missing == ["RECIPIENT"]
    members = {each["member"] for each in index["signatories"]}
    assert {each["member"] for each in drafts[0]["signatures"]} <= members


def test_revocations_name_their_consents(index: dict[str, Any]) -> None:
    """The index also says what submitting them causes."""
    documents = {document["name"] for document in index["papers"]}
    outcomes = {each["name"]: each["outcome"] for each in index["revocations"]}

    assert {each["consent"] for each in index["revocations"]} <= documents
    assert outcomes["taken-back"] == "ACCEPTED"
    assert outcomes["not-taken-back"] == "REFUSED"


def test_operators_commands_work_in_a_sandbox(prepared: SandboxDirectory) -> None:
    """Its service directory is an ordinary installation."""
    makul = CommandLine((prepared.directory / CONFIG).parent)

    assert len(makul.run_json("recipient", "list")) == 7
    assert {key["state"] for key in makul.run_json("key", "show")} == {"IN_USE"}


def test_private_keys_are_readable_only_by_their_owner(prepared: SandboxDirectory) -> None:
    """Even a sandbox has closed key files, because programs that check them must not skip the
    check.
    """
    for path in prepared.directory.rglob("*.key.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_sandbox_is_replaced_in_its_directory(tmp_path: Path) -> None:
    """The new sandbox has the same people and other keys, and no file of the old one."""
    first = prepare_sandbox(tmp_path / "made")
    (first.directory / "left-over").write_text("")
    second = prepare_sandbox(tmp_path / "made")

    assert [person.pin for person in first.world.people] == [
        person.pin for person in second.world.people
    ]
    assert first.world.operator.fingerprint != second.world.operator.fingerprint
    assert not (second.directory / "left-over").exists()


def test_nothing_else_is_ever_deleted(tmp_path: Path) -> None:
    """A directory that is named by mistake keeps its files."""
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")

    with pytest.raises(OperatorError, match="no sandbox"):
        prepare(SandboxOptions(directory=tmp_path), Runtime())
    assert precious.read_text() == "mine"


def test_free_ports_are_found() -> None:
    """Port 0 means any free port, and no two ports are equal."""
    options = with_ports(SandboxOptions(directory=Path("x"), port=0, xroad_port=0, mtls_port=0))
    addresses = choose_addresses(with_ports(SandboxOptions(directory=Path("x"), port=9000)))
    named = choose_addresses(with_ports(SandboxOptions(directory=Path("x"), port=8, mtls_port=4)))

    names = ("port", "xroad_port", "mtls_port", "oversight_port", "subject_port")
    free = {getattr(options, name) for name in names}
    assert 0 not in free
    assert len(free) == 5
    assert [getattr(addresses, name) for name in names] == [9000, 9001, 9002, 9003, 9004]
    assert [getattr(named, name) for name in names] == [8, 9, 4, 11, 12]
