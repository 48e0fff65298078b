"""The position file of an import: a file that another user planted is neither written
nor obeyed.
"""

import json
import os
from pathlib import Path

import pytest

from makul.admin.errors import OperatorError
from makul.cli.person_import import Position, Tally
from makul.net.files import FileError
from makul_testing.hostile_messages import CONTENTS, run_apart


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "people.jsonl"
    path.write_bytes(b"{}\n")
    return path


def test_a_planted_link_is_not_written_through(source: Path) -> None:
    """The import once wrote through `FILE.position.new`, with the rights of the operator."""
    victim = source.with_name("victim")
    victim.write_bytes(b"precious")
    for name in ("people.jsonl.position.new", "people.jsonl.position"):
        source.with_name(name).symlink_to(victim)
    position = Position.beside(source)

    position.save(Tally(line=1, offset=3, read=1))

    assert victim.read_bytes() == b"precious"
    assert not position.path.is_symlink()
    assert position.load().offset == 3


def test_an_unwritable_position_is_reported(source: Path) -> None:
    source.with_name("people.jsonl.position").mkdir()
    (source.with_name("people.jsonl.position") / "x").touch()

    with pytest.raises(OperatorError, match=r"people\.jsonl\.position: .* directory"):
        Position.beside(source).save(Tally())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_special_file_is_refused(make: object, source: Path) -> None:
    """A pipe instead of the position file once blocked the import permanently."""
    make(source.with_name("people.jsonl.position"))  # type: ignore[operator]
    position = Position.beside(source)

    def act() -> str:
        try:
            position.load()
        except FileError as error:
            return str(error)
        return "read"

    assert "not a regular file" in run_apart(act)


GOOD = {"line": 1, "offset": 3, "read": 1, "changed": 1, "skipped": 0}


@pytest.mark.parametrize(
    "changed",
    [
        {"offset": -1},
        {"offset": 4},
        {"offset": 10**30},
        {"offset": float("inf")},
        {"offset": True},
        {"line": "1"},
        {"read": 1.5},
        {"size": 7},
    ],
)
def test_an_impossible_position_is_refused(changed: dict[str, object], source: Path) -> None:
    position = Position.beside(source)
    own = {"size": position.source_size, "sha256": position.source_sha256}
    position.path.write_text(json.dumps(GOOD | own))
    assert position.load().offset == 3
    position.path.write_text(json.dumps(GOOD | own | changed))

    with pytest.raises(OperatorError, match="delete it to begin again"):
        position.load()


@pytest.mark.parametrize("what", [each for each in CONTENTS if len(CONTENTS[each]) <= 4096])
def test_a_damaged_position_is_refused(what: str, source: Path) -> None:
    position = Position.beside(source)
    position.path.write_bytes(CONTENTS[what])

    with pytest.raises(OperatorError, match="is damaged"):
        position.load()
