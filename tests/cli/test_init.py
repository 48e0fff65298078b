"""`makul init` makes a whole and private installation, and never replaces one."""

import stat
from pathlib import Path

from cryptography import x509

from makul.config.settings import Environment, load_settings
from makul_testing.cli_runner import OPERATOR, CommandLine


def init(directory: Path, *more: str) -> list[str | Path]:
    return ["init", directory, "--operator", OPERATOR, "--name", "Example", *more]


def test_init_makes_nothing_without_apply(tmp_path: Path) -> None:
    """A command only prints what it would do until it gets --apply."""
    installation = tmp_path / "installation"
    result = CommandLine(installation)(*init(installation))

    assert result.code == 0
    assert "Would do: make installation" in result.out
    assert "--apply" in result.err
    assert not installation.exists()


def test_an_installation_is_whole(makul: CommandLine) -> None:
    """It has settings that can be loaded, an empty register, and keys for receipts and store."""
    settings = load_settings(makul.directory / "makul.toml")

    assert settings.environment is Environment.PRODUCTION
    assert settings.operator_code == OPERATOR
    assert makul.run_json("recipient", "list") == []
    assert [key["name"] for key in makul.run_json("key", "show")] == [
        "receipt signing",
        "store data keys",
    ]


def test_secrets_are_private(makul: CommandLine) -> None:
    """Private keys, store keys and database cannot be read by others."""
    for name in ("keys/receipts.key.pem", "keys/store.json", "makul.db"):
        mode = (makul.directory / name).stat().st_mode
        assert not mode & (stat.S_IRWXG | stat.S_IRWXO), name


def test_the_receipt_key_can_be_certified(makul: CommandLine) -> None:
    """The request is for the key that signs; a certification centre gets it."""
    keys = makul.directory / "keys"
    request = x509.load_pem_x509_csr((keys / "receipts.csr.pem").read_bytes())
    certificate = x509.load_pem_x509_certificate((keys / "receipts.cert.pem").read_bytes())

    assert request.is_signature_valid
    assert request.public_key() == certificate.public_key()


def test_nothing_is_overwritten(makul: CommandLine) -> None:
    """An installation holds the only keys to its records."""
    before = (makul.directory / "keys" / "store.json").read_bytes()
    result = makul(*init(makul.directory, "--apply"))

    assert result.code == 1
    assert "is not empty" in result.err
    assert (makul.directory / "keys" / "store.json").read_bytes() == before


def test_a_malformed_member_code_is_refused(tmp_path: Path) -> None:
    """Every consent contains the code."""
    result = CommandLine(tmp_path)(
        "init", tmp_path / "x", "--operator", "me", "--name", "x", "--apply"
    )

    assert result.code == 1
    assert result.err == "makul: a member code is CLASS/CODE: COM/60000001\n"
