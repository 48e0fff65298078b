"""`makul-client receipt`: fetched, stored, and verified without the service."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from makul_client.cli import receipt as cli_receipt
from makul_client.cli.exit_codes import ExitCode
from makul_client.errors import LEDGER_TEXTS, LedgerFlaw
from makul_client.models.reasons import Language
from makul_client.models.response import Inclusion
from makul_client.receipts.bundle import Bundle, read_bundle_unsafe, write_bundle
from makul_client.translation import translate_to
from makul_testing.client.cli_runner import run_client
from makul_testing.client.ledger import INDEX, LATE, SOON, World
from makul_testing.client.world import write_profile
from makul_testing.servers.fake_service import Reply, answer, run_fake_service


def get_receipt(world: World, inclusion: Inclusion | None) -> Reply:
    proof = ""
    if inclusion is not None:
        path = "".join(f"<hash>{_b64(each)}</hash>" for each in inclusion.path)
        proof = (
            f"<inclusion><leafIndex>{inclusion.index}</leafIndex>"
            f"<treeSize>{inclusion.size}</treeSize>{path}"
            f"<checkpoint>{_b64(inclusion.checkpoint)}</checkpoint></inclusion>"
        )
    return answer("GetReceipt", f"<receipt>{_b64(world.document)}</receipt>{proof}")


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def call(profile: Path, *words: str | Path) -> Any:
    arguments = [words[0], words[1], "--profile", profile, *words[2:]]
    return run_client(*arguments)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Set the commands' clock."""

    def set_to(at: Any) -> None:
        monkeypatch.setattr(cli_receipt, "utc_now", lambda: at)

    set_to(LATE)
    return set_to


def test_receipt_is_fetched_stored_and_verified_offline(
    world: World, now: Callable[[Any], None]
) -> None:
    """The receipt is fetched with the service, and verified without it."""
    file = world.folder / "receipt.json"
    with run_fake_service(get_receipt(world, world.inclusion())) as service:
        profile = world.profile(service.url)
        got = call(profile, "receipt", "get", world.request_id, "--proof", file)
    assert got.exit_code == ExitCode.OK, got.output
    assert "witnesses: witness.example/w1+" in got.stderr
    assert file.stat().st_mode & 0o077 == 0

    # the service is gone by now
    verified = call(profile, "receipt", "verify", "--offline", file, "--json")
    assert verified.exit_code == ExitCode.OK, verified.output
    (row,) = json.loads(verified.stdout)
    assert (row["standing"], row["index"], row["size"]) == ("PROVED", INDEX, 20)
    assert row["request_id"] == str(world.request_id)
    assert "in the log at index 7" in call(profile, "receipt", "verify", "--offline", file).stdout


def test_the_short_form_still_works(world: World, now: Callable[[Any], None]) -> None:
    """Scripts use `receipt ID`."""
    with run_fake_service(get_receipt(world, world.inclusion())) as service:
        got = call(world.profile(service.url), "receipt", world.request_id)
    assert got.exit_code == ExitCode.OK, got.output


def test_an_overdue_proof_is_reported_when_it_is_fetched(
    world: World, now: Callable[[Any], None]
) -> None:
    """Exit code 4, and the receipt is stored, because it is the evidence."""
    file = world.folder / "receipt.json"
    with run_fake_service(get_receipt(world, None)) as service:
        profile = world.profile(service.url)
        now(SOON)
        pending = call(profile, "receipt", "get", world.request_id)
        now(LATE)
        overdue = call(profile, "receipt", "get", world.request_id, "--proof", file)

    assert (pending.exit_code, "again later" in pending.stderr) == (ExitCode.OK, True)
    assert overdue.exit_code == ExitCode.RECEIPT
    assert LEDGER_TEXTS[LedgerFlaw.OVERDUE] in overdue.stderr
    assert read_bundle_unsafe(file.read_bytes()) == Bundle(world.document, None)


@pytest.mark.parametrize("language", list(Language))
def test_each_file_is_reported_and_the_worst_decides(
    world: World,
    now: Callable[[Any], None],
    monkeypatch: pytest.MonkeyPatch,
    language: Language,
) -> None:
    """A flaw comes before a pending proof; messages are in the profile's language."""
    monkeypatch.delenv("MAKUL_LANGUAGE")
    files = {
        "good.json": write_bundle(world.document, world.inclusion()),
        "pending.xml": world.document,
        "bad.json": write_bundle(world.document, replace(world.inclusion(), index=3)),
    }
    for name, content in files.items():
        (world.folder / name).write_bytes(content)
    profile = world.profile()
    profile.write_text(profile.read_text().replace('language = "ru"', f'language = "{language}"'))
    good, pending, bad = (world.folder / name for name in files)
    now(SOON)

    assert call(profile, "receipt", "verify", "--offline", good).exit_code == ExitCode.OK
    two = call(profile, "receipt", "verify", "--offline", good, pending)
    assert two.exit_code == ExitCode.LATER
    three = call(profile, "receipt", "verify", "--offline", good, bad, pending)
    assert three.exit_code == ExitCode.RECEIPT
    assert f"{bad}: {translate_to(language, LEDGER_TEXTS[LedgerFlaw.PATH])}\n" in three.stdout
    assert three.stdout.count("\n") == 3
    now(LATE)
    late = call(profile, "receipt", "verify", "--offline", pending, "--json")
    assert late.exit_code == ExitCode.RECEIPT
    assert json.loads(late.stdout)[0]["flaw"] == "OVERDUE"


def test_a_receipt_whose_signature_does_not_hold_has_no_proof(
    world: World, now: Callable[[Any], None]
) -> None:
    """The signature comes first: nothing that the operator did not sign is read."""
    file = world.folder / "receipt.json"
    spoilt = world.document.replace(b"MATCHED", b"REFUSED")
    file.write_bytes(write_bundle(spoilt, world.inclusion()))

    result = call(world.profile(), "receipt", "verify", "--offline", file, "--json")

    assert result.exit_code == ExitCode.RECEIPT
    assert json.loads(result.stdout)[0]["standing"] == "FLAWED"


def test_a_missing_proof_is_fetched_without_offline(
    world: World, now: Callable[[Any], None]
) -> None:
    """Only the receipt's own request is sent, and with the option nothing is sent."""
    file = world.folder / "receipt.xml"
    file.write_bytes(world.document)
    with run_fake_service(get_receipt(world, world.inclusion())) as service:
        profile = world.profile(service.url)
        offline = call(profile, "receipt", "verify", "--offline", file)
        asked_offline = len(service.requests)
        online = call(profile, "receipt", "verify", file)

        assert (offline.exit_code, asked_offline) == (ExitCode.RECEIPT, 0)
        assert online.exit_code == ExitCode.OK, online.output
        assert service.requests[0].text("ofRequest") == str(world.request_id)


def test_offline_accepts_no_address(world: World, now: Callable[[Any], None]) -> None:
    """A ledger at an address would be fetched."""
    file = world.folder / "receipt.json"
    file.write_bytes(write_bundle(world.document, world.inclusion()))
    profile = world.profile(log='"https://log.example/"')

    assert call(profile, "receipt", "verify", "--offline", file).exit_code == ExitCode.OK
    result = call(profile, "receipt", "verify", "--offline", "--log", "https://log.example/", file)
    assert result.exit_code == ExitCode.USAGE


def test_a_profile_without_a_ledger_verifies_no_proof(world: World, tmp_path: Path) -> None:
    """The message says what is missing."""
    file = tmp_path / "receipt.xml"
    file.write_bytes(world.document)

    result = call(
        write_profile(tmp_path, "http://127.0.0.1:9/"), "receipt", "verify", "--offline", file
    )

    assert result.exit_code == ExitCode.USAGE
    assert "[ledger]" in result.stderr


def test_status_reports_another_ledger(world: World) -> None:
    """The announced ledger is compared with the profile's, and never adopted."""
    facts = (
        "<environment>SANDBOX</environment><softwareVersion>1</softwareVersion>"
        "<contractVersion>1</contractVersion><time>2026-11-02T04:15:00Z</time>"
    )

    def announced(key: str) -> Reply:
        log = f"<origin>log.example</origin><key>{key}</key><maxMergeDelay>60</maxMergeDelay>"
        return answer("GetStatus", f"{facts}<ledger>{log}</ledger>")

    with run_fake_service(
        announced(world.log.signer.vkey), announced("other+00000000+AAAA")
    ) as service:
        profile = world.profile(service.url)
        same = run_client("status", "--profile", profile)
        other = run_client("status", "--profile", profile)

    assert (same.exit_code, other.exit_code) == (0, 0)
    assert "60 seconds" in same.stdout
    assert "another log key" not in same.stderr
    assert "another log key" in other.stderr
