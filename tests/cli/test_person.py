"""`makul person`: importing citizens, and looking at one (Procedure, cl. 10, 13 and 16)."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from makul.app.ports import StoreUnavailableError
from makul.cli import person_import
from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person
from makul.store.admin.registry import StoreOperatorRegistry
from makul_sandbox.data.citizens import citizens
from makul_testing.builders.people import json_line
from makul_testing.cli_runner import CommandLine

PEOPLE = citizens(7)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.jsonl"
    path.write_text("".join(f"{json_line(person)}\n" for person in PEOPLE), encoding="utf-8")
    return path


def show(makul: CommandLine, person: Person, *more: str) -> str:
    result = makul("person", "show", "-", "--reason", "test", *more, typed=f"{person.pin.digits}\n")
    assert result.code == 0, result.err
    return result.out


def test_citizens_are_imported(makul: CommandLine, file: Path) -> None:
    """Everyone in the file is imported once, and a second import changes nothing."""
    first = makul.run_json("person", "import", file, "--apply")
    second = makul.run_json("person", "import", file, "--apply")

    assert (first["read"], first["changed"], first["skipped"]) == (7, 7, 0)
    assert (second["read"], second["changed"]) == (7, 0)
    assert not list(file.parent.glob("*.position"))


def test_a_dry_run_reads_all_and_changes_nothing(makul: CommandLine, file: Path) -> None:
    """The errors of a file are known before anything is changed."""
    output = makul.run_json("person", "import", file)
    result = makul("person", "show", PEOPLE[0].pin.digits, "--reason", "test")

    assert (output["applied"], output["read"], output["changed"]) == (False, 7, None)
    assert result.code == 1
    assert not list(file.parent.glob("*.position"))


def test_bad_lines_are_skipped_and_reported_without_their_content(
    makul: CommandLine, file: Path
) -> None:
    """They are reported by number and cause; the others are imported, and the exit code says so."""
    bad = {"pin": PEOPLE[1].pin.digits, "address": "<Secret>"}
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"not json, Secret\n{json.dumps(bad)}\n{json_line(PEOPLE[1])}\n")
    result = makul("person", "import", file, "--apply", "--json")

    assert result.code == 1
    assert result.json["faults"] == [
        "line 8: not JSON: write one object a line",
        "line 9: address: must be up to 500 printable characters without < and >",
    ]
    assert result.json["skipped"] == 2
    assert "Secret" not in result.out + result.err
    assert PEOPLE[1].pin.digits not in result.out + result.err


def test_an_interrupted_import_continues(
    makul: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches are there after a crash in the third, with which the next run begins."""
    monkeypatch.setattr(person_import, "BATCH", 2)
    third = json_line(PEOPLE[4])
    whole = file.read_text(encoding="utf-8")

    class PowerCutError(RuntimeError):
        pass

    batches = []
    save = person_import.Position.save

    def failing_save(self: person_import.Position, tally: person_import.Tally) -> None:
        batches.append(tally.line)
        if len(batches) == 3:
            raise PowerCutError
        save(self, tally)

    with monkeypatch.context() as patch:
        patch.setattr(person_import.Position, "save", failing_save)
        with pytest.raises(PowerCutError):
            makul("person", "import", file, "--apply")
    position = json.loads(file.with_name("people.jsonl.position").read_text())
    output = makul.run_json("person", "import", file, "--apply")

    assert position["line"] == 4
    assert position["offset"] == len(whole[: whole.index(third)].encode())
    assert (output["read"], output["changed"]) == (7, 4 + 1), "the third batch was there already"
    assert not list(file.parent.glob("*.position"))


def test_bad_lines_before_an_interruption_are_reported_again(
    makul: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was skipped before a power failure still needs a correction."""
    monkeypatch.setattr(person_import, "BATCH", 2)
    good = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(["not json\n", *good[:4], "[]\n", *good[4:]]), encoding="utf-8")
    put, batches = StoreOperatorRegistry.put_persons, [1, 2]

    def failing_put(self: StoreOperatorRegistry, persons: Sequence[Person], *, at: datetime) -> int:
        if not batches:
            raise StoreUnavailableError("away")
        batches.pop()
        return put(self, persons, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(StoreOperatorRegistry, "put_persons", failing_put)
        assert makul("person", "import", file, "--apply").code == 3
    result = makul("person", "import", file, "--apply", "--json")

    assert result.code == 1
    assert result.json["skipped"] == 2
    assert [fault.partition(":")[0] for fault in result.json["faults"]] == ["line 1", "line 6"]
    assert len(result.json["causes"]) == 2
    assert "not json" not in result.out + result.err


def test_an_outage_during_an_import_is_reported_with_the_progress(
    makul: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message does not say that nothing was changed: two batches are committed."""
    monkeypatch.setattr(person_import, "BATCH", 2)
    put, batches = StoreOperatorRegistry.put_persons, [1, 2]

    def failing_put(self: StoreOperatorRegistry, persons: Sequence[Person], *, at: datetime) -> int:
        if not batches:
            raise StoreUnavailableError("away")
        batches.pop()
        return put(self, persons, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(StoreOperatorRegistry, "put_persons", failing_put)
        result = makul("person", "import", file, "--apply")
    output = makul.run_json("person", "import", file, "--apply")

    assert result.code == 3
    assert "4 persons were taken" in result.err
    assert "nothing was changed" not in result.err
    assert (output["read"], output["changed"]) == (7, 7)


def test_a_position_belongs_to_one_source(makul: CommandLine, file: Path) -> None:
    """Another file of the same name is not begun in the middle."""
    position = person_import.Position.beside(file)
    position.save(person_import.Tally(line=3, offset=100))
    with file.open("a") as opened:
        opened.write("\n")
    result = makul("person", "import", file, "--apply")

    assert result.code == 1
    assert "belongs to other contents" in result.err


WHOLE_POSITION = {"size": 1, "sha256": "x"} | dict.fromkeys(
    ("line", "offset", "read", "changed", "skipped"), 0
)


@pytest.mark.parametrize(
    "damage",
    [
        '{"line": "x"}',
        "[]",
        "[" * 100_000,
        "",
        json.dumps(WHOLE_POSITION | {"offset": -1}),
        json.dumps(WHOLE_POSITION | {"faults": [1]}),
        json.dumps(WHOLE_POSITION | {"causes": []}),
    ],
)
def test_a_damaged_position_is_reported(makul: CommandLine, file: Path, damage: str) -> None:
    """Nothing is guessed."""
    file.with_name("people.jsonl.position").write_text(damage)
    result = makul("person", "import", file, "--apply")

    assert result.code == 1
    assert "is damaged" in result.err


def test_the_later_of_two_lines_about_one_person_counts(makul: CommandLine, file: Path) -> None:
    """A file is a history in order: two versions, the second one current."""
    changed = json.loads(json_line(PEOPLE[0])) | {"address": "Жаңы дарек"}
    file.write_text(f"{json_line(PEOPLE[0])}\n{json.dumps(changed)}\n", encoding="utf-8")
    makul.run_json("person", "import", file, "--apply")

    output = show(makul, PEOPLE[0], "--reveal")
    assert "Жаңы дарек" in output


def test_csv_is_imported_too(makul: CommandLine, tmp_path: Path) -> None:
    """CSV is the other form of registers."""
    file = tmp_path / "people.csv"
    file.write_text(f"pin,surname.ky\n{PEOPLE[0].pin.digits},Асанов\n", encoding="utf-8")

    assert makul.run_json("person", "import", file, "--apply")["changed"] == 1


def test_another_kind_of_file_is_refused(makul: CommandLine, tmp_path: Path) -> None:
    """The file's name states the form."""
    file = tmp_path / "people.xlsx"
    file.write_bytes(b"PK")

    assert makul("person", "import", file).code == 1


def test_a_look_is_masked(makul: CommandLine, file: Path) -> None:
    """The output is enough to recognise a known person, and no more."""
    makul.run_json("person", "import", file, "--apply")
    person = PEOPLE[0]
    output = show(makul, person)

    assert person.pin.masked in output
    for value in person.values.values():
        parts = value.forms if isinstance(value, LocalizedName) else (str(value),)
        if value not in {"KGZ", "VALID", "ALIVE", "ID_CARD", "PASSPORT", "F", "M"}:
            assert not any(part in output for part in parts)


def test_the_pin_is_never_printed_in_full(makul: CommandLine, file: Path) -> None:
    """It is masked even if the rest is revealed."""
    makul.run_json("person", "import", file, "--apply")
    person = PEOPLE[0]
    revealed = show(makul, person, "--reveal")
    surname = person.values[Attribute.SURNAME]

    assert isinstance(surname, LocalizedName)
    assert str(surname.ky) in revealed
    assert person.pin.digits not in revealed
    assert person.pin.digits not in show(makul, person, "--reveal", "--json")


def test_a_look_needs_a_reason(makul: CommandLine) -> None:
    """Procedure, cl. 13 and 16: the record has the operator and the reason."""
    result = makul("person", "show", PEOPLE[0].pin.digits, "--reason", " ")

    assert result.code == 1
    assert "--reason is empty" in result.err


def test_typed_text_is_not_repeated(makul: CommandLine) -> None:
    """A mistyped PIN is still nearly a PIN."""
    result = makul("person", "show", "2150519859000X", "--reason", "test")

    assert result.code == 1
    assert "2150519859000X" not in result.out + result.err


# --- files as others write them ---------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        '"pin","surname.ky"\n"10101199100503","Өмүров"\n',
        "pin;surname.ky\n10101199100503;Өмүров\n",
        "\ufeffpin\tsurname.ky\r\n10101199100503\tӨмүров\r\n",
    ],
    ids=["quoted heading", "semicolons", "tabs, a mark and CRLF"],
)
def test_files_of_exporters_and_spreadsheets_are_imported(
    makul: CommandLine, tmp_path: Path, content: str
) -> None:
    """Two tools wrote files on which an import had failed, and one more."""
    file = tmp_path / "people.csv"
    file.write_bytes(content.encode())

    assert makul.run_json("person", "import", file, "--apply")["changed"] == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_printed_example_can_be_imported(makul: CommandLine, tmp_path: Path, form: str) -> None:
    """There are two citizens, one with one name, and each field in one of them."""
    file = tmp_path / f"people.{form}"
    file.write_text(makul("person", "example", "--format", form).out, encoding="utf-8")
    result = makul.run_json("person", "import", file, "--apply")

    assert (result["read"], result["changed"], result["skipped"]) == (2, 2, 0)
    output = makul.run_json("person", "show", "21505198590001", "--reason", "test", "--reveal")
    assert output["surname"] == "Үлгүлөв / Образцов / Ulgulov"
    assert (output["disputed"], output["locked"]) == (["address"], False)
