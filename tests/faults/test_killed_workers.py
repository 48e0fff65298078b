"""Workers are killed under load (kill -9): acknowledged requests are recorded once, with a leaf."""

import os
import random
import signal
import time

from makul_testing.exhaustive import rounds
from makul_testing.faults.record_audit import Count, assert_nothing_is_lost, audit_records
from makul_testing.in_process_service import InProcessService
from makul_testing.load.concurrent_clients import ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service

KILLS = rounds(15, exhaustive=100)
LONGEST_LIFE = 8
"""The maximum number of acknowledgements between two kills."""


def test_workers_killed_under_load(
    installation: InProcessService, database: str, count: Count
) -> None:
    """Acknowledged but lost: 0.

    Released without a leaf: 0. A repetition gives the very same answer.
    """
    dice = random.Random(20261127)  # noqa: S311 -- the moments of the kills, not a secret
    with run_preforked_service(installation, workers=2) as server:
        with ConcurrentClients(installation, server.port) as clients:
            clients.more(20)
            for _ in range(KILLS):
                clients.more(dice.randint(1, LONGEST_LIFE))
                time.sleep(dice.uniform(0, 0.02))
                clients.until(lambda: bool(server.workers))
                os.kill(dice.choice(server.workers), signal.SIGKILL)
            clients.more(20)
        acknowledged = clients.released
        clients.ask_again(dice.sample(sorted(acknowledged), KILLS))

    assert_nothing_is_lost(clients, audit_records(installation.settings.place))
    assert set(clients.words) == {"RELEASED"}
    assert clients.broken.total() > KILLS / 4, "the kills met nobody at work"
    count(
        f"kill -9 of a worker under load x{KILLS} [{database}]: {len(acknowledged):,} acknowledged"
        f" ({clients.broken.total()} connections broken, {clients.repeated:,} asked again),"
        " 0 lost, 0 released without leaf, 0 released twice, 0 answered otherwise"
    )
