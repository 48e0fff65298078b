"""Terms in a file become an agreement in force by commands only (Procedure, cl. 4 and 7)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from makul.cli.files.agreement import EXAMPLE
from makul.cli.init import write_secret
from makul_sandbox.data.pki import Credential, Hierarchy, new_hierarchy
from makul_testing.cli_runner import AUTHORISED_BODY, OPERATOR, CommandLine, CommandResult

BANK = "COM/60000001"
PARTIES = {
    AUTHORISED_BODY: "AUTHORISED_BODY",
    OPERATOR: "OPERATOR",
    BANK: "RECIPIENT",
}


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    """Return a national root that is made on this day."""
    return new_hierarchy(datetime.now(UTC))


@pytest.fixture
def installation(with_bank: CommandLine, hierarchy: Hierarchy) -> CommandLine:
    """Return an installation that trusts the root, a bank's draft, and three signatories."""
    directory = with_bank.directory
    (directory / "anchors" / "root.pem").write_bytes(hierarchy.anchors())
    (directory / "intermediates" / "cas.pem").write_bytes(hierarchy.intermediate_certificates())
    for name, crl in hierarchy.crls().items():
        (directory / "crls" / name).write_bytes(crl)
    (directory / "bank.toml").write_text(
        EXAMPLE.replace("2027-01-01", f"{datetime.now(UTC) + timedelta(days=99):%Y-%m-%d}")
    )
    with_bank.run_json("agreement", "add", directory / "bank.toml", "--apply")
    for member, role in PARTIES.items():
        hand = hierarchy.official(member_code=member, name=role, identifier=role.replace("_", "-"))
        keep(directory, role, hand)
        with_bank.run_json(*add_signatory(directory, member, role), "--apply")
    return with_bank


def keep(directory: Path, name: str, hand: Credential) -> None:
    (directory / f"{name}.pem").write_bytes(hand.certificate_pem)
    write_secret(directory / f"{name}.key.pem", hand.key_pem)


def add_signatory(directory: Path, member: str, role: str) -> list[str | Path]:
    certificate = directory / f"{role}.pem"
    return [
        *("signatory", "add", member, certificate),
        *("--role", role, "--id", f"ID-{role}", "--name", "A. Example"),
    ]


def signed(makul: CommandLine, noun: str, document: str, role: str) -> Path:
    """Return the output of `sign` as a file."""
    directory = makul.directory
    unsigned = directory / "unsigned.xml"
    unsigned.write_text(document)
    key, certificate = directory / f"{role}.key.pem", directory / f"{role}.pem"
    result = makul(noun, "sign", unsigned, "--key", key, "--certificate", certificate)
    assert result.code == 0, result.err
    path = directory / f"{role}.signed.xml"
    path.write_text(result.out)
    return path


def exported(makul: CommandLine) -> str:
    result = makul("agreement", "export", "2026/014")
    assert result.code == 0, result.err
    return result.out


def read_state(makul: CommandLine) -> tuple[str, list[str]]:
    facts = makul.run_json("agreement", "show", "2026/014")
    return facts["state"], facts["still_missing"]


def test_three_submissions_bring_an_agreement_into_force(installation: CommandLine) -> None:
    """Each submission names the missing parties; the preview changes nothing."""
    document, missing = exported(installation), list(PARTIES.values())
    for role in PARTIES.values():
        path = signed(installation, "agreement", document, role)
        installation.run_json("agreement", "submit", path)
        assert read_state(installation) == ("DRAFT", missing)
        change = installation.run_json("agreement", "submit", path, "--apply")
        missing = [other for other in missing if other != role]
        assert (change["still_missing"], change["in_force_with_it"]) == (missing, not missing)

    assert read_state(installation) == ("IN_FORCE", [])
    signatures = installation.run_json("agreement", "show", "2026/014")["signed"]
    assert [line.split()[:2] for line in signatures] == [
        [role, member] for member, role in PARTIES.items()
    ]


def test_new_terms_for_an_agreement_in_force_are_explained(installation: CommandLine) -> None:
    """No data are given under it until all have signed again."""
    document = exported(installation)
    for role in PARTIES.values():
        path = signed(installation, "agreement", document, role)
        installation.run_json("agreement", "submit", path, "--apply")
    change = installation.run_json(
        "agreement", "add", installation.directory / "bank.toml", "--apply"
    )

    assert "gives nothing until all three sign again" in change["change"]
    assert read_state(installation) == ("DRAFT", list(PARTIES.values()))
    assert installation("agreement", "submit", path, "--apply").code == 1


def complaint(result: CommandResult) -> str:
    assert result.code == 1
    assert result.err.count("\n") == 1
    return result.err


def test_a_refused_document_has_its_reason(installation: CommandLine) -> None:
    """The message is one line with the signature's own code."""
    document = exported(installation)
    path = signed(installation, "agreement", document, "RECIPIENT")
    unsigned = installation.directory / "unsigned.xml"
    path.write_text(path.read_text().replace("LOAN", "LOANS"))

    assert "SIG-01" in complaint(installation("agreement", "submit", unsigned, "--apply"))
    assert "SIG-02" in complaint(installation("agreement", "submit", path, "--apply"))
    unsigned.write_bytes(b"")
    assert "empty" in complaint(installation("agreement", "submit", unsigned, "--apply"))


def test_a_signed_document_is_not_signed_again(installation: CommandLine) -> None:
    """Each file has one signature."""
    path = signed(installation, "agreement", exported(installation), "RECIPIENT")
    key, certificate = (
        installation.directory / "OPERATOR.key.pem",
        installation.directory / "OPERATOR.pem",
    )
    result = installation("agreement", "sign", path, "--key", key, "--certificate", certificate)

    assert "cannot be signed" in complaint(result)


def test_signatories_are_listed_and_withdrawn(installation: CommandLine) -> None:
    """A withdrawn certificate signs nothing and is not registered again."""
    certificate = installation.directory / "RECIPIENT.pem"
    path = signed(installation, "agreement", exported(installation), "RECIPIENT")
    withdraw: list[str | Path] = ["signatory", "withdraw", BANK, certificate, "--reason", "left"]
    installation.run_json(*withdraw)
    assert [row["withdrawn_at"] for row in installation.run_json("signatory", "list")] == [None] * 3
    installation.run_json(*withdraw, "--apply")

    gone = [
        row["role"] for row in installation.run_json("signatory", "list") if row["withdrawn_at"]
    ]
    assert gone == ["RECIPIENT"]
    assert "SIG-08" in complaint(installation("agreement", "submit", path, "--apply"))
    assert installation(*withdraw, "--apply").code == 1
    assert (
        installation(*add_signatory(installation.directory, BANK, "RECIPIENT"), "--apply").code == 1
    )


@pytest.mark.parametrize(
    ("member", "role", "why"),
    [
        (BANK, "OPERATOR", "the operator is"),
        (BANK, "AUTHORISED_BODY", "the authorised body is"),
        ("COM/9", "RECIPIENT", "is not registered"),
    ],
)
def test_a_signatory_belongs_to_the_party(
    installation: CommandLine, hierarchy: Hierarchy, member: str, role: str, why: str
) -> None:
    """The settings and the register decide."""
    keep(
        installation.directory,
        "NEW",
        hierarchy.official(member_code=member, name="N", identifier="N"),
    )
    result = installation(
        *("signatory", "add", member, installation.directory / "NEW.pem"),
        *("--role", role, "--id", "NEW", "--name", "N. New", "--apply"),
    )

    assert why in complaint(result)


def test_one_person_signs_for_one_party(installation: CommandLine) -> None:
    """The bank's director cannot sign for the operator too."""
    result = installation(
        *("signatory", "add", OPERATOR, installation.directory / "RECIPIENT.pem"),
        *("--role", "OPERATOR", "--id", "ANOTHER", "--name", "A", "--apply"),
    )

    assert "already" in complaint(result)


def test_a_notice_is_approved_by_commands(installation: CommandLine) -> None:
    """Three texts have one approval, which only the authorised body signs."""
    directory = installation.directory
    options: list[str | Path] = []
    for language in ("ky", "ru", "en"):
        (directory / language).write_text(f"Кабарлама {language}")
        options += [f"--{language}", directory / language]
    installation.run_json("notice", "add", "N/1", *options, "--apply")
    document = installation("notice", "approval", "N/1").out

    by_bank = signed(installation, "notice", document, "RECIPIENT")
    assert "SIG-08" in complaint(installation("notice", "approve", by_bank, "--apply"))
    path = signed(installation, "notice", document, "AUTHORISED_BODY")
    installation.run_json("notice", "approve", path)
    assert installation.run_json("notice", "show", "N/1")["approved_at"] is None
    installation.run_json("notice", "approve", path, "--apply")
    assert installation.run_json("notice", "show", "N/1")["approved_at"] is not None
    assert "already" in complaint(installation("notice", "approve", path, "--apply"))


def test_nothing_is_drawn_up_without_an_authorised_body(tmp_path: Path) -> None:
    """Procedure, cl. 7: the settings must name it first."""
    makul = CommandLine(tmp_path / "installation")
    makul.run_json("init", makul.directory, "--operator", OPERATOR, "--name", "Example", "--apply")
    makul.run_json("recipient", "add", BANK, "--kind", "BANK", "--name", "Bank", "--apply")
    (tmp_path / "bank.toml").write_text(EXAMPLE)

    for command in (
        ["agreement", "add", tmp_path / "bank.toml"],
        [*add_signatory(tmp_path, AUTHORISED_BODY, "AUTHORISED_BODY")],
    ):
        (tmp_path / "AUTHORISED_BODY.pem").touch()
        assert "[authorised_body]" in complaint(makul(*command))
