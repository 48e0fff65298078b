"""`makul disclosure statistics` and `export`: a month, counted and exported (cl. 11)."""

import csv
import errno
import io
import json
from pathlib import Path

import pytest

from makul.cli.disclosure_export import COLUMNS
from makul.config.settings import load_settings
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_refusal, a_release
from makul_testing.builders.records import AZAMAT, NOON, a_consent, an_agreement
from makul_testing.cli_runner import CommandLine
from makul_testing.raw_sql import count
from makul_testing.stores import store_of


@pytest.fixture
def with_two(with_bank: CommandLine) -> CommandLine:
    """Record a release by consent and, a minute later, a refusal."""
    with store_of(with_bank.directory / "makul.toml") as store:
        agree(store.registry, an_agreement(), at=NOON)
        store.recorder.record(a_release(ground=a_consent()))
        store.recorder.record(a_refusal(decided_at=NOON.replace(minute=1)))
    return with_bank


def test_a_month_is_counted(with_two: CommandLine) -> None:
    """The counts are by recipient, purpose, outcome and ground."""
    counted = with_two.run_json("disclosure", "statistics", "--month", "2026-11")

    assert [(row["recipient"], row["outcome"], row["ground"]) for row in counted] == [
        ("COM/60000001", "REFUSED", None),
        ("COM/60000001", "RELEASED", "CONSENT"),
    ]
    assert [row["decisions"] for row in counted] == [1, 1]


@pytest.mark.parametrize(
    "arguments", [["--month", "2026-10"], ["--month", "2026-11", "--recipient", "COM/1"]]
)
def test_an_empty_month_is_printed(with_two: CommandLine, arguments: list[str]) -> None:
    """An empty month is an answer, and so is a recipient without requests."""
    assert with_two.run_json("disclosure", "statistics", *arguments) == []
    assert with_two("disclosure", "statistics", *arguments).out.startswith("No decision of 2026-1")
    assert with_two("disclosure", "export", *arguments).out.split() == [",".join(COLUMNS)]


def test_csv_has_a_heading_and_masks_pins(with_two: CommandLine) -> None:
    """Released attributes are listed by name; the PIN is not exported by default."""
    result = with_two("disclosure", "export", "--month", "2026-11")
    first, second = csv.DictReader(io.StringIO(result.out))

    assert tuple(first) == COLUMNS
    assert (first["outcome"], first["released"]) == ("RELEASED", "givenName surname")
    assert (second["outcome"], second["codes"], second["ground_id"]) == ("REFUSED", "CNS-04", "")
    assert first["subject"] == AZAMAT.masked
    assert AZAMAT.digits not in result.out + result.err


def test_ndjson_has_the_same_content(with_two: CommandLine) -> None:
    """Each row is a line, with the columns of CSV as keys."""
    result = with_two("disclosure", "export", "--month", "2026-11", "--format", "ndjson")
    first, second = map(json.loads, result.out.splitlines())

    assert tuple(first) == COLUMNS
    assert (first["released"], second["ground_id"]) == (["givenName", "surname"], None)


def test_a_pin_is_shown_for_a_reason_that_is_recorded(with_two: CommandLine) -> None:
    """Procedure, cl. 13 and 16: each export is recorded, with or without a reason."""
    database = load_settings(with_two.directory / "makul.toml").store.database
    before = count(database, "desk_log")
    arguments = ["disclosure", "export", "--month", "2026-11", "--reveal"]

    refused = with_two(*arguments)
    assert (refused.code, refused.out) == (1, "")
    assert "--reason" in refused.err
    assert count(database, "desk_log") == before

    result = with_two(*arguments, "--reason", "monthly check")
    assert result.out.count(AZAMAT.digits) == 2
    assert count(database, "desk_log") == before + 1


def test_an_export_file_is_new_whole_and_private(with_two: CommandLine, tmp_path: Path) -> None:
    """Nothing is overwritten, and no other file is left."""
    output = tmp_path / "out" / "november.csv"
    output.parent.mkdir()
    arguments = ["disclosure", "export", "--month", "2026-11", "--output", output]

    result = with_two(*arguments)
    assert (result.code, result.out) == (0, "")
    assert result.err == f"2 decisions of 2026-11 are in {output}\n"
    assert output.stat().st_mode & 0o777 == 0o600
    assert len(output.read_text().splitlines()) == 3
    assert [file.name for file in output.parent.iterdir()] == ["november.csv"]

    result = with_two(*arguments)
    assert (result.code, "exists" in result.err) == (1, True)


def test_an_unfinished_file_is_deleted(
    with_two: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a month must not look like a month."""
    monkeypatch.setattr("makul.cli.disclosure_export._cell", lambda value: 1 / 0)
    output = tmp_path / "november.csv"

    with pytest.raises(ZeroDivisionError):
        with_two("disclosure", "export", "--month", "2026-11", "--output", output)
    assert not list(tmp_path.glob("november.csv*"))


def test_a_full_disk_is_reported_in_one_line(
    with_two: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no internal error, and nothing of the file is left."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("makul.cli.disclosure_export.os.fsync", full)
    result = with_two("disclosure", "export", "--month", "2026-11", "--output", tmp_path / "m.csv")

    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "m.csv.part: No space left on device" in result.err
    assert list(tmp_path.glob("m.csv*")) == []


@pytest.mark.parametrize("month", ["november", "2026-13", "2026-11-01"])
def test_a_malformed_month_is_reported(with_two: CommandLine, month: str) -> None:
    """The message shows the form of a month."""
    result = with_two("disclosure", "export", "--month", month)

    assert result.code == 1
    assert "2026-11" in result.err
