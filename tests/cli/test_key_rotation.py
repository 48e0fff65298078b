"""`makul key rotate` and `makul key retire`: said before it is done, and told what comes next."""

from pathlib import Path
from typing import Any

import pytest

from makul.app.ports import StoreUnavailableError
from makul.store import StoreKeys
from makul.store.admin import rewrap as rewrapping
from makul.store.db.base import Transaction
from makul.store.encryption.fields import FieldCipher
from makul_testing.cli_runner import Makul
from makul_testing.raw_sql import raw

PEOPLE = 30


@pytest.fixture
def filled(with_bank: Makul, tmp_path: Path) -> Makul:
    """An installation with citizens."""
    source = tmp_path / "people.csv"
    pins = [f"20101199{number:06d}" for number in range(PEOPLE)]
    source.write_text("\n".join(["pin,surname.ky", *(f"{pin},Токтогулов" for pin in pins)]))
    with_bank.done("person", "import", source, "--apply")
    return with_bank


def ring_of(makul: Makul) -> StoreKeys:
    return StoreKeys.load(makul.directory / "keys/store.json")


def store_keys(makul: Makul) -> dict[str, Any]:
    rows = makul.done("key", "show", "--fields")
    return {row["state"]: row for row in rows if row["name"] == "store data keys"}


def rotated(makul: Makul) -> tuple[str, str]:
    """Prepared and activated; the former key and the new."""
    former = ring_of(makul).current_id
    makul.done("key", "rotate", "--prepare", "--apply")
    makul.done("key", "rotate", "--activate", "--apply")
    return former, ring_of(makul).current_id


def test_a_whole_rotation(filled: Makul) -> None:
    """Four commands; after each, `key show` tells what is sealed under which key."""
    former = ring_of(filled).current_id
    total = store_keys(filled)["IN_USE"]["fields"]
    assert total > PEOPLE

    prepared = filled("key", "rotate", "--prepare", "--apply")
    assert "SIGHUP" in prepared.err
    shown = store_keys(filled)
    assert shown["IN_USE"]["fingerprint"] == former
    assert (shown["NEXT"]["fields"], shown["IN_USE"]["fields"]) == (0, total + 1)

    activated = filled("key", "rotate", "--activate", "--apply")
    assert "SIGHUP" in activated.err
    shown = store_keys(filled)
    assert shown["IN_USE"]["fingerprint"] == ring_of(filled).current_id != former
    assert shown["FORMER"]["fields"] == total + 2  # the log of both steps

    done = filled.done("key", "rotate", "--apply")
    assert done["wrapped_anew"] == total + 2
    assert done["person.sealed"] == PEOPLE
    assert done["left"] == 0
    assert store_keys(filled)["FORMER"]["fields"] == 0

    retired = filled.done("key", "retire", former, "--apply")
    assert retired["kept"].endswith(f"store.json.{former}")
    assert retired["needed_by_backups_before"] is not None
    assert store_keys(filled).keys() == {"IN_USE"}
    assert filled("person", "show", "20101199000000", "--reason", "x").code == 0


@pytest.mark.parametrize(
    "step", [("rotate", "--prepare"), ("rotate", "--activate"), ("rotate",), ("retire",)]
)
def test_nothing_is_done_without_apply(filled: Makul, step: tuple[str, ...]) -> None:
    """It says what it would do, and how many fields it concerns."""
    if step[-1] == "--activate":
        filled.done("key", "rotate", "--prepare", "--apply")
    former = rotated(filled)[0] if step[-1] in {"rotate", "retire"} else ""
    if step == ("retire",):
        filled.done("key", "rotate", "--apply")
        step = ("retire", former)
    before, keys = ring_of(filled), store_keys(filled)

    said = filled("key", *step)

    assert said.code == 0
    assert "Would do: " in said.out
    assert "--apply" in said.err
    assert ring_of(filled) == before
    assert store_keys(filled) == keys


def test_the_dry_run_tells_how_many_fields_by_table(filled: Makul) -> None:
    """And after the run there is nothing to be done."""
    former, current = rotated(filled)

    would = filled.done("key", "rotate")

    assert (would["current"], would["former"], would["still_used"]) == (current, [former], [])
    by_table = {name: count for name, count in would.items() if "." in name}
    assert by_table["person.sealed"] == PEOPLE
    assert by_table["store_identity.sealed_check"] == 1
    assert would["to_wrap_anew"] == sum(by_table.values())
    filled.done("key", "rotate", "--apply")
    assert filled.done("key", "rotate")["to_wrap_anew"] == 0


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([("rotate", "--activate")], "no key is prepared"),
        ([("rotate", "--prepare", "--apply"), ("rotate", "--prepare")], "prepared already"),
        ([("rotate", "--prepare", "--activate")], "and then --activate"),
        ([("retire", "00000000")], "not a former store key"),
    ],
)
def test_the_wrong_order_is_refused(makul: Makul, steps: list[tuple[str, ...]], why: str) -> None:
    """With --apply and without: one line, which says what is first."""
    for step in steps[:-1]:
        makul.done("key", *step)
    before = ring_of(makul)
    for apply in ((), ("--apply",)):
        said = makul("key", *steps[-1], *apply)
        assert said.code == 1
        assert why in said.err
    assert ring_of(makul) == before


def test_a_key_that_is_needed_is_not_retired(filled: Makul) -> None:
    """The line says how many fields, and what to do."""
    former, _ = rotated(filled)

    would, said = filled.done("key", "retire", former), filled("key", "retire", former, "--apply")

    assert would["sealed_under_it"] > PEOPLE
    assert said.code == 1
    assert "makul key rotate --apply" in said.err
    assert former in ring_of(filled).masters


def test_a_worker_that_was_not_reloaded_holds_the_next_step_up(filled: Makul) -> None:
    """Told beforehand, and refused."""
    working = ring_of(filled)
    filled.done("key", "rotate", "--prepare", "--apply")

    would = filled.done("key", "rotate", "--activate")
    said = filled("key", "rotate", "--activate", "--apply")

    assert would["still_used"] is True
    assert said.code == 1
    assert "reload every worker" in said.err
    del working
    assert filled.done("key", "rotate", "--activate", "--apply")["still_used"] is False


def test_a_store_that_fails_midway_is_gone_on_with(
    filled: Makul, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed stays, and the line says how much that is."""
    rotated(filled)
    monkeypatch.setattr(rewrapping, "BATCH_BYTES", 1_000)
    original, runs = Transaction.run, []

    def fail(self: Transaction, *arguments: Any) -> int:
        runs.append(arguments)
        if len(runs) > 12:
            raise StoreUnavailableError("the disk is full")
        return original(self, *arguments)

    with monkeypatch.context() as failing:
        failing.setattr(Transaction, "run", fail)
        said = filled("key", "rotate", "--apply")
    assert said.code == 3
    assert "fields were wrapped anew" in said.err
    assert "nothing was changed" not in said.err
    left = filled.done("key", "rotate")["to_wrap_anew"]

    done = filled.done("key", "rotate", "--apply")

    assert 0 < done["wrapped_anew"] == left
    assert done["left"] == 0


def test_what_does_not_open_is_told_and_the_exit_code_is_one(filled: Makul) -> None:
    """One field under a key that nobody has."""
    rotated(filled)
    lost = FieldCipher(StoreKeys.generate()).seal(b"x", b"where")
    with raw(filled.directory / "makul.db") as connection:
        connection.execute(
            "UPDATE person SET sealed = ? WHERE pin_index = (SELECT min(pin_index) FROM person)",
            (lost,),
        )

    said = filled("key", "rotate", "--apply")

    assert said.code == 1
    assert "do not open with these keys" in said.err
