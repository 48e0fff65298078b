"""The exporter's own metrics: the build, and the age of revocation data."""

import platform
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from makul.admin.metrics_export import _revocation_data
from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import LedgerState
from makul.observability.metrics_server import MetricsSource, serve_metrics
from makul.store import build_log_state_reader
from makul.trust.pki.status_report import Freshness
from makul_testing.in_process_service import InProcessService, build_installation

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def render_metrics(found: Freshness | None) -> str:
    registry = CollectorRegistry()
    registry.register(MetricsSource({"documents": lambda _: found}, lambda: NOW))
    return generate_latest(registry).decode()


def test_age_and_remaining_time_are_reported() -> None:
    """Values are in seconds; an end in the past is below zero."""
    hour = timedelta(hours=1)
    text = render_metrics(Freshness(stale=1, silent=2, oldest=NOW - 3 * hour, ends=NOW - hour))

    for line in (
        'makul_revocation_readable{purpose="documents"} 1.0',
        'makul_revocation_stale_lists{purpose="documents"} 1.0',
        'makul_revocation_silent_authorities{purpose="documents"} 2.0',
        'makul_revocation_oldest_age_seconds{purpose="documents"} 10800.0',
        'makul_revocation_next_update_seconds{purpose="documents"} -3600.0',
    ):
        assert f"{line}\n" in text


def test_unreadable_data_are_reported() -> None:
    """No old value stays in its place."""
    text = render_metrics(None)

    assert 'makul_revocation_readable{purpose="documents"} 0.0' in text
    assert "oldest_age_seconds{" not in text
    assert f'python="{platform.python_version()}"' in text


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> InProcessService:
    built = build_installation(tmp_path_factory.mktemp("exported"))
    built.close()
    return built


def test_both_purposes_are_looked_up(installation: InProcessService) -> None:
    """Documents and timestamps use the rules that judge signatures."""
    looks, at = _revocation_data(installation.settings), installation.clock()
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


def test_unreadable_trust_does_not_end_the_exporter(
    installation: InProcessService, tmp_path: Path
) -> None:
    """The error is reported, and the values return after a repair."""
    anchors = installation.settings.trust.anchors
    aside = anchors.rename(tmp_path / "anchors")
    look = _revocation_data(installation.settings)["documents"]
    assert look(installation.clock()) is None

    aside.rename(anchors)
    assert look(installation.clock()) is not None


def log_state(**changes: Any) -> LedgerState:
    minute = timedelta(minutes=1)
    facts: dict[str, Any] = {
        "size": 500,
        "root": b"r" * 32,
        "waiting": 7,
        "waiting_since": NOW - 2 * minute,
        "checkpoint_size": 500,
        "checkpoint_at": NOW - 3 * minute,
        "cosigned_size": 450,
        "holder": None,
        "held_until": None,
    }
    return LedgerState(**(facts | changes))


def log_told(state: Callable[[], LedgerState] | None) -> str:
    registry = CollectorRegistry()
    registry.register(MetricsSource({}, lambda: NOW, state))
    return generate_latest(registry).decode()


def test_delay_of_the_ledger_is_reported() -> None:
    """The values are leaves and seconds, and cosigned leaves beside all leaves."""
    text = log_told(log_state)

    for line in (
        "makul_ledger_readable 1.0",
        "makul_ledger_size_leaves 500.0",
        "makul_ledger_waiting_leaves 7.0",
        "makul_ledger_lag_seconds 120.0",
        "makul_ledger_cosigned_leaves 450.0",
        "makul_ledger_checkpoint_age_seconds 180.0",
    ):
        assert f"{line}\n" in text


def test_current_ledger_has_no_delay() -> None:
    """A current ledger has no delay, and an installation without one has no such metric."""
    idle = log_told(lambda: log_state(waiting=0, waiting_since=None, checkpoint_at=None))

    assert "makul_ledger_lag_seconds 0.0\n" in idle
    assert "checkpoint_age" not in idle
    assert "makul_ledger" not in log_told(None)


def test_an_unreadable_ledger_is_reported() -> None:
    """All other metrics are still reported."""

    def away() -> LedgerState:
        raise StoreUnavailableError

    text = log_told(away)

    assert "makul_ledger_readable 0.0\n" in text
    assert "makul_ledger_lag" not in text
    assert "makul_build_info" in text


def test_the_ledger_is_read_without_a_key(installation: InProcessService) -> None:
    """The exporter holds none of the store's keys."""
    state = build_log_state_reader(installation.settings.place)()

    assert state.size == 0
    assert state.checkpoint_size is None


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 200), ("OPTIONS", 200), ("HEAD", 405), ("POST", 405), ("PUT", 501)],
)
def test_metrics_answer_only_their_methods(method: str, status: int) -> None:
    """A refused method is answered at once, and a HEAD has no body."""
    with serve_metrics("127.0.0.1:0", CollectorRegistry()) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request(method, "/metrics")
        answer = connection.getresponse()

        assert (answer.status, answer.getheader("Server")) == (status, "makul")
        assert method != "HEAD" or answer.read() == b""
        connection.close()
