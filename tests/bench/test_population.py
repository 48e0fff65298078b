"""Rows that the bench writes into a register are those that the store would have written."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.ledger import measure_ledger
from bench.month import MONTH, _state, month_installation, open_cached_store
from bench.population import StoredPopulation, population, signers
from bench.requests import ask, ask_about
from bench.stores import Database, databases
from makul.app.ports import ExportOptions
from makul_sandbox.data.recipients import PARTIES
from makul_testing.in_process_service import build_installation

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_pins_and_document_numbers_are_unique() -> None:
    """PINs are unique also beyond the day on which ten thousand are born."""
    everybody = list(population(10_050))

    assert len({person.pin for person in everybody}) == 10_050
    assert len({person.values["documentNumber"] for person in everybody}) == 10_050
    assert everybody[0].pin.digits[1:9] != everybody[-1].pin.digits[1:9]


@pytest.fixture(scope="module")
def kinds() -> Iterator[Mapping[str, Database]]:
    with databases() as found:
        yield found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_stored_population_is_found_and_decrypted(
    kinds: Mapping[str, Database], tmp_path: Path, kind: str
) -> None:
    """It is encrypted once under stored keys, and earlier citizens stay in the register."""
    filling = StoredPopulation(20, cache=tmp_path / "cache")
    installation = kinds[kind].installation(tmp_path / "installation", people=40, keys=filling.keys)
    kinds[kind].fill(installation, filling)

    for person in population(20):
        found = installation.store.registry.person_for_operator(person.pin, reason="test", at=NOW)
        assert found is not None
        assert (found.pin, found.values) == (person.pin, person.values)
    assert b">RELEASED<" in installation.post(ask(installation, 1)[0]).body
    installation.close()

    again = StoredPopulation(20, cache=tmp_path / "cache")
    assert again.keys.current_id == filling.keys.current_id


def test_each_signer_consents_to_the_request(tmp_path: Path) -> None:
    """Their certificates and consents are good, and later signers are other citizens."""
    installation = build_installation(tmp_path)
    first, later = signers(installation.world, 2), signers(installation.world, 2, beyond=2)

    assert not {each.person.pin for each in first} & {each.person.pin for each in later}
    for message in ask_about(installation, [*first, *later]):
        assert b">RELEASED<" in installation.post(message).body
    installation.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_leaf_is_sequenced_and_published(
    kinds: Mapping[str, Database], tmp_path: Path, kind: str
) -> None:
    """There is more than one batch; otherwise the figure would be of less than it states."""
    measured = measure_ledger(tmp_path, kinds[kind], leaves=2_500)

    assert (measured["leaves"], measured["rounds"]) == (2_500, 1)
    assert measured["batch"] < 2_500
    assert measured["leaves_per_second"] > 0
    published = (tmp_path / "published" / "checkpoint").read_bytes().split(b"\n")
    assert int(published[1]) >= 2_500


def test_a_month_is_counted_and_exported_whole(tmp_path: Path) -> None:
    """Every row of every recipient can be decrypted, and an instant outside is not of the month."""
    directory = month_installation(60, tmp_path)
    assert month_installation(60, tmp_path) == directory
    store = open_cached_store(str(directory))

    counts = store.registry.statistics(MONTH)
    look = ExportOptions(revealed=False, reason=None)
    rows = list(store.registry.export(MONTH, None, look, at=NOW))
    assert sum(each.decisions for each in counts) == len(rows) == 60
    assert {each.recipient for each in counts} == {party.code for party in PARTIES}
    assert len({row.leaf_hash for row in rows}) == 60
    assert MONTH.begins == rows[0].decided_at
    store.close()


def test_a_month_is_stated_whole(tmp_path: Path) -> None:
    """The bench builds the statements of every recipient by the command itself."""
    directory = month_installation(60, tmp_path)

    assert _state(directory, 60)["statement_seconds"] > 0
