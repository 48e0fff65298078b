"""What the exporter tells besides the workers' numbers: the build, and how fresh trust is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from makul.exporting import _revocation_data
from makul.observing.exporter import Installation, RevocationData
from support.house import InProcess, build_house

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def told(found: RevocationData | None) -> str:
    registry = CollectorRegistry()
    registry.register(Installation({"documents": lambda _: found}, lambda: NOW))
    return generate_latest(registry).decode()


def test_age_and_time_left_are_told() -> None:
    """In seconds; an end that is past is below zero."""
    hour = timedelta(hours=1)
    text = told(RevocationData(stale=1, silent=2, oldest=NOW - 3 * hour, ends=NOW - hour))

    for line in (
        'makul_revocation_readable{purpose="documents"} 1.0',
        'makul_revocation_stale_lists{purpose="documents"} 1.0',
        'makul_revocation_silent_authorities{purpose="documents"} 2.0',
        'makul_revocation_oldest_age_seconds{purpose="documents"} 10800.0',
        'makul_revocation_next_update_seconds{purpose="documents"} -3600.0',
    ):
        assert f"{line}\n" in text


def test_what_cannot_be_read_is_told_as_that() -> None:
    """And no old number stays in its place."""
    text = told(None)

    assert 'makul_revocation_readable{purpose="documents"} 0.0' in text
    assert "oldest_age_seconds{" not in text
    assert 'python="3.11' in text


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> InProcess:
    built = build_house(tmp_path_factory.mktemp("exported"))
    built.close()
    return built


def test_both_purposes_are_looked_up(house: InProcess) -> None:
    """Documents and timestamps, by the same rules that judge signatures."""
    looks, at = _revocation_data(house.settings), house.clock()
    found = {purpose: look(at) for purpose, look in looks.items()}

    assert found.keys() == {"documents", "timestamps"}
    for each in found.values():
        assert each is not None
        assert (each.stale, each.silent) == (0, 0)
        assert each.oldest is not None
        assert each.ends is not None
        assert each.oldest <= at < each.ends
    later = looks["documents"](at + timedelta(days=400))
    assert later is not None
    assert later.stale > 0


def test_trust_that_cannot_be_read_ends_no_exporter(house: InProcess, tmp_path: Path) -> None:
    """It is told, and told again once it is mended."""
    anchors = house.settings.trust.anchors
    aside = anchors.rename(tmp_path / "anchors")
    look = _revocation_data(house.settings)["documents"]
    assert look(house.clock()) is None

    aside.rename(anchors)
    assert look(house.clock()) is not None
