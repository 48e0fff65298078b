"""`makul key rotate` and `makul key retire` preview each step and name the next one."""

from pathlib import Path
from typing import Any

import pytest

from makul.app.ports import StoreUnavailableError
from makul.store import StoreKeys
from makul.store.admin import rewrap as rewrapping
from makul.store.db.base import Transaction
from makul.store.encryption.fields import FieldCipher
from makul_testing.cli_runner import CommandLine
from makul_testing.raw_sql import raw

PEOPLE = 30


@pytest.fixture
def filled(with_bank: CommandLine, tmp_path: Path) -> CommandLine:
    """Return an installation with citizens."""
    source = tmp_path / "people.csv"
    pins = [f"20101199{number:06d}" for number in range(PEOPLE)]
    source.write_text("\n".join(["pin,surname.ky", *(f"{pin},Токтогулов" for pin in pins)]))
    with_bank.run_json("person", "import", source, "--apply")
    return with_bank


def read_key_ring(makul: CommandLine) -> StoreKeys:
    return StoreKeys.load(makul.directory / "keys/store.json")


def store_keys(makul: CommandLine) -> dict[str, Any]:
    rows = makul.run_json("key", "show", "--fields")
    return {row["state"]: row for row in rows if row["name"] == "store data keys"}


def rotated(makul: CommandLine) -> tuple[str, str]:
    """Prepare and activate; return the former key and the new one."""
    former = read_key_ring(makul).current_id
    makul.run_json("key", "rotate", "--prepare", "--apply")
    makul.run_json("key", "rotate", "--activate", "--apply")
    return former, read_key_ring(makul).current_id


def test_a_whole_rotation_takes_four_commands(filled: CommandLine) -> None:
    """There are four commands; after each, `key show` prints how many fields each key encrypts."""
    former = read_key_ring(filled).current_id
    total = store_keys(filled)["IN_USE"]["fields"]
    assert total > PEOPLE

    prepared = filled("key", "rotate", "--prepare", "--apply")
    assert "SIGHUP" in prepared.err
    output = store_keys(filled)
    assert output["IN_USE"]["fingerprint"] == former
    assert (output["NEXT"]["fields"], output["IN_USE"]["fields"]) == (0, total + 1)

    activated = filled("key", "rotate", "--activate", "--apply")
    assert "SIGHUP" in activated.err
    output = store_keys(filled)
    assert output["IN_USE"]["fingerprint"] == read_key_ring(filled).current_id != former
    assert output["FORMER"]["fields"] == total + 2  # the log of both steps

    rotation = filled.run_json("key", "rotate", "--apply")
    assert rotation["wrapped_anew"] == total + 2
    assert rotation["person.sealed"] == PEOPLE
    assert rotation["left"] == 0
    assert store_keys(filled)["FORMER"]["fields"] == 0

    retired = filled.run_json("key", "retire", former, "--apply")
    assert retired["kept"].endswith(f"store.json.{former}")
    assert retired["needed_by_backups_before"] is not None
    assert store_keys(filled).keys() == {"IN_USE"}
    assert filled("person", "show", "20101199000000", "--reason", "x").code == 0


@pytest.mark.parametrize(
    "step", [("rotate", "--prepare"), ("rotate", "--activate"), ("rotate",), ("retire",)]
)
def test_nothing_is_done_without_apply(filled: CommandLine, step: tuple[str, ...]) -> None:
    """The command prints what it would do, and how many fields it concerns."""
    if step[-1] == "--activate":
        filled.run_json("key", "rotate", "--prepare", "--apply")
    former = rotated(filled)[0] if step[-1] in {"rotate", "retire"} else ""
    if step == ("retire",):
        filled.run_json("key", "rotate", "--apply")
        step = ("retire", former)
    before, keys = read_key_ring(filled), store_keys(filled)

    result = filled("key", *step)

    assert result.code == 0
    assert "Would do: " in result.out
    assert "--apply" in result.err
    assert read_key_ring(filled) == before
    assert store_keys(filled) == keys


def test_the_preview_counts_fields_by_table(filled: CommandLine) -> None:
    """Nothing is left to do after the run."""
    former, current = rotated(filled)

    would = filled.run_json("key", "rotate")

    assert (would["current"], would["former"], would["still_used"]) == (current, [former], [])
    by_table = {name: count for name, count in would.items() if "." in name}
    assert by_table["person.sealed"] == PEOPLE
    assert by_table["store_identity.sealed_check"] == 1
    assert would["to_wrap_anew"] == sum(by_table.values())
    filled.run_json("key", "rotate", "--apply")
    assert filled.run_json("key", "rotate")["to_wrap_anew"] == 0


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([("rotate", "--activate")], "no key is prepared"),
        ([("rotate", "--prepare", "--apply"), ("rotate", "--prepare")], "prepared already"),
        ([("rotate", "--prepare", "--activate")], "and then --activate"),
        ([("retire", "00000000")], "not a former store key"),
    ],
)
def test_the_wrong_order_is_refused(
    makul: CommandLine, steps: list[tuple[str, ...]], why: str
) -> None:
    """One line says which step is first, with --apply and without."""
    for step in steps[:-1]:
        makul.run_json("key", *step)
    before = read_key_ring(makul)
    for apply in ((), ("--apply",)):
        result = makul("key", *steps[-1], *apply)
        assert result.code == 1
        assert why in result.err
    assert read_key_ring(makul) == before


def test_a_key_that_is_needed_is_not_retired(filled: CommandLine) -> None:
    """The line says how many fields need it, and what to do."""
    former, _ = rotated(filled)

    would, result = (
        filled.run_json("key", "retire", former),
        filled("key", "retire", former, "--apply"),
    )

    assert would["sealed_under_it"] > PEOPLE
    assert "encrypted under it" in filled("key", "retire", former).out
    assert result.code == 1
    assert "makul key rotate --apply" in result.err
    assert former in read_key_ring(filled).masters


def test_an_unreloaded_worker_blocks_the_next_step(filled: CommandLine) -> None:
    """The problem is reported in the preview, and the step is refused."""
    working = read_key_ring(filled)
    filled.run_json("key", "rotate", "--prepare", "--apply")

    would = filled.run_json("key", "rotate", "--activate")
    result = filled("key", "rotate", "--activate", "--apply")

    assert would["still_used"] is True
    assert result.code == 1
    assert "reload every worker" in result.err
    del working
    assert filled.run_json("key", "rotate", "--activate", "--apply")["still_used"] is False


def test_an_interrupted_rotation_continues(
    filled: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed batches stay, and the line says how many fields they have."""
    rotated(filled)
    monkeypatch.setattr(rewrapping, "BATCH_BYTES", 1_000)
    original, runs = Transaction.execute, []

    def fail(self: Transaction, *arguments: Any) -> int:
        runs.append(arguments)
        if len(runs) > 12:
            raise StoreUnavailableError("the disk is full")
        return original(self, *arguments)

    with monkeypatch.context() as failing:
        failing.setattr(Transaction, "execute", fail)
        result = filled("key", "rotate", "--apply")
    assert result.code == 3
    assert "fields were wrapped again" in result.err
    assert "nothing was changed" not in result.err
    left = filled.run_json("key", "rotate")["to_wrap_anew"]

    rotation = filled.run_json("key", "rotate", "--apply")

    assert 0 < rotation["wrapped_anew"] == left
    assert rotation["left"] == 0


def test_an_undecryptable_field_is_reported_with_exit_code_1(filled: CommandLine) -> None:
    """One field is under an unknown key."""
    rotated(filled)
    lost = FieldCipher(StoreKeys.generate()).encrypt(b"x", b"where")
    with raw(filled.directory / "makul.db") as connection:
        connection.execute(
            "UPDATE person SET sealed = ? WHERE pin_index = (SELECT min(pin_index) FROM person)",
            (lost,),
        )

    result = filled("key", "rotate", "--apply")

    assert result.code == 1
    assert "do not open with these keys" in result.err
