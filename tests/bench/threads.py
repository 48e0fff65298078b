"""GetPersonData over HTTP on SQLite: a worker with one thread, and with four, side by side.

Two listeners serve the same records. Batches alternate, and the order changes each round, so that
other load of the machine affects both. The ratio is the median over the rounds.
"""

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import load
from bench.population import signers, spread
from bench.requests import ask_about
from bench.stores import Sqlite
from bench.throughput import COMING_BACK, CONNECTIONS, MAKULS_BATCH, WARMING
from makul_testing.processes.service import run_service

PEOPLE = 1_000
WORKERS = 2
"""As many as this machine has cores: the default of a listener on SQLite."""
THREADS = (1, 4)


def measure_threads(directory: Path, *, rounds: int) -> dict[str, Any]:
    """Return the requests a second by threads of a worker, and the ratio of one to four."""
    installation = Sqlite().installation(directory / "installation", people=PEOPLE)
    config = directory / "installation" / "makul.toml"
    known = signers(installation.world, COMING_BACK)
    rates: dict[int, list[float]] = {threads: [] for threads in THREADS}
    try:
        with ExitStack() as stack:
            servers = {
                threads: stack.enter_context(
                    run_service(
                        config,
                        workers=WORKERS,
                        threads=threads,
                        log=directory / f"{threads}.log",
                    )
                )
                for threads in THREADS
            }
            for turn in range(-1, rounds):
                count = WARMING if turn < 0 else MAKULS_BATCH
                for threads in THREADS if turn % 2 else THREADS[::-1]:
                    messages = ask_about(installation, list(spread(known, count)))
                    loaded = load(servers[threads].port, messages, connections=CONNECTIONS)
                    if turn >= 0:
                        rates[threads].append(loaded.rate)
    finally:
        installation.close()
    one, many = (rates[threads] for threads in THREADS)
    ratios = [fast / slow for fast, slow in zip(one, many, strict=True)]
    return {
        "requests_per_second": {str(each): round(median(rates[each]), 1) for each in THREADS},
        "ratio": round(median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }
