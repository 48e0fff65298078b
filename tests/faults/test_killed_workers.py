"""Workers are killed under load (kill -9): acknowledged requests are recorded once, with a leaf."""

import os
import random
import signal
import time

from makul_testing.exhaustive import rounds
from makul_testing.faults.record_audit import Count, aftermath, assert_nothing_is_lost
from makul_testing.in_process_service import InProcess
from makul_testing.load.concurrent_clients import Crowd
from makul_testing.processes.gunicorn import run_preforked_service

KILLS = rounds(15, exhaustive=100)
LONGEST_LIFE = 8
"""The maximum number of acknowledgements between two kills."""


def test_workers_killed_under_load(installation: InProcess, database: str, count: Count) -> None:
    """Acknowledged but lost: 0.

    Released without a leaf: 0. A repetition gives the very same answer.
    """
    dice = random.Random(20261127)  # noqa: S311 -- the moments of the kills, not a secret
    with run_preforked_service(installation, workers=2) as server:
        with Crowd(installation, server.port) as crowd:
            crowd.more(20)
            for _ in range(KILLS):
                crowd.more(dice.randint(1, LONGEST_LIFE))
                time.sleep(dice.uniform(0, 0.02))
                crowd.until(lambda: bool(server.workers))
                os.kill(dice.choice(server.workers), signal.SIGKILL)
            crowd.more(20)
        acknowledged = crowd.released
        crowd.ask_again(dice.sample(sorted(acknowledged), KILLS))

    assert_nothing_is_lost(crowd, aftermath(installation.settings.place))
    assert set(crowd.words) == {"RELEASED"}
    assert crowd.broken.total() > KILLS / 4, "the kills met nobody at work"
    count(
        f"kill -9 of a worker under load x{KILLS} [{database}]: {len(acknowledged):,} acknowledged"
        f" ({crowd.broken.total()} connections broken, {crowd.repeated:,} asked again),"
        " 0 lost, 0 released without leaf, 0 released twice, 0 answered otherwise"
    )
