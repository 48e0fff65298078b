"""Readiness of a whole service: each dependency, and what its failure stops."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from makul.app.ports import SignerUnavailableError
from makul.app.ports.health import ReadinessState
from makul.app.ports.ledger import LedgerState
from makul.composition.readiness import build_readiness, check_ledger, check_months
from makul.observability import readiness as health
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("ready"), database=record_database)
    yield built
    built.close()


@pytest.fixture(autouse=True)
def _every_look_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)


def states(installation: InProcessService, **parts: Any) -> dict[str, ReadinessState]:
    return dict(build_readiness(replace(installation.parts, **parts), OPERATOR)().checks)


ALL_WELL = {"store": ReadinessState.OK, "signer": ReadinessState.OK, "trust": ReadinessState.OK}


def test_a_complete_service_is_ready(installation: InProcessService) -> None:
    """Every check has a name that does not reveal its address."""
    assert states(installation) == ALL_WELL


@dataclass
class DeadSigner:
    """A key that is gone, with an error of its own or an unexpected one."""

    breaks: bool

    def ready(self) -> bool:
        if self.breaks:
            raise SignerUnavailableError("/srv/makul/token")
        return False


@pytest.mark.parametrize("breaks", [False, True])
def test_a_service_without_its_key_is_not_ready(
    installation: InProcessService, breaks: bool
) -> None:
    """OPS-01 for all requests, because no receipt means no answer."""
    assert states(installation, signer=DeadSigner(breaks)) == ALL_WELL | {
        "signer": ReadinessState.DOWN
    }


def test_expired_lists_degrade(installation: InProcessService) -> None:
    """SIG-07 only for certificates under these CAs: the service stays in the balancer."""
    later = installation.clock() + timedelta(days=400)
    found = build_readiness(replace(installation.parts, clock=lambda: later), OPERATOR)()

    assert found.checks == ALL_WELL | {"trust": ReadinessState.DEGRADED}
    assert found.ready


def test_a_ca_without_a_list_degrades(tmp_path: Path, record_database: RecordDatabase) -> None:
    """The status of its certificates is unknown."""
    installation = build_installation(tmp_path, database=record_database)
    try:
        next((tmp_path / "crls").iterdir()).unlink()
        at = installation.clock() + timedelta(seconds=10)
        assert states(installation, clock=lambda: at)["trust"] is ReadinessState.DEGRADED
    finally:
        installation.close()


def test_unreadable_trust_is_down_until_repaired(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """SIG-07 for all requests until it is repaired; no restart is needed."""
    installation = build_installation(tmp_path, database=record_database)
    try:
        broken = tmp_path / "anchors" / "broken.pem"
        broken.write_text("not a certificate")
        at = installation.clock() + timedelta(seconds=10)
        assert states(installation, clock=lambda: at)["trust"] is ReadinessState.DOWN

        broken.unlink()
        at += timedelta(seconds=10)
        assert states(installation, clock=lambda: at)["trust"] is ReadinessState.OK
    finally:
        installation.close()


@pytest.mark.parametrize(
    ("missing", "state"),
    [
        ([], ReadinessState.OK),
        ([(2027, 2)], ReadinessState.DEGRADED),
        ([(2026, 10)], ReadinessState.DEGRADED),
        ([(2026, 12), (2026, 11)], ReadinessState.DOWN),
    ],
)
def test_partitions_are_made_ahead(missing: list[tuple[int, int]], state: ReadinessState) -> None:
    """PostgreSQL: degraded while there is time, down where this month cannot be recorded."""
    assert check_months(missing, at=datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) is state
    in_bishkek = timezone(timedelta(hours=6))
    assert check_months(missing, at=datetime(2026, 12, 1, 5, tzinfo=in_bishkek)) is state


@pytest.mark.parametrize(
    ("waits", "state"),
    [
        (None, ReadinessState.OK),
        (timedelta(seconds=60), ReadinessState.OK),
        (timedelta(seconds=61), ReadinessState.DEGRADED),
        (timedelta(days=9), ReadinessState.DEGRADED),
    ],
)
def test_a_late_ledger_degrades_and_never_stops(
    waits: timedelta | None, state: ReadinessState
) -> None:
    """Leaves are recorded, and a stopped sequencer must not stop the service."""
    now = datetime(2026, 11, 27, tzinfo=UTC)
    log_state = LedgerState(
        size=1,
        root=b"",
        waiting=0 if waits is None else 1,
        waiting_since=None if waits is None else now - waits,
        checkpoint_size=1,
        checkpoint_at=now,
        cosigned_size=None,
        holder=None,
        held_until=None,
    )

    assert check_ledger(log_state, timedelta(seconds=60), at=now) is state


def test_a_missing_store_is_down(tmp_path: Path, record_database: RecordDatabase) -> None:
    """OPS-03 for all requests; the other checks still run."""
    installation = build_installation(tmp_path, database=record_database)
    if not isinstance(installation.settings.place, Path):
        pytest.skip("takes a file of SQLite away; test_serving takes a database away")
    installation.settings.place.unlink()

    assert states(installation) == ALL_WELL | {"store": ReadinessState.DOWN}
