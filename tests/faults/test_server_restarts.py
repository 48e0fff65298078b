"""PostgreSQL restarts immediately, like after a power failure, while requests are in progress."""

import random
import signal
import time

import pytest

from makul_testing.exhaustive import rounds
from makul_testing.external.postgres import Cluster
from makul_testing.faults.record_audit import Count, assert_nothing_is_lost, audit_records
from makul_testing.in_process_service import InProcessService
from makul_testing.load.concurrent_clients import RELEASED, ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service

RESTARTS = rounds(4, exhaustive=10)
EXPECTED = {RELEASED, "fault OPS-01", "fault OPS-03"}
"""The permitted answers meanwhile; a failed readiness is OPS-01."""


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_immediate_restarts_under_load_lose_nothing(
    installation: InProcessService, server: Cluster, count: Count
) -> None:
    """The counts are those of killed workers; an interrupted commit is neither lost nor
    repeated.
    """
    dice = random.Random(20261127)  # noqa: S311 -- the moments of the restarts, not a secret
    met = 0
    with run_preforked_service(installation, workers=2) as service:
        with ConcurrentClients(installation, service.port) as clients:
            for _ in range(RESTARTS):
                clients.more(20)
                time.sleep(dice.uniform(0, 0.05))
                met += len(clients.asking)
                server.stop(signal.SIGQUIT)
                server.start(track_commit_timestamp="on")
            clients.more(20)
        acknowledged = clients.released
        clients.ask_again(dice.sample(sorted(acknowledged), 100))

    assert_nothing_is_lost(clients, audit_records(installation.settings.place))
    assert set(clients.words) <= EXPECTED
    assert not clients.broken, "no connection of a client breaks for the sake of the database"
    assert met > RESTARTS, "the restarts met nobody at work"
    count(
        f"PostgreSQL restarted at once under load x{RESTARTS} [postgresql]:"
        f" {len(acknowledged):,} acknowledged, {met} met on their way,"
        f" {clients.words.total() - clients.words[RELEASED]} told to ask later, 0 lost,"
        " 0 released without leaf, 0 released twice, 0 answered otherwise"
    )
