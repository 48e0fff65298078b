"""`makul person`: bringing citizens in, and looking at one (Procedure, cl. 10, 13 and 16)."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from makul.app.ports import StoreUnavailableError
from makul.cli import person_import
from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person
from makul.sandbox.people import citizens
from makul.store import people
from makul.store.desk import StoreDesk
from support.commands import Makul
from support.sql import raw

PEOPLE = citizens(7)


def line(person: Person) -> str:
    """A citizen as one JSON line."""
    fields = {
        name.value: asdict(value) if isinstance(value, LocalizedName) else str(value)
        for name, value in person.values.items()
    }
    return json.dumps(fields, ensure_ascii=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.jsonl"
    path.write_text("".join(f"{line(person)}\n" for person in PEOPLE), encoding="utf-8")
    return path


def show(makul: Makul, person: Person, *more: str) -> str:
    said = makul("person", "show", "-", "--reason", "test", *more, typed=f"{person.pin.digits}\n")
    assert said.code == 0, said.err
    return said.out


def test_citizens_are_brought_in(makul: Makul, file: Path) -> None:
    """Everyone in the file, once; a second time changes nothing."""
    first = makul.done("person", "import", file, "--apply")
    second = makul.done("person", "import", file, "--apply")

    assert (first["read"], first["changed"], first["skipped"]) == (7, 7, 0)
    assert (second["read"], second["changed"]) == (7, 0)
    assert not list(file.parent.glob("*.position"))


def test_a_dry_run_reads_all_and_changes_nothing(makul: Makul, file: Path) -> None:
    """The faults of a file are known before anything is changed."""
    shown = makul.done("person", "import", file)
    said = makul("person", "show", PEOPLE[0].pin.digits, "--reason", "test")

    assert (shown["applied"], shown["read"], shown["changed"]) == (False, 7, None)
    assert said.code == 1
    assert not list(file.parent.glob("*.position"))


def test_bad_lines_are_skipped_and_told_without_what_stands_in_them(
    makul: Makul, file: Path
) -> None:
    """By number and cause; the rest is taken, and the exit code says that some was not."""
    bad = {"pin": PEOPLE[1].pin.digits, "address": "<Secret>"}
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"not json, Secret\n{json.dumps(bad)}\n{line(PEOPLE[1])}\n")
    said = makul("person", "import", file, "--apply", "--json")

    assert said.code == 1
    assert said.json["faults"] == [
        "line 8: not JSON: write one object a line",
        "line 9: address: not of its form; must be up to 500 printable characters without < and >",
    ]
    assert said.json["skipped"] == 2
    assert "Secret" not in said.out + said.err
    assert PEOPLE[1].pin.digits not in said.out + said.err


def test_an_interrupted_import_goes_on(
    makul: Makul, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash in the third batch, two are there, and the next run begins with the third."""
    monkeypatch.setattr(person_import, "BATCH", 2)
    third = line(PEOPLE[4])
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
    shown = makul.done("person", "import", file, "--apply")

    assert position["line"] == 4
    assert position["offset"] == len(whole[: whole.index(third)].encode())
    assert (shown["read"], shown["changed"]) == (7, 4 + 1), "the third batch was there already"
    assert not list(file.parent.glob("*.position"))


def test_bad_lines_before_an_interruption_are_reported_again(
    makul: Makul, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was skipped before the power was cut is still to be mended after it."""
    monkeypatch.setattr(person_import, "BATCH", 2)
    good = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(["not json\n", *good[:4], "[]\n", *good[4:]]), encoding="utf-8")
    put, batches = StoreDesk.put_persons, [1, 2]

    def failing_put(self: StoreDesk, persons: Sequence[Person], *, at: datetime) -> int:
        if not batches:
            raise StoreUnavailableError("away")
        batches.pop()
        return put(self, persons, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(StoreDesk, "put_persons", failing_put)
        assert makul("person", "import", file, "--apply").code == 3
    said = makul("person", "import", file, "--apply", "--json")

    assert said.code == 1
    assert said.json["skipped"] == 2
    assert [fault.partition(":")[0] for fault in said.json["faults"]] == ["line 1", "line 6"]
    assert len(said.json["causes"]) == 2
    assert "not json" not in said.out + said.err


def test_a_store_that_goes_away_under_way_is_told_with_what_was_taken(
    makul: Makul, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that nothing was changed: two batches stand, and the next run begins with the third."""
    monkeypatch.setattr(person_import, "BATCH", 2)
    put, batches = StoreDesk.put_persons, [1, 2]

    def failing_put(self: StoreDesk, persons: Sequence[Person], *, at: datetime) -> int:
        if not batches:
            raise StoreUnavailableError("away")
        batches.pop()
        return put(self, persons, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(StoreDesk, "put_persons", failing_put)
        said = makul("person", "import", file, "--apply")
    shown = makul.done("person", "import", file, "--apply")

    assert said.code == 3
    assert "4 persons were taken" in said.err
    assert "nothing was changed" not in said.err
    assert (shown["read"], shown["changed"]) == (7, 7)


def test_a_position_belongs_to_one_source(makul: Makul, file: Path) -> None:
    """Another file of the same name is not begun in the middle."""
    position = person_import.Position.beside(file)
    position.save(person_import.Tally(line=3, offset=100))
    with file.open("a") as opened:
        opened.write("\n")
    said = makul("person", "import", file, "--apply")

    assert said.code == 1
    assert "belongs to other contents" in said.err


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
def test_a_damaged_position_is_told(makul: Makul, file: Path, damage: str) -> None:
    """Nothing is guessed."""
    file.with_name("people.jsonl.position").write_text(damage)
    said = makul("person", "import", file, "--apply")

    assert said.code == 1
    assert "is damaged" in said.err


def test_the_later_of_two_lines_about_one_person_stands(makul: Makul, file: Path) -> None:
    """A file is a history in order: two versions, the second the current one."""
    changed = json.loads(line(PEOPLE[0])) | {"address": "Жаңы дарек"}
    file.write_text(f"{line(PEOPLE[0])}\n{json.dumps(changed)}\n", encoding="utf-8")
    makul.done("person", "import", file, "--apply")

    shown = show(makul, PEOPLE[0], "--reveal")
    assert "Жаңы дарек" in shown


def test_csv_as_well(makul: Makul, tmp_path: Path) -> None:
    """The other form that registers hand over."""
    file = tmp_path / "people.csv"
    file.write_text(f"pin,surname.ky\n{PEOPLE[0].pin.digits},Асанов\n", encoding="utf-8")

    assert makul.done("person", "import", file, "--apply")["changed"] == 1


def test_another_kind_of_file_is_refused(makul: Makul, tmp_path: Path) -> None:
    """The form is told by the name."""
    file = tmp_path / "people.xlsx"
    file.write_bytes(b"PK")

    assert makul("person", "import", file).code == 1


def test_a_look_is_masked(makul: Makul, file: Path) -> None:
    """Enough to recognise whom one already knows, and no more."""
    makul.done("person", "import", file, "--apply")
    person = PEOPLE[0]
    shown = show(makul, person)

    assert person.pin.masked in shown
    for value in person.values.values():
        parts = value.forms if isinstance(value, LocalizedName) else (str(value),)
        if value not in {"KGZ", "VALID", "ALIVE", "ID_CARD", "PASSPORT", "F", "M"}:
            assert not any(part in shown for part in parts)


def test_the_pin_is_never_printed_in_full(makul: Makul, file: Path) -> None:
    """Not even where the rest is revealed."""
    makul.done("person", "import", file, "--apply")
    person = PEOPLE[0]
    revealed = show(makul, person, "--reveal")
    surname = person.values[Attribute.SURNAME]

    assert isinstance(surname, LocalizedName)
    assert str(surname.ky) in revealed
    assert person.pin.digits not in revealed
    assert person.pin.digits not in show(makul, person, "--reveal", "--json")


def test_a_look_needs_a_reason(makul: Makul) -> None:
    """Procedure, cl. 13 and 16: who looked is recorded, with why."""
    said = makul("person", "show", PEOPLE[0].pin.digits, "--reason", " ")

    assert said.code == 1
    assert "--reason is empty" in said.err


def test_what_is_typed_is_not_repeated(makul: Makul) -> None:
    """A PIN mistyped is still nearly a PIN."""
    said = makul("person", "show", "2150519859000X", "--reason", "test")

    assert said.code == 1
    assert "2150519859000X" not in said.out + said.err


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
    makul: Makul, tmp_path: Path, content: str
) -> None:
    """As two tools wrote them on which an import failed, and one more."""
    file = tmp_path / "people.csv"
    file.write_bytes(content.encode())

    assert makul.done("person", "import", file, "--apply")["changed"] == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_example_is_imported_as_it_is_printed(makul: Makul, tmp_path: Path, form: str) -> None:
    """Two citizens, one of them with one name, and each of the fields in one of them."""
    file = tmp_path / f"people.{form}"
    file.write_text(makul("person", "example", "--format", form).out, encoding="utf-8")
    done = makul.done("person", "import", file, "--apply")

    assert (done["read"], done["changed"], done["skipped"]) == (2, 2, 0)
    shown = makul.done("person", "show", "21505198590001", "--reason", "test", "--reveal")
    assert shown["surname"] == "Үлгүлөв / Образцов / Ulgulov"
    assert (shown["disputed"], shown["locked"]) == (["address"], False)


# --- searching, counting and changing ---------------------------------------------------------


@pytest.fixture
def taken(makul: Makul, file: Path) -> Makul:
    """An installation with the seven citizens in it."""
    makul.done("person", "import", file, "--apply")
    return makul


def entries(makul: Makul, action: str) -> int:
    """How many acts of this kind the operator's log has."""
    with raw(makul.directory / "makul.db") as connection:
        sql = "SELECT count(*) FROM desk_log WHERE action = ?"
        (number,) = connection.execute(sql, (action,)).fetchone()
        return int(number)


def test_what_the_register_holds_is_counted(taken: Makul, file: Path) -> None:
    """Versions are counted apart; nobody is looked at."""
    changed = json.loads(line(PEOPLE[0])) | {"address": "Жаңы дарек", "faceImage": "/9j/4A=="}
    file.write_text(json.dumps(changed), encoding="utf-8")
    taken.done("person", "import", file, "--apply")

    assert taken.done("person", "count") == {"persons": 7, "versions": 8, "samples": 1}
    assert entries(taken, "person.look") == 0


def test_somebody_is_found_by_document_or_name(taken: Makul) -> None:
    """Procedure, cl. 13 and 16: the search is recorded, and the look at who was found."""
    person = PEOPLE[2]
    surname = person.values[Attribute.SURNAME]
    assert isinstance(surname, LocalizedName)
    number = str(person.values[Attribute.DOCUMENT_NUMBER])

    (by_document,) = taken.done("person", "search", "--document", number.lower(), "--reason", "x")
    by_name = taken.done(
        *("person", "search", "--surname", str(surname.latin).upper()),
        *("--birth-date", str(person.values[Attribute.BIRTH_DATE]), "--reason", "x"),
    )

    assert by_document["pin"] == person.pin.masked
    assert by_name == [by_document]
    assert (entries(taken, "person.search"), entries(taken, "person.look")) == (2, 2)


def test_what_is_found_is_masked(taken: Makul) -> None:
    """A search does not list a population: no PIN, and names as initials unless revealed."""
    person = PEOPLE[2]
    number = str(person.values[Attribute.DOCUMENT_NUMBER])
    found = ("person", "search", "--document", number, "--reason", "x")
    surname = person.values[Attribute.SURNAME]
    assert isinstance(surname, LocalizedName)

    shown = taken(*found)
    assert (shown.code, person.pin.masked in shown.out) == (0, True)
    for told in (shown.out, taken(*found, "--json").out):
        assert str(surname.ky) not in told
        assert number not in told
    assert str(surname.ky) in taken(*found, "--reveal").out
    assert person.pin.digits not in taken(*found, "--reveal", "--json").out


def test_nobody_found_is_told_and_recorded(taken: Makul) -> None:
    """Exit code 1, as of a record that is not there."""
    said = taken("person", "search", "--document", "ID0000000", "--reason", "x")

    assert said.code == 1
    assert "nobody was found" in said.out
    assert taken("person", "search", "--document", "ID0", "--reason", "x", "--json").json == []
    assert (entries(taken, "person.search"), entries(taken, "person.look")) == (2, 0)


def test_a_search_shows_so_many_and_no_more(
    makul: Makul, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty of twenty-five who share a name; pages of a few, none of them left out."""
    monkeypatch.setattr(people, "PAGE_ROWS", 4)
    file = tmp_path / "people.csv"
    lines = [f"2150519859{number:04},Үлгүлөв" for number in range(25)]
    file.write_text("\n".join(["pin,surname.ky", *lines]), encoding="utf-8")
    makul.done("person", "import", file, "--apply")
    said = makul("person", "search", "--surname", "үлгүлөв", "--reason", "x", "--json")

    assert said.code == 0
    assert len(said.json) == 20
    assert "more than 20" in said.err
    assert entries(makul, "person.look") == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--reason", "x"), "Too little is said"),
        (("--patronymic", "Мисалович", "--reason", "x"), "Too little is said"),
        (("--birth-date", "1985-05-15", "--reason", "x"), "Too little is said"),
        (("--surname", "-", "--reason", "x"), "Too little is said"),
        (("--surname", "А", "--birth-date", "15.05.1985", "--reason", "x"), "YYYY-MM-DD"),
        (("--surname", "А", "--reason", " "), "--reason is empty"),
    ],
)
def test_a_search_says_whom_it_is_for(
    taken: Makul, arguments: tuple[str, ...], message: str
) -> None:
    """Nothing is opened for a search that says too little, or not why."""
    said = taken("person", "search", *arguments)

    assert (said.code, message in said.err) == (1, True)
    assert entries(taken, "person.search") == 0


def set_field(makul: Makul, *arguments: str, person: Person = PEOPLE[3]) -> Any:
    said = makul("person", "set", person.pin.digits, *arguments, "--reason", "test", "--json")
    assert said.code == 0, said.err
    assert person.pin.digits not in said.out
    return said.json


def test_a_field_is_set_once_it_is_applied(taken: Makul) -> None:
    """Procedure, cl. 14: a preview changes nothing; the version before is kept."""
    preview = set_field(taken, "birthDate", "1985-05-16", "--reveal")
    done = set_field(taken, "birthDate", "1985-05-16", "--reveal", "--apply")
    again = set_field(taken, "birthDate", "1985-05-16", "--apply")

    assert (preview["applied"], preview["changed"], preview["version"]) == (False, True, 1)
    assert (preview["after"], done["after"]) == ("1985-05-16", "1985-05-16")
    assert (done["applied"], done["changed"], done["version"]) == (True, True, 2)
    assert (again["changed"], again["version"]) == (False, 2)
    assert taken.done("person", "count")["versions"] == 8
    assert (entries(taken, "person.look"), entries(taken, "person.set")) == (1, 2)


def test_one_script_of_a_name_is_set_and_cleared(taken: Makul) -> None:
    """The other scripts stay; with the last one the name is not held."""
    set_field(taken, "surname.ru", "Образцов", "--apply")
    shown = json.loads(show(taken, PEOPLE[3], "--reveal", "--json"))
    assert shown["surname"].split(" / ")[1] == "Образцов"

    for script in ("ky", "ru", "latin"):
        set_field(taken, f"surname.{script}", "--clear", "--apply")
    assert "surname" not in json.loads(show(taken, PEOPLE[3], "--json"))


def test_disputed_and_locked_are_set(taken: Makul) -> None:
    """Procedure, cl. 14: what is being corrected is withheld; a lock stops matching by consent."""
    assert set_field(taken, "disputed", "address, birthPlace", "--apply")["disputed"] == [
        "address",
        "birthPlace",
    ]
    locked = set_field(taken, "locked", "true", "--apply")
    assert (locked["disputed"], locked["locked"]) == (["address", "birthPlace"], True)
    cleared = set_field(taken, "disputed", "--clear", "--apply")
    assert (cleared["disputed"], cleared["locked"]) == ([], True)
    assert set_field(taken, "locked", "false", "--apply")["locked"] is False


def test_a_change_keeps_the_samples(makul: Makul, file: Path) -> None:
    """What is set is one field: a photograph is still there, and is cleared if asked."""
    person = PEOPLE[3]
    file.write_text(json.dumps(json.loads(line(person)) | {"faceImage": "/9j/4A=="}))
    makul.done("person", "import", file, "--apply")
    set_field(makul, "address", "Ош", "--apply")
    assert json.loads(show(makul, person, "--json"))["faceImage"] == "(4 bytes)"

    set_field(makul, "faceImage", "--clear", "--apply")
    assert "faceImage" not in json.loads(show(makul, person, "--json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pin", "21505198590001"), "A PIN cannot be changed"),
        (("surname", "А"), "did you mean surname.ky?"),
        (("adress", "А"), "did you mean address?"),
        (("qqqq", "А"), "There is no such field; see"),
        (("address",), "Give a value, or --clear"),
        (("address", "А", "--clear"), "Give a value, or --clear"),
        (("address", " "), "give --clear"),
        (("sex", "X"), "must be F or M"),
        (("birthDate", "16.05.1985"), "YYYY-MM-DD"),
        (("faceImage", "/9j/4A=="), "makul person import"),
        (("locked", "yes"), "must be true or false"),
        (("locked", "--clear"), "cannot be cleared"),
        (("disputed", "adress"), "not a list of attributes"),
    ],
)
def test_what_cannot_be_set_is_told(taken: Makul, arguments: tuple[str, ...], message: str) -> None:
    """What may be written is said where it was typed; nobody is looked at, nothing changes."""
    said = taken("person", "set", PEOPLE[3].pin.digits, *arguments, "--reason", "x", "--apply")

    assert (said.code, message in said.err) == (1, True), said.err
    assert (entries(taken, "person.look"), entries(taken, "person.set")) == (0, 0)


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_nobody_is_set(makul: Makul, apply: list[str]) -> None:
    """A record that is not there is told, and the look recorded."""
    said = makul("person", "set", PEOPLE[0].pin.digits, "address", "Ош", "--reason", "x", *apply)

    assert said.code == 1
    assert "no record for" in said.err
    assert entries(makul, "person.look") + entries(makul, "person.set") == 1


def test_a_look_needs_the_option_reason(makul: Makul) -> None:
    """Not understood without it: exit code 2."""
    for command in (("show", "-"), ("search", "--surname", "А"), ("set", "-", "address", "А")):
        assert makul("person", *command).code == 2
