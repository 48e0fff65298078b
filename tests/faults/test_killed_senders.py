"""Senders of notifications are killed (kill -9): none is lost, and repetitions are marked."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

from makul.app.ports import Duty
from makul_testing.exhaustive import rounds
from makul_testing.faults.record_audit import Count
from makul_testing.in_process_service import InProcessService
from makul_testing.load.concurrent_clients import ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service
from makul_testing.processes.program import Program
from makul_testing.raw_sql import raw

KILLS = rounds(6, exhaustive=60)
PATIENCE = 120.0
"""Seconds. A killed sender delays what it had taken by `claim_seconds`, 10 here."""

_DISCLOSED = "SELECT disclosure_id FROM disclosure WHERE outcome IN ('RELEASED', 'MATCHED')"


@contextmanager
def sender(installation: InProcessService) -> Iterator["subprocess.Popen[str]"]:
    """Run a sender until the end of the block, at which it is killed."""
    makul = installation.makul(Duty.NOTIFYING)
    process = Program(
        *("--config", makul.directory / "makul.toml", "notification", "send"),
        env=dict(makul.environment),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def disclosures(installation: InProcessService) -> set[UUID]:
    with raw(installation.settings.place) as connection:
        return {UUID(bytes=bytes(row[0])) for row in connection.execute(_DISCLOSED).fetchall()}


def delivered(directory: Path) -> Counter[UUID]:
    """Count the files of each disclosure; every file is complete, and names its attempt."""
    counted: Counter[UUID] = Counter()
    for file in directory.glob("*.json"):
        content = json.loads(file.read_bytes())
        assert file.name == f"{content['id']}.{content['attempt']}.json"
        counted[UUID(content["disclosureId"])] += 1
    return counted


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the sender does not get on"
        time.sleep(0.01)


def test_senders_killed_while_they_drain(
    installation: InProcessService, database: str, count: Count
) -> None:
    """Lost: 0. A repetition has a higher attempt number, and each kill causes at most one."""
    dice = random.Random(20261201)  # noqa: S311 -- the moments of the kills, not a secret
    directory = installation.settings.store.keys.parent / "notifications"
    with (
        run_preforked_service(installation, workers=1) as server,
        ConcurrentClients(installation, server.port) as clients,
    ):
        for _ in range(KILLS):
            clients.more(dice.randint(10, 30))
            before = delivered(directory).total()
            with sender(installation):
                until(partial(_grows, directory, before))
                time.sleep(dice.uniform(0, 0.05))
        clients.more(10)
    expected = disclosures(installation)
    with sender(installation), sender(installation):
        until(lambda: set(delivered(directory)) == expected)
        until(lambda: _waiting(installation) == 0)

    files = delivered(directory)
    repeated = files.total() - len(files)
    assert set(files) == expected
    assert repeated <= KILLS
    assert len(expected) > KILLS * 10
    count(
        f"kill -9 of a sender x{KILLS} [{database}]: {len(expected):,} notifications, 0 lost,"
        f" {repeated} delivered twice, each marked"
    )


def _grows(directory: Path, before: int) -> bool:
    return delivered(directory).total() > before


def _waiting(installation: InProcessService) -> int:
    with raw(installation.settings.place) as connection:
        sql = "SELECT count(*) FROM notification WHERE next_at IS NOT NULL"
        return int(connection.execute(sql).fetchone()[0])
