"""`makul person search`, `count` and `set`: recorded, bounded, masked (cl. 13, 14 and 16)."""

import json
from pathlib import Path
from typing import Any

import pytest

from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person
from makul.store.admin import persons as people
from makul_sandbox.data.citizens import citizens
from makul_testing.builders.people import json_line
from makul_testing.builders.subject import lock_matching
from makul_testing.cli_runner import CommandLine
from makul_testing.raw_sql import raw
from makul_testing.stores import store_of

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


# --- searching, counting and changing ---------------------------------------------------------


@pytest.fixture
def registry(makul: CommandLine, file: Path) -> CommandLine:
    """Return an installation with the seven citizens in it."""
    makul.run_json("person", "import", file, "--apply")
    return makul


def entries(makul: CommandLine, action: str) -> int:
    """Count the acts of this kind in the audit log."""
    with raw(makul.directory / "makul.db") as connection:
        sql = "SELECT count(*) FROM desk_log WHERE action = ?"
        (number,) = connection.execute(sql, (action,)).fetchone()
        return int(number)


def test_a_citizens_own_lock_is_apart_from_the_record(registry: CommandLine) -> None:
    """It has a field of its own; who changes the record sees that the citizen's lock stays."""
    person = PEOPLE[0]
    pin = f"{person.pin.digits}\n"
    arguments = ("person", "show", "-", "--reason", "test", "--json")
    assert registry(*arguments, typed=pin).json["locked_by_subject"] is None
    with store_of(registry.directory / "makul.toml") as store:
        lock_matching(store, person.pin)

    shown = registry(*arguments, typed=pin).json
    assert (shown["locked"], shown["locked_by_subject"]) == (False, "2026-11-02T12:00:00Z")
    change = ("person", "set", "-", "locked", "false", "--reason", "test", "--json")
    for apply in ((), ("--apply",)):
        changed = registry(*change, *apply, typed=pin).json
        assert (changed["changed"], changed["after"]) == (False, False)
        assert changed["locked_by_subject"] == shown["locked_by_subject"]
    assert "locked by subject" in show(registry, person)


def test_citizens_are_counted(registry: CommandLine, file: Path) -> None:
    """Versions are counted separately, and no record is read."""
    changed = json.loads(json_line(PEOPLE[0])) | {"address": "Жаңы дарек", "faceImage": "/9j/4A=="}
    file.write_text(json.dumps(changed), encoding="utf-8")
    registry.run_json("person", "import", file, "--apply")

    assert registry.run_json("person", "count") == {"persons": 7, "versions": 8, "samples": 1}
    assert entries(registry, "person.look") == 0


def test_a_citizen_is_found_by_document_or_name(registry: CommandLine) -> None:
    """Procedure, cl. 13 and 16: the search and the look at the found person are recorded."""
    person = PEOPLE[2]
    surname = person.values[Attribute.SURNAME]
    assert isinstance(surname, LocalizedName)
    number = str(person.values[Attribute.DOCUMENT_NUMBER])

    (by_document,) = registry.run_json(
        "person", "search", "--document", number.lower(), "--reason", "x"
    )
    by_name = registry.run_json(
        *("person", "search", "--surname", str(surname.latin).upper()),
        *("--birth-date", str(person.values[Attribute.BIRTH_DATE]), "--reason", "x"),
    )

    assert by_document["pin"] == person.pin.masked
    assert by_name == [by_document]
    assert (entries(registry, "person.search"), entries(registry, "person.look")) == (2, 2)


def test_found_citizens_are_masked(registry: CommandLine) -> None:
    """A search does not list a population: no PIN, and names as initials unless revealed."""
    person = PEOPLE[2]
    number = str(person.values[Attribute.DOCUMENT_NUMBER])
    found = ("person", "search", "--document", number, "--reason", "x")
    surname = person.values[Attribute.SURNAME]
    assert isinstance(surname, LocalizedName)

    summary = registry(*found)
    assert (summary.code, person.pin.masked in summary.out) == (0, True)
    for output in (summary.out, registry(*found, "--json").out):
        assert str(surname.ky) not in output
        assert number not in output
    assert str(surname.ky) in registry(*found, "--reveal").out
    assert person.pin.digits not in registry(*found, "--reveal", "--json").out


def test_an_empty_search_is_reported_and_recorded(registry: CommandLine) -> None:
    """Exit code 1, like for a missing record."""
    result = registry("person", "search", "--document", "ID0000000", "--reason", "x")

    assert result.code == 1
    assert "nobody was found" in result.out
    assert registry("person", "search", "--document", "ID0", "--reason", "x", "--json").json == []
    assert (entries(registry, "person.search"), entries(registry, "person.look")) == (2, 0)


def test_a_search_is_bounded(
    makul: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty of twenty-five who share a name are printed; pages of a few omit none."""
    monkeypatch.setattr(people, "PAGE_ROWS", 4)
    file = tmp_path / "people.csv"
    lines = [f"2150519859{number:04},Үлгүлөв" for number in range(25)]
    file.write_text("\n".join(["pin,surname.ky", *lines]), encoding="utf-8")
    makul.run_json("person", "import", file, "--apply")
    result = makul("person", "search", "--surname", "үлгүлөв", "--reason", "x", "--json")

    assert result.code == 0
    assert len(result.json) == 20
    assert "more than 20" in result.err
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
def test_a_search_needs_criteria_and_a_reason(
    registry: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    """A search with too few criteria, or without a reason, decrypts nothing."""
    result = registry("person", "search", *arguments)

    assert (result.code, message in result.err) == (1, True)
    assert entries(registry, "person.search") == 0


def set_field(makul: CommandLine, *arguments: str, person: Person = PEOPLE[3]) -> Any:
    result = makul("person", "set", person.pin.digits, *arguments, "--reason", "test", "--json")
    assert result.code == 0, result.err
    assert person.pin.digits not in result.out
    return result.json


def test_a_field_is_set_with_apply(registry: CommandLine) -> None:
    """Procedure, cl. 14: a preview changes nothing, and the former version is kept."""
    preview = set_field(registry, "birthDate", "1985-05-16", "--reveal")
    result = set_field(registry, "birthDate", "1985-05-16", "--reveal", "--apply")
    again = set_field(registry, "birthDate", "1985-05-16", "--apply")

    assert (preview["applied"], preview["changed"], preview["version"]) == (False, True, 1)
    assert (preview["after"], result["after"]) == ("1985-05-16", "1985-05-16")
    assert (result["applied"], result["changed"], result["version"]) == (True, True, 2)
    assert (again["changed"], again["version"]) == (False, 2)
    assert registry.run_json("person", "count")["versions"] == 8
    assert (entries(registry, "person.look"), entries(registry, "person.set")) == (1, 2)


def test_one_script_of_a_name_is_set_and_cleared(registry: CommandLine) -> None:
    """The other scripts stay; without the last one the name is missing."""
    set_field(registry, "surname.ru", "Образцов", "--apply")
    output = json.loads(show(registry, PEOPLE[3], "--reveal", "--json"))
    assert output["surname"].split(" / ")[1] == "Образцов"

    for script in ("ky", "ru", "latin"):
        set_field(registry, f"surname.{script}", "--clear", "--apply")
    assert "surname" not in json.loads(show(registry, PEOPLE[3], "--json"))


def test_disputed_and_locked_are_set(registry: CommandLine) -> None:
    """Procedure, cl. 14: data being corrected are withheld; a lock stops matching by consent."""
    assert set_field(registry, "disputed", "address, birthPlace", "--apply")["disputed"] == [
        "address",
        "birthPlace",
    ]
    locked = set_field(registry, "locked", "true", "--apply")
    assert (locked["disputed"], locked["locked"]) == (["address", "birthPlace"], True)
    cleared = set_field(registry, "disputed", "--clear", "--apply")
    assert (cleared["disputed"], cleared["locked"]) == ([], True)
    assert set_field(registry, "locked", "false", "--apply")["locked"] is False


def test_a_change_keeps_the_samples(makul: CommandLine, file: Path) -> None:
    """Only one field is set: a photograph stays, and is removed only on request."""
    person = PEOPLE[3]
    file.write_text(json.dumps(json.loads(json_line(person)) | {"faceImage": "/9j/4A=="}))
    makul.run_json("person", "import", file, "--apply")
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
        (("disputed", "adress"), "disputed: must be one of pin, surname"),
    ],
)
def test_an_invalid_value_is_reported(
    registry: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    """The message lists the permitted values; no record is read, and nothing changes."""
    result = registry("person", "set", PEOPLE[3].pin.digits, *arguments, "--reason", "x", "--apply")

    assert (result.code, message in result.err) == (1, True), result.err
    assert (entries(registry, "person.look"), entries(registry, "person.set")) == (0, 0)


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_a_missing_record_is_not_set(makul: CommandLine, apply: list[str]) -> None:
    """A missing record is reported, and the look is recorded."""
    result = makul("person", "set", PEOPLE[0].pin.digits, "address", "Ош", "--reason", "x", *apply)

    assert result.code == 1
    assert "no record for" in result.err
    assert entries(makul, "person.look") + entries(makul, "person.set") == 1


def test_a_look_needs_the_option_reason(makul: CommandLine) -> None:
    """The option is required: exit code 2."""
    for command in (("show", "-"), ("search", "--surname", "А"), ("set", "-", "address", "А")):
        assert makul("person", *command).code == 2
