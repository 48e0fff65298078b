"""`makul agreement` and `makul notice`: terms, and texts for subjects (Procedure, cl. 4 and 7)."""

import hashlib
from pathlib import Path

import pytest

from makul.cli.files.agreement import EXAMPLE
from makul_testing.cli_runner import CommandLine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bank.toml"
    path.write_text(EXAMPLE)
    return path


def test_the_printed_example_can_be_read(makul: CommandLine) -> None:
    """An operator begins with the example."""
    assert makul("agreement", "example").out == EXAMPLE


def test_an_agreement_is_added_and_shown(with_bank: CommandLine, file: Path) -> None:
    """The output has the content of the file."""
    added = with_bank.run_json("agreement", "add", file, "--apply")
    output = with_bank.run_json("agreement", "show", "2026/014")

    signatures = {"signed": [], "still_missing": ["AUTHORISED_BODY", "OPERATOR", "RECIPIENT"]}
    assert {**added, **signatures} == {"change": "draw up agreement", "applied": True, **output}
    assert output["state"] == "DRAFT"
    assert output["purposes"] == ["ACCOUNT_OPENING", "LOAN"]
    assert output["valid_from"] == "2025-12-31T18:00:00Z"
    assert [row["number"] for row in with_bank.run_json("agreement", "list")] == ["2026/014"]
    assert with_bank.run_json("agreement", "list", "--recipient", "COM/1") == []


def test_a_dry_run_adds_nothing(with_bank: CommandLine, file: Path) -> None:
    """Every change begins with a preview."""
    with_bank.run_json("agreement", "add", file)

    assert with_bank.run_json("agreement", "list") == []


def test_an_agreement_is_replaced_by_number(with_bank: CommandLine, file: Path) -> None:
    """New terms are reported as a new draft: another document to sign."""
    with_bank.run_json("agreement", "add", file, "--apply")
    first = with_bank("agreement", "export", "2026/014").out
    file.write_text(EXAMPLE.replace("daily_quota = 1000", "daily_quota = 5"))
    output = with_bank.run_json("agreement", "add", file, "--apply")

    assert output["change"] == "draw up agreement again"
    assert with_bank.run_json("agreement", "show", "2026/014")["daily_quota"] == 5
    assert with_bank("agreement", "export", "2026/014").out != first


def test_a_terminated_agreement_stays_terminated(with_bank: CommandLine, file: Path) -> None:
    """Procedure, cl. 12: a terminated agreement is followed by a new one, not revived."""
    with_bank.run_json("agreement", "add", file, "--apply")
    end: list[str] = ["agreement", "terminate", "2026/014", "--reason", "letter 118"]
    with_bank.run_json(*end)
    assert with_bank.run_json("agreement", "show", "2026/014")["state"] == "DRAFT"
    assert with_bank.run_json(*end, "--apply")["was"] == "DRAFT"

    result = with_bank("agreement", "add", file, "--apply")
    assert (result.code, "was terminated" in result.err) == (1, True)
    assert with_bank(*end, "--apply").code == 1
    assert with_bank("agreement", "terminate", "2026/014", "--reason", " ", "--apply").code == 1


def test_a_number_stays_with_its_recipient(with_bank: CommandLine, file: Path) -> None:
    """A recipient's number must not replace another recipient's terms."""
    with_bank.run_json("agreement", "add", file, "--apply")
    with_bank.run_json("recipient", "add", "COM/2", "--kind", "BANK", "--name", "B", "--apply")
    file.write_text(EXAMPLE.replace("COM/60000001", "COM/2"))
    result = with_bank("agreement", "add", file, "--apply")

    assert result.code == 1
    assert "another recipient's" in result.err


def test_an_agreement_without_a_recipient_is_refused(makul: CommandLine, file: Path) -> None:
    """The recipient must be registered first."""
    result = makul("agreement", "add", file, "--apply")

    assert result.code == 1
    assert "is not registered" in result.err


def test_a_bank_may_never_invoke_justice(with_bank: CommandLine, file: Path) -> None:
    """Procedure, cl. 5.1 is not open to banks, for any agreement."""
    file.write_text(EXAMPLE.replace("provisions = []", 'provisions = ["JUDICIAL"]'))
    result = with_bank("agreement", "add", file, "--apply")

    assert result.code == 1
    assert "JUDICIAL is never open to BANK" in result.err


def test_an_unknown_agreement_is_reported(makul: CommandLine) -> None:
    """The message says where to look."""
    result = makul("agreement", "show", "1")

    assert result.code == 1
    assert "makul agreement list" in result.err


def texts(directory: Path, **contents: bytes) -> list[str | Path]:
    """Return the options that name a notice's three texts."""
    options: list[str | Path] = []
    for language in ("ky", "ru", "en"):
        path = directory / f"notice.{language}.txt"
        path.write_bytes(contents.get(language, f"Кабарлама {language}\r\n".encode()))
        options += [f"--{language}", path]
    return options


def test_a_notice_counts_by_its_bytes(makul: CommandLine, tmp_path: Path) -> None:
    """Procedure, cl. 4: a consent cites the SHA-256 of exactly the text that was shown."""
    options = texts(tmp_path)
    output = makul.run_json("notice", "add", "N/1", *options, "--apply")

    for language in ("ky", "ru", "en"):
        text = (tmp_path / f"notice.{language}.txt").read_bytes()
        assert output[language] == hashlib.sha256(text).hexdigest()
        assert makul.run_json("notice", "show", "N/1")[f"text_{language}"] == text.decode()
    assert [row["approved_at"] for row in makul.run_json("notice", "list")] == [None]
    again = makul("notice", "add", "N/1", *options, "--apply")
    assert again.code == 1
    assert "already registered" in again.err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * (256 * 1024 + 1)])
def test_a_notice_is_text(makul: CommandLine, tmp_path: Path, content: bytes) -> None:
    """Each of the three texts is UTF-8, and no longer than a person reads."""
    for language in ("ky", "ru", "en"):
        options = texts(tmp_path, **{language: content})
        assert makul("notice", "add", "N/1", *options, "--apply").code == 1


def test_a_notice_has_three_languages(makul: CommandLine, tmp_path: Path) -> None:
    """The command needs all three."""
    assert makul("notice", "add", "N/1", *texts(tmp_path)[:4], "--apply").code == 2


def test_unknown_notices_are_reported(makul: CommandLine) -> None:
    """The message says where to look, and nothing changes."""
    for command in (
        ["notice", "show", "N/1"],
        ["notice", "approval", "N/1"],
        ["agreement", "export", "1"],
        ["agreement", "terminate", "1", "--reason", "x"],
    ):
        assert makul(*command).code == 1
