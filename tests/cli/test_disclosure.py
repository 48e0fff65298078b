"""`makul disclosure`: decisions and released attributes, by name and never by value
(cl. 10, 11).
"""

from uuid import uuid4

import pytest

from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_refusal, a_release
from makul_testing.builders.records import AZAMAT, NOON, an_agreement
from makul_testing.cli_runner import CommandLine
from makul_testing.stores import store_of


@pytest.fixture
def with_two(with_bank: CommandLine) -> CommandLine:
    """Record a release and, a minute later, a refusal."""
    with store_of(with_bank.directory / "makul.toml") as store:
        agree(store.registry, an_agreement(), at=NOON)
        store.recorder.record(a_release())
        store.recorder.record(a_refusal(decided_at=NOON.replace(minute=1)))
    return with_bank


def test_the_latest_come_first(with_two: CommandLine) -> None:
    """An operator needs them first in an incident."""
    listed = with_two.run_json("disclosure", "list")

    assert [(row["decided_at"], row["outcome"], row["codes"]) for row in listed] == [
        ("2026-11-02T12:01:00Z", "REFUSED", ["CNS-04"]),
        ("2026-11-02T12:00:00Z", "RELEASED", []),
    ]


def test_released_attributes_are_listed_by_name(with_two: CommandLine) -> None:
    """Neither the PIN nor any value is printed, and the subject is masked."""
    (release,) = with_two.run_json("disclosure", "list")[1:]
    result = with_two("disclosure", "show", release["disclosure_id"])

    assert release["released"] == ["givenName", "surname"]
    assert release["subject"] == AZAMAT.masked
    assert AZAMAT.digits not in result.out
    assert "givenName, surname" in result.out


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--limit", "1"], 1),
        (["--recipient", "COM/60000001"], 2),
        (["--recipient", "COM/1"], 0),
        (["--since", "2026-11-02T12:00:30Z"], 1),
        (["--since", "2026-11-03"], 0),
    ],
)
def test_a_list_can_be_narrowed(with_two: CommandLine, arguments: list[str], count: int) -> None:
    """The options select by recipient, by time, by number."""
    assert len(with_two.run_json("disclosure", "list", *arguments)) == count


def test_an_unknown_disclosure_is_reported(makul: CommandLine) -> None:
    """The message says where to look."""
    result = makul("disclosure", "show", str(uuid4()))

    assert result.code == 1
    assert "makul disclosure list" in result.err


def test_an_empty_list_is_printed(makul: CommandLine) -> None:
    """An empty list is an answer, for people and for programs."""
    assert makul("disclosure", "list").out == "No decision is recorded.\n"
    assert makul.run_json("disclosure", "list") == []
