"""`makul recipient`: who may ask (Procedure, cl. 3), with which certificates, on hold or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from makul_sandbox.data.pki import Credential, new_hierarchy
from makul_testing.cli_runner import Makul

NOW = datetime.now(UTC)
BANK = "COM/60000001"


@pytest.fixture(scope="module")
def signer() -> Credential:
    return new_hierarchy(NOW).organisation(member_code=BANK, common_name="Bank")


@pytest.fixture
def certificate(signer: Credential, tmp_path: Path) -> Path:
    path = tmp_path / "bank.pem"
    path.write_bytes(signer.certificate_pem)
    return path


def test_a_recipient_is_registered_by_kind(makul: Makul) -> None:
    """Procedure, cl. 3: a recipient is of a kind that the clause names, and is told with it."""
    shown = makul.done(
        "recipient", "add", BANK, "--kind", "BANK", "--name", "Example Bank", "--apply"
    )

    assert shown == {
        "change": "register recipient",
        "applied": True,
        "code": BANK,
        "kind": "BANK",
        "clause": "3d",
        "name": "Example Bank",
        "state": "ACTIVE",
    }
    assert [row["code"] for row in makul.done("recipient", "list")] == [BANK]


def test_a_dry_run_changes_nothing(makul: Makul) -> None:
    """Without --apply the same is said and nothing done."""
    shown = makul.done("recipient", "add", BANK, "--kind", "BANK", "--name", "Example Bank")

    assert shown["applied"] is False
    assert makul.done("recipient", "list") == []


def test_a_kind_that_the_procedure_does_not_name_is_no_kind(makul: Makul) -> None:
    """Procedure, cl. 3 is a closed list."""
    said = makul("recipient", "add", BANK, "--kind", "SHOP", "--name", "x", "--apply")

    assert said.code == 2


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_a_code_is_registered_once(with_bank: Makul, apply: list[str]) -> None:
    """Said by the dry run as well."""
    said = with_bank("recipient", "add", BANK, "--kind", "BANK", "--name", "x", *apply)

    assert said.code == 1
    assert said.err == f"makul: {BANK} is already registered; see: makul recipient list\n"


@pytest.mark.parametrize("name", ["", " ", "a" * 301, "a\x1b[31m"])
def test_a_name_is_fit_to_be_shown(makul: Makul, name: str) -> None:
    """It stands in lists and documents; nothing in it may command a terminal."""
    said = makul("recipient", "add", BANK, "--kind", "BANK", "--name", name, "--apply")

    assert said.code == 1
    assert "\x1b" not in said.err


def test_a_certificate_is_registered(
    with_bank: Makul, certificate: Path, signer: Credential
) -> None:
    """What is registered is told by SHA-256, as the channel will find it."""
    shown = with_bank.done("recipient", "certificate", BANK, certificate, "--apply")

    assert shown["certificate"] == signer.fingerprint.hex()
    assert shown["algorithm"] == "P-256"


def test_a_certificate_is_registered_once(with_bank: Makul, certificate: Path) -> None:
    """The register itself refuses; nothing is changed."""
    with_bank.done("recipient", "certificate", BANK, certificate, "--apply")
    said = with_bank("recipient", "certificate", BANK, certificate, "--apply")

    assert said.code == 1
    assert said.err.startswith("makul: ")
    assert said.err.count("\n") == 1


def test_a_private_key_is_sent_back(with_bank: Makul, signer: Credential, tmp_path: Path) -> None:
    """A recipient's private key is nothing that an operator may hold."""
    file = tmp_path / "both.pem"
    file.write_bytes(signer.key_pem + signer.certificate_pem)
    said = with_bank("recipient", "certificate", BANK, file, "--apply")

    assert said.code == 1
    assert "private key" in said.err


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_what_is_no_certificate_is_refused(
    with_bank: Makul, tmp_path: Path, content: bytes
) -> None:
    """In one line."""
    file = tmp_path / "x.pem"
    file.write_bytes(content)
    said = with_bank("recipient", "certificate", BANK, file)

    assert said.code == 1
    assert "x.pem" in said.err


def test_an_official_is_registered(with_bank: Makul, certificate: Path) -> None:
    """Procedure, cl. 5: whose signature a basis statement may bear."""
    shown = with_bank.done(
        "recipient", "official", BANK, certificate, "--id", "B-1", "--name", "Head", "--apply"
    )

    assert (shown["recipient"], shown["id"]) == (BANK, "B-1")


def test_a_certificate_for_nobody_is_refused(makul: Makul, certificate: Path) -> None:
    """The recipient comes first."""
    said = makul("recipient", "certificate", BANK, certificate, "--apply")

    assert said.code == 1
    assert f"makul recipient add {BANK}" in said.err


def test_hold_and_release(with_bank: Makul) -> None:
    """A recipient on hold gets nothing until released; why is asked for and recorded."""
    held = with_bank.done("recipient", "hold", BANK, "--reason", "key lost", "--apply")
    assert (held["was"], held["state"]) == ("ACTIVE", "ON_HOLD")
    assert with_bank.done("recipient", "list")[0]["state"] == "ON_HOLD"

    with_bank.done("recipient", "release", BANK, "--reason", "new key", "--apply")
    assert with_bank.done("recipient", "list")[0]["state"] == "ACTIVE"


def test_a_hold_is_a_dry_run_first(with_bank: Makul) -> None:
    """As every change."""
    with_bank.done("recipient", "hold", BANK, "--reason", "key lost")

    assert with_bank.done("recipient", "list")[0]["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hold", BANK, "--reason", " "], "--reason is empty"),
        (["release", BANK, "--reason", "x"], "is ACTIVE already"),
        (["hold", "COM/1", "--reason", "x"], "COM/1 is not registered"),
        (["hold", "bank", "--reason", "x"], "a member code is CLASS/CODE"),
    ],
)
def test_a_change_of_state_that_makes_no_sense_is_refused(
    with_bank: Makul, arguments: list[str], message: str
) -> None:
    """One line, with what to do."""
    said = with_bank("recipient", *arguments, "--apply")

    assert said.code == 1
    assert message in said.err


def test_a_withdrawn_certificate_cannot_come_back(with_bank: Makul, certificate: Path) -> None:
    """A lost key stays lost: withdrawn at once, and never registered again."""
    with_bank.done("recipient", "certificate", BANK, certificate, "--apply")

    with_bank.done("recipient", "withdraw", BANK, certificate, "--reason", "key lost", "--apply")

    again = with_bank("recipient", "certificate", BANK, certificate, "--apply")
    assert again.code == 1
    twice = with_bank("recipient", "withdraw", BANK, certificate, "--reason", "lost", "--apply")
    assert twice.code == 1


def test_a_sealing_certificate_is_registered_and_withdrawn(
    with_bank: Makul, tmp_path: Path
) -> None:
    """RSA for keyEncipherment; withdrawn, it does not come back."""
    sealing = new_hierarchy(datetime.now(UTC)).sealing(member_code=BANK, common_name="Bank")
    file = tmp_path / "sealing.pem"
    file.write_bytes(sealing.certificate_pem)
    with_bank.done("recipient", "sealing-certificate", BANK, file)

    shown = with_bank.done("recipient", "sealing-certificate", BANK, file, "--apply")

    assert shown["certificate"] == sealing.fingerprint.hex()
    with_bank.done("recipient", "withdraw-sealing", BANK, file, "--reason", "lost", "--apply")
    assert with_bank("recipient", "sealing-certificate", BANK, file, "--apply").code == 1


def test_a_signing_certificate_is_none_for_sealing(with_bank: Makul, certificate: Path) -> None:
    """Its key usage, or its kind of key, is named."""
    said = with_bank("recipient", "sealing-certificate", BANK, certificate, "--apply")

    assert said.code == 1
    assert "encrypt" in said.err or "keyEncipherment" in said.err
