"""A certificate that can never work is registered with a warning, and a good one without."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from makul_sandbox.data.pki import Hierarchy, new_hierarchy
from makul_testing.cli_runner import CommandLine, CommandResult, install

NOW = datetime.now(UTC)
BANK = "COM/60000001"

REGISTRATIONS = {
    "messages": ("recipient", "certificate", BANK),
    "sealing": ("recipient", "sealing-certificate", BANK),
    "official": ("recipient", "official", BANK, "--id", "P-1", "--name", "Head"),
    "signatory": ("signatory", "add", BANK, "--role", "RECIPIENT", "--id", "D-1", "--name", "D"),
}


WARNINGS = {
    "a CA": "a CA's certificate (SIG-10)",
    "another use": "key usage allows no",
    "another CA": "its path is not trusted",
}


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return new_hierarchy(NOW)


@pytest.fixture(scope="module")
def makul(hierarchy: Hierarchy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Return an installation that trusts this hierarchy, with a bank in it."""
    makul = install(tmp_path_factory.mktemp("certificates") / "installation")
    makul.run_json("recipient", "add", BANK, "--kind", "BANK", "--name", "Bank", "--apply")
    (makul.directory / "anchors" / "root.pem").write_bytes(hierarchy.anchors())
    (makul.directory / "intermediates" / "cas.pem").write_bytes(
        hierarchy.intermediate_certificates()
    )
    for name, crl in hierarchy.crls().items():
        (makul.directory / "crls" / name).write_bytes(crl)
    return makul


def register(makul: CommandLine, how: str, pem: bytes, directory: Path) -> CommandResult:
    file = directory / "it.pem"
    file.write_bytes(pem)
    command = REGISTRATIONS[how]
    return makul(*command[:3], file, *command[3:], "--json")


@pytest.mark.parametrize("how", REGISTRATIONS)
def test_usable_certificate_is_registered_without_a_warning(
    how: str, makul: CommandLine, hierarchy: Hierarchy, tmp_path: Path
) -> None:
    issue = {
        "messages": lambda: hierarchy.organisation(member_code=BANK, common_name="Bank"),
        "sealing": lambda: hierarchy.encryption(member_code=BANK, common_name="Bank"),
        "official": lambda: hierarchy.official(member_code=BANK, name="H", identifier="P-1"),
        "signatory": lambda: hierarchy.official(member_code=BANK, name="D", identifier="D-1"),
    }

    result = register(makul, how, issue[how]().certificate_pem, tmp_path)

    assert (result.code, result.err) == (0, "")
    assert "warning" not in result.json


@pytest.mark.parametrize("what", WARNINGS)
@pytest.mark.parametrize("how", [each for each in REGISTRATIONS if each != "sealing"])
def test_unusable_certificate_is_registered_with_a_warning(
    how: str, what: str, makul: CommandLine, hierarchy: Hierarchy, tmp_path: Path
) -> None:
    """The authority may become trusted later, so the command does not refuse."""
    issue = {
        "a CA": lambda: hierarchy.organisations.credential,
        "another use": lambda: hierarchy.encryption(member_code=BANK, common_name="Bank"),
        "another CA": lambda: new_hierarchy(NOW).official(
            member_code=BANK, name="Head", identifier="P-1"
        ),
    }

    result = register(makul, how, issue[what]().certificate_pem, tmp_path)

    assert result.code == 0
    assert result.err.startswith("makul: warning: it.pem: nothing will be accepted under this")
    assert WARNINGS[what] in result.err
    assert result.err.count("\n") == 1
    assert result.json["warning"] in result.err


def test_encryption_certificate_of_an_unknown_authority_causes_a_warning(
    makul: CommandLine, tmp_path: Path
) -> None:
    other = new_hierarchy(NOW).encryption(member_code=BANK, common_name="Bank")

    result = register(makul, "sealing", other.certificate_pem, tmp_path)

    assert "its path is not trusted" in result.err


def test_missing_anchors_are_reported(tmp_path: Path, hierarchy: Hierarchy) -> None:
    """Certificates may be registered before the authorities are installed."""
    makul = install(tmp_path / "installation")
    makul.run_json("recipient", "add", BANK, "--kind", "BANK", "--name", "Bank", "--apply")
    bank = hierarchy.organisation(member_code=BANK, common_name="Bank")

    result = register(makul, "messages", bank.certificate_pem, tmp_path)

    assert result.code == 0
    assert "its path cannot be verified" in result.err
    assert "no anchors" in result.err
