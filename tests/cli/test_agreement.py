"""`makul agreement` and `makul notice`: on what terms, and what subjects are told (cl. 4 and 7)."""

import hashlib
from pathlib import Path

import pytest

from makul.cli.agreement_file import EXAMPLE
from support.commands import Makul


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bank.toml"
    path.write_text(EXAMPLE)
    return path


def test_the_printed_example_is_what_is_read(makul: Makul) -> None:
    """A person begins from it."""
    assert makul("agreement", "example").out == EXAMPLE


def test_an_agreement_is_added_and_shown(with_bank: Makul, file: Path) -> None:
    """What is shown is what the file says."""
    added = with_bank.done("agreement", "add", file, "--apply")
    shown = with_bank.done("agreement", "show", "2026/014")

    assert added == {"change": "register agreement", "applied": True, **shown}
    assert shown["purposes"] == ["ACCOUNT_OPENING", "LOAN"]
    assert shown["valid_from"] == "2025-12-31T18:00:00Z"
    assert [row["number"] for row in with_bank.done("agreement", "list")] == ["2026/014"]
    assert with_bank.done("agreement", "list", "--recipient", "COM/1") == []


def test_a_dry_run_adds_nothing(with_bank: Makul, file: Path) -> None:
    """As every change."""
    with_bank.done("agreement", "add", file)

    assert with_bank.done("agreement", "list") == []


def test_an_agreement_is_replaced_by_number(with_bank: Makul, file: Path) -> None:
    """A longer term, a new state: told as a replacement."""
    with_bank.done("agreement", "add", file, "--apply")
    file.write_text(EXAMPLE.replace("IN_FORCE", "TERMINATED"))
    shown = with_bank.done("agreement", "add", file, "--apply")

    assert shown["change"] == "replace agreement"
    assert with_bank.done("agreement", "show", "2026/014")["state"] == "TERMINATED"


def test_what_was_terminated_stays_so(with_bank: Makul, file: Path) -> None:
    """Procedure, cl. 12: a terminated agreement is followed by a new one, not revived."""
    file.write_text(EXAMPLE.replace("IN_FORCE", "TERMINATED"))
    with_bank.done("agreement", "add", file, "--apply")
    file.write_text(EXAMPLE)
    said = with_bank("agreement", "add", file, "--apply")

    assert said.code == 1
    assert "was terminated" in said.err


def test_a_number_stays_with_its_recipient(with_bank: Makul, file: Path) -> None:
    """Another's number would put one's own terms in place of theirs."""
    with_bank.done("agreement", "add", file, "--apply")
    with_bank.done("recipient", "add", "COM/2", "--kind", "BANK", "--name", "B", "--apply")
    file.write_text(EXAMPLE.replace("COM/60000001", "COM/2"))
    said = with_bank("agreement", "add", file, "--apply")

    assert said.code == 1
    assert "another recipient's" in said.err


def test_an_agreement_with_nobody_is_refused(makul: Makul, file: Path) -> None:
    """The recipient comes first."""
    said = makul("agreement", "add", file, "--apply")

    assert said.code == 1
    assert "is not registered" in said.err


def test_a_bank_is_never_let_invoke_justice(with_bank: Makul, file: Path) -> None:
    """Procedure, cl. 5.1 is not open to banks, whatever an agreement would say."""
    file.write_text(EXAMPLE.replace("provisions = []", 'provisions = ["JUDICIAL"]'))
    said = with_bank("agreement", "add", file, "--apply")

    assert said.code == 1
    assert "JUDICIAL is never open to BANK" in said.err


def test_an_unknown_agreement_is_told(makul: Makul) -> None:
    """With where to look."""
    said = makul("agreement", "show", "1")

    assert said.code == 1
    assert "makul agreement list" in said.err


def test_a_notice_counts_by_its_bytes(makul: Makul, tmp_path: Path) -> None:
    """Procedure, cl. 4: a consent cites the SHA-256 of exactly what was shown."""
    text = tmp_path / "notice.txt"
    text.write_bytes("Кабарлама\r\n".encode())
    arguments: list[str | Path] = ["notice", "add", "N/1", text, "--language", "ky", "--apply"]
    shown = makul.done(*arguments)

    assert shown["sha256"] == hashlib.sha256(text.read_bytes()).hexdigest()
    again = makul(*arguments)
    assert again.code == 1
    assert "already registered" in again.err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * (256 * 1024 + 1)])
def test_a_notice_is_text(makul: Makul, tmp_path: Path, content: bytes) -> None:
    """UTF-8, and no longer than anybody reads."""
    text = tmp_path / "notice.txt"
    text.write_bytes(content)

    assert makul("notice", "add", "N/1", text, "--language", "ky", "--apply").code == 1
