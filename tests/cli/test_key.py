"""`makul key`: keys in use with their terms, and an encrypted receipt key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from makul.composition.adapters import build_adapters
from makul.config.settings import load_settings
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.cli_runner import CommandLine
from makul_testing.in_process_service import InProcessService, build_installation


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation, and the command line for it."""

    installation: InProcessService
    directory: Path
    makul: CommandLine

    def receipts(self, more: str) -> None:
        """Write more into `[receipts]`."""
        config = self.directory / "makul.toml"
        config.write_text(config.read_text().replace("[trust]", more + "\n[trust]", 1))


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    installation = build_installation(tmp_path)
    yield Installed(installation, tmp_path, CommandLine(tmp_path))
    installation.close()


def test_all_keys_and_certificates_are_listed(installed: Installed) -> None:
    """Recipients' certificates are listed by the member's code; no key's content is printed."""
    world = installed.installation.world
    rows = installed.makul.run_json("key", "show")
    by_name = {row["name"]: row for row in rows}

    assert by_name["receipt signing"]["fingerprint"] == world.operator.fingerprint.hex()
    assert "trust anchor" in by_name
    assert "intermediate" in by_name
    assert f"messages of {installed.installation.bank.code}" in by_name
    sealing = {
        row["fingerprint"] for row in rows if row["name"].startswith("encryption certificate of ")
    }
    assert sealing == {each.fingerprint.hex() for each in world.encryption.values()}


def test_a_withdrawn_certificate_is_not_in_use(installed: Installed) -> None:
    """It is used neither for messages nor for encryption."""
    wallet = installed.installation.world.encryption["wallet"]
    code = next(
        row["name"].removeprefix("encryption certificate of ")
        for row in installed.makul.run_json("key", "show")
        if row["fingerprint"] == wallet.fingerprint.hex()
    )
    pem = installed.directory / "wallet.pem"
    pem.write_bytes(wallet.certificate_pem)
    installed.makul.run_json("recipient", "withdraw-sealing", code, pem, "--reason", "x", "--apply")

    left = {row["fingerprint"] for row in installed.makul.run_json("key", "show")}

    assert wallet.fingerprint.hex() not in left


def test_exit_code_shows_that_one_ends_soon(installed: Installed) -> None:
    """The code is 0 while nothing ends within the days, else 1 with names, for a daily job."""
    plain = installed.makul("key", "show")
    near = installed.makul("key", "show", "--within", "1")
    far = installed.makul("key", "show", "--within", "36500")

    assert (plain.code, near.code, far.code) == (0, 0, 1)
    assert "ends within 36500 days: " in far.err
    assert "receipt signing" in far.err


def test_earlier_and_next_receipt_certificates_are_listed(installed: Installed) -> None:
    """Each has its state, and a marked one is listed as compromised."""
    authority = installed.installation.world.hierarchy
    retired = installed.directory / "retired"
    retired.mkdir()
    for name in ("old", "stolen", "next"):
        certificate = authority.official(member_code=OPERATOR, name=name, identifier=name)
        place = installed.directory if name == "next" else retired
        (place / f"{name}.pem").write_bytes(certificate.certificate_pem)
        if name == "stolen":
            stolen = certificate.fingerprint.hex()
    installed.receipts('next = "next.pem"\nretired = "retired"')
    since = (installed.installation.clock() - timedelta(hours=1)).isoformat()
    installed.makul.run_json("key", "compromised", stolen, "--since", since, "--apply")

    rows = installed.makul.run_json("key", "show")
    states = [row["state"] for row in rows if row["name"] == "receipt signing"]

    assert states == ["IN_USE", "NEXT", "RETIRED", "COMPROMISED"]


@pytest.mark.parametrize(
    ("password", "mode", "complaint"),
    [
        ("open sesame", 0o600, None),
        ("wrong", 0o600, "password"),
        ("open sesame", 0o644, "chmod 600"),
    ],
)
def test_an_encrypted_receipt_key_needs_its_password(
    installed: Installed, password: str, mode: int, complaint: str | None
) -> None:
    """The password is in a private file; any problem is reported before serving."""
    pem = installed.installation.world.operator.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    )
    (installed.directory / "receipts.key.pem").write_bytes(pem)
    secret = installed.directory / "receipts.password"
    secret.write_text(password + "\n")
    secret.chmod(mode)
    installed.receipts('password_file = "receipts.password"')

    if complaint is None:
        settings = load_settings(installed.directory / "makul.toml")
        assert build_adapters(settings, installed.installation.store).signer.ready()
        return
    result = installed.makul("serve", "--listener", "wsse")
    assert result.code == 3
    assert complaint in result.err
    assert "sesame" not in result.err
