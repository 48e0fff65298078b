"""`makul recipient`: who may send requests (cl. 3), with which certificates, on hold or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from makul_sandbox.data.pki import Credential, new_hierarchy
from makul_testing.cli_runner import CommandLine

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


def test_a_recipient_is_registered_by_kind(makul: CommandLine) -> None:
    """Procedure, cl. 3: a recipient has a kind of the clause, which is printed with it."""
    output = makul.run_json(
        "recipient", "add", BANK, "--kind", "BANK", "--name", "Example Bank", "--apply"
    )

    assert output == {
        "change": "register recipient",
        "applied": True,
        "code": BANK,
        "kind": "BANK",
        "clause": "3d",
        "name": "Example Bank",
        "state": "ACTIVE",
    }
    assert [row["code"] for row in makul.run_json("recipient", "list")] == [BANK]


def test_a_dry_run_changes_nothing(makul: CommandLine) -> None:
    """The output is the same without --apply, and nothing is done."""
    output = makul.run_json("recipient", "add", BANK, "--kind", "BANK", "--name", "Example Bank")

    assert output["applied"] is False
    assert makul.run_json("recipient", "list") == []


def test_a_recipient_is_shown_with_what_it_has(
    with_bank: CommandLine, certificate: Path, signer: Credential
) -> None:
    """Agreements and certificates in use are shown, with their ends."""
    with_bank.run_json("recipient", "certificate", BANK, certificate, "--apply")
    shown = with_bank.run_json("recipient", "show", BANK)
    fingerprint = signer.certificate.fingerprint(SHA256()).hex()
    ends = signer.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")

    assert (shown["code"], shown["state"], shown["encryption_certificates"]) == (BANK, "ACTIVE", [])
    assert f"{fingerprint} {ends}" in shown["certificates"]
    with_bank.run_json("recipient", "withdraw", BANK, certificate, "--reason", "lost", "--apply")
    after = with_bank.run_json("recipient", "show", BANK)["certificates"]
    assert after == [each for each in shown["certificates"] if fingerprint not in each]
    result = with_bank("recipient", "show", "COM/60000009")
    assert (result.code, result.err.count("\n")) == (1, 1)


def test_an_unknown_kind_is_refused(makul: CommandLine) -> None:
    """Procedure, cl. 3 is a closed list."""
    result = makul("recipient", "add", BANK, "--kind", "SHOP", "--name", "x", "--apply")

    assert result.code == 2


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_a_code_is_registered_once(with_bank: CommandLine, apply: list[str]) -> None:
    """The preview reports it as well."""
    result = with_bank("recipient", "add", BANK, "--kind", "BANK", "--name", "x", *apply)

    assert result.code == 1
    assert result.err == f"makul: {BANK} is already registered; see: makul recipient list\n"


@pytest.mark.parametrize("name", ["", " ", "a" * 301, "a\x1b[31m", "a<b", "a>b"])
def test_a_name_must_be_printable(makul: CommandLine, name: str) -> None:
    """It appears in lists and documents, so it must not contain control characters."""
    result = makul("recipient", "add", BANK, "--kind", "BANK", "--name", name, "--apply")

    assert result.code == 1
    assert "\x1b" not in result.err


def test_a_certificate_is_registered(
    with_bank: CommandLine, certificate: Path, signer: Credential
) -> None:
    """The output is its SHA-256, by which the channel will find it."""
    output = with_bank.run_json("recipient", "certificate", BANK, certificate, "--apply")

    assert output["certificate"] == signer.fingerprint.hex()
    assert output["algorithm"] == "P-256"


def test_a_certificate_is_registered_once(with_bank: CommandLine, certificate: Path) -> None:
    """The register itself refuses, and nothing is changed."""
    with_bank.run_json("recipient", "certificate", BANK, certificate, "--apply")
    result = with_bank("recipient", "certificate", BANK, certificate, "--apply")

    assert result.code == 1
    assert result.err.startswith("makul: ")
    assert result.err.count("\n") == 1


def test_a_private_key_is_refused(
    with_bank: CommandLine, signer: Credential, tmp_path: Path
) -> None:
    """An operator must not hold a recipient's private key."""
    file = tmp_path / "both.pem"
    file.write_bytes(signer.key_pem + signer.certificate_pem)
    result = with_bank("recipient", "certificate", BANK, file, "--apply")

    assert result.code == 1
    assert "private key" in result.err


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_a_malformed_certificate_is_refused(
    with_bank: CommandLine, tmp_path: Path, content: bytes
) -> None:
    """The message is one line."""
    file = tmp_path / "x.pem"
    file.write_bytes(content)
    result = with_bank("recipient", "certificate", BANK, file)

    assert result.code == 1
    assert "x.pem" in result.err


def test_an_official_is_registered(with_bank: CommandLine, certificate: Path) -> None:
    """Procedure, cl. 5: the official may sign basis statements."""
    output = with_bank.run_json(
        "recipient", "official", BANK, certificate, "--id", "B-1", "--name", "Head", "--apply"
    )

    assert (output["recipient"], output["id"]) == (BANK, "B-1")


def test_a_certificate_without_a_recipient_is_refused(
    makul: CommandLine, certificate: Path
) -> None:
    """The recipient must be registered first."""
    result = makul("recipient", "certificate", BANK, certificate, "--apply")

    assert result.code == 1
    assert f"makul recipient add {BANK}" in result.err


def test_a_recipient_is_held_and_released(with_bank: CommandLine) -> None:
    """A recipient on hold gets nothing until it is released; the reason is required and
    recorded.
    """
    held = with_bank.run_json("recipient", "hold", BANK, "--reason", "key lost", "--apply")
    assert (held["was"], held["state"]) == ("ACTIVE", "ON_HOLD")
    assert with_bank.run_json("recipient", "list")[0]["state"] == "ON_HOLD"

    with_bank.run_json("recipient", "release", BANK, "--reason", "new key", "--apply")
    assert with_bank.run_json("recipient", "list")[0]["state"] == "ACTIVE"


def test_a_recipient_is_renamed_and_removed(with_bank: CommandLine) -> None:
    """Nothing is deleted: the entry stays with its state, and can be released again."""
    renamed = with_bank.run_json(
        *("recipient", "rename", BANK, "--name", " New Bank ", "--reason", "order 12", "--apply")
    )
    assert (renamed["was"], renamed["name"]) == ("Bank", "New Bank")
    again = with_bank("recipient", "rename", BANK, "--name", "New Bank", "--reason", "x", "--apply")
    assert (again.code, "this name already" in again.err) == (1, True)

    removed = with_bank.run_json("recipient", "remove", BANK, "--reason", "wound up", "--apply")
    assert (removed["was"], removed["state"]) == ("ACTIVE", "REMOVED")
    (shown,) = with_bank.run_json("recipient", "list")
    assert (shown["name"], shown["state"]) == ("New Bank", "REMOVED")
    with_bank.run_json("recipient", "release", BANK, "--reason", "by mistake", "--apply")
    assert with_bank.run_json("recipient", "list")[0]["state"] == "ACTIVE"


def test_a_hold_needs_apply(with_bank: CommandLine) -> None:
    """Every change begins with a preview."""
    with_bank.run_json("recipient", "hold", BANK, "--reason", "key lost")

    assert with_bank.run_json("recipient", "list")[0]["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hold", BANK, "--reason", " "], "--reason is empty"),
        (["release", BANK, "--reason", "x"], "is ACTIVE already"),
        (["hold", "COM/1", "--reason", "x"], "COM/1 is not registered"),
        (["hold", "bank", "--reason", "x"], "a member code is CLASS/CODE"),
    ],
)
def test_an_impossible_change_of_state_is_refused(
    with_bank: CommandLine, arguments: list[str], message: str
) -> None:
    """The message is one line, with what to do."""
    result = with_bank("recipient", *arguments, "--apply")

    assert result.code == 1
    assert message in result.err


def test_a_withdrawn_certificate_is_not_registered_again(
    with_bank: CommandLine, certificate: Path
) -> None:
    """A lost key is withdrawn at once, and never registered again."""
    with_bank.run_json("recipient", "certificate", BANK, certificate, "--apply")

    with_bank.run_json(
        "recipient", "withdraw", BANK, certificate, "--reason", "key lost", "--apply"
    )

    again = with_bank("recipient", "certificate", BANK, certificate, "--apply")
    assert again.code == 1
    twice = with_bank("recipient", "withdraw", BANK, certificate, "--reason", "lost", "--apply")
    assert twice.code == 1


def test_an_encryption_certificate_is_registered_and_withdrawn(
    with_bank: CommandLine, tmp_path: Path
) -> None:
    """It is RSA for keyEncipherment, and cannot be registered again after withdrawal."""
    sealing = new_hierarchy(datetime.now(UTC)).encryption(member_code=BANK, common_name="Bank")
    file = tmp_path / "sealing.pem"
    file.write_bytes(sealing.certificate_pem)
    with_bank.run_json("recipient", "sealing-certificate", BANK, file)

    output = with_bank.run_json("recipient", "sealing-certificate", BANK, file, "--apply")

    assert output["certificate"] == sealing.fingerprint.hex()
    with_bank.run_json("recipient", "withdraw-sealing", BANK, file, "--reason", "lost", "--apply")
    assert with_bank("recipient", "sealing-certificate", BANK, file, "--apply").code == 1


def test_a_signing_certificate_is_refused_for_encryption(
    with_bank: CommandLine, certificate: Path
) -> None:
    """The message names its key usage, or its kind of key."""
    result = with_bank("recipient", "sealing-certificate", BANK, certificate, "--apply")

    assert result.code == 1
    assert "encrypt" in result.err or "keyEncipherment" in result.err
