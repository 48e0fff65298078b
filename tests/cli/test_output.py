"""Output for people and for programs: zones, widths, errors as JSON, version, completion."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from makul.cli.output import TwoForms, instant, show_facts, show_rows
from makul.cli.usage import wants_json
from makul_testing.cli_runner import CommandLine
from makul_testing.processes.program import run_program

AT = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
DIGEST = "0123456789abcdef" * 4
ID = "01933f2c-7b1e-7c52-9d0a-0c8f3f0e6a11"
LONG = "A recipient with a name of many words, as an organisation of the state may well have it"
BROAD = {"ref": "BANK-2026/1", "ky": DIGEST, "ru": DIGEST, "added_at": instant(AT)}
NARROW = {"id": ID, "name": LONG, "added_at": instant(AT)}


def run_makul(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_program(*arguments, env={**os.environ, **environment}, text=True)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-11-22 18:30:00+00:00"),
        ("Asia/Bishkek", "2026-11-23 00:30:00+06:00"),
        ("<-0330>3:30", "2026-11-22 15:00:00-03:30"),
    ],
)
def test_instant_is_utc_for_programs_and_local_for_people(zone: str, text: str) -> None:
    """The zone is that of the process, and JSON never depends on it."""
    code = (
        "from datetime import UTC, datetime; from makul.cli.output import *;"
        "row = {'at': instant(datetime(2026, 11, 22, 18, 30, tzinfo=UTC)), 'no': None};"
        "show_facts(row, as_json=True); show_facts(row, as_json=False);"
        "show_rows([row], columns=('at',), as_json=False, empty='')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "TZ": zone},
    )

    assert json.loads(result.stdout[: result.stdout.index("}") + 1])["at"] == "2026-11-22T18:30:00Z"
    assert result.stdout.count(text) == 2
    assert datetime.fromisoformat(text) == AT


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
)
def test_instant_at_the_ends_of_the_calendar_is_shown(at: datetime) -> None:
    """A zone before or behind UTC would leave the calendar; nothing is raised."""
    text = instant(at)

    assert text is not None
    assert text.for_people[:4] == f"{at.year:04}"


def test_two_forms_of_a_value_show_the_one_for_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A signature's time within a line of text is converted too."""
    show_facts({"signed": [TwoForms("program", "people")]}, as_json=False)
    show_facts({"signed": [TwoForms("program", "people")]}, as_json=True)

    text, _, written = capsys.readouterr().out.partition("\n")
    assert text.split() == ["signed", "people"]
    assert json.loads(written) == {"signed": ["program"]}


@pytest.mark.parametrize("row", [BROAD, NARROW], ids=["broad", "narrow"])
@pytest.mark.parametrize("width", [80, 100, 132])
def test_table_fits_and_cuts_no_id(
    row: dict[str, str],
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A digest or an id is copied from the screen, so words are folded instead."""
    monkeypatch.setenv("COLUMNS", str(width))
    show_rows([row, row], columns=tuple(row), as_json=False, empty="")

    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out
    for value in row.values():
        for word in str(getattr(value, "for_people", value)).split():
            assert out.split().count(word) >= 2


def test_table_of_narrow_rows_has_one_heading(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only rows that would not fit are printed as lists of names and values."""
    monkeypatch.setenv("COLUMNS", "80")
    show_rows([NARROW, NARROW], columns=tuple(NARROW), as_json=False, empty="")
    assert capsys.readouterr().out.count("added at") == 1

    show_rows([BROAD, BROAD], columns=tuple(BROAD), as_json=False, empty="")
    assert capsys.readouterr().out.count("added at") == 2


def test_no_table_of_an_installation_is_wider_than_80(
    with_bank: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe and a terminal get the same width; programs read JSON."""
    monkeypatch.setenv("COLUMNS", "80")
    for noun in ("recipient", "signatory", "agreement", "notice", "disclosure"):
        assert max(map(len, with_bank(noun, "list").out.splitlines())) <= 80
    for command in (
        ("key", "show"),
        ("store", "status"),
    ):
        result = with_bank(*command)
        out = result.out
        assert out, result.err
        # a word without a space, such as the ledger's key or a path, is folded and not cut
        assert max(map(len, out.splitlines())) <= 80
        assert "…" not in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("recipient", "list", "--nope", "--json"),
        ("recipient", "list", "--json", "--nope"),
        ("recipient", "--json"),
        ("recipients", "list", "--json"),
        ("recipient", "add", "--json"),
        ("--nope", "recipient", "list", "--json"),
        ("disclosure", "list", "--limit", "many", "--json"),
        ("serve", "--json"),
    ],
)
def test_usage_error_is_json_with_option_json(arguments: tuple[str, ...]) -> None:
    """There is one object on stdout, nothing on stderr, and the exit code of a usage error."""
    result = run_makul(*arguments)
    error = json.loads(result.stdout)["error"]

    assert result.returncode == error["exit_code"] == 2
    assert error["kind"] == "UsageError"
    assert error["message"]
    assert result.stderr == ""


def test_other_errors_are_json_as_well(tmp_path: Path) -> None:
    """A missing installation has exit code 3, in JSON too."""
    result = CommandLine(tmp_path)("recipient", "list", "--json")

    assert result.code == result.json["error"]["exit_code"] == 3
    assert "makul init" in result.json["error"]["message"]


def test_json_after_the_end_of_options_is_an_argument() -> None:
    """`--` ends the options."""
    assert wants_json(["show", "--json", "--", "x"])
    assert not wants_json(["show", "--", "--json"])
    assert run_makul("recipient", "add", "--", "--json").stdout == ""


def test_version_and_short_help_are_printed() -> None:
    """Neither needs an installation."""
    assert run_makul("--version").stdout.startswith("makul ")
    assert "recipient" in run_makul("-h").stdout
    assert "--json" in run_makul("recipient", "list", "-h").stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("makul rec", {"recipient"}),
        ("makul recipient wi", {"withdraw", "withdraw-sealing", "withdraw-official"}),
        ("makul serve --l", {"--listener"}),
        ("makul recipient list --js", {"--json"}),
    ],
)
def test_shell_completes_late_commands(words: str, offered: set[str]) -> None:
    """Commands that are imported when they are called are completed too."""
    result = run_makul(
        _MAKUL_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))
    )

    assert set(result.stdout.split()) == offered


def test_completion_without_a_home_is_a_usage_error() -> None:
    """One line says what to do in a container, and there is no internal error."""
    result = run_makul("--install-completion", HOME="/dev/null")

    assert result.returncode != 0
    assert "internal error" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_a_shell_is_printed(shell: str) -> None:
    """An administrator installs it for every user."""
    assert "makul" in run_makul(_MAKUL_COMPLETE=f"source_{shell}").stdout
