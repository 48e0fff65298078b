"""The time of a request by the number of citizens in the register.

Two services over registers of ten thousand and of a million citizens are each served by one worker.
The same number of citizens is requested from both, over one connection, so that a latency is that
of a request and not of a queue. Batches alternate.
"""

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import load, percentile
from bench.population import StoredPopulation, signers
from bench.requests import ask_about
from bench.stores import Database
from makul_testing.in_process_service import InProcessService
from makul_testing.processes.service import run_service

SMALL, LARGE = 10_000, 1_000_000
BATCH = 100
BATCHES_A_ROUND = 3
"""Batches are short and alternate often: the machine's other load changes by the second."""
ASKED_ABOUT = BATCH * BATCHES_A_ROUND
"""Citizens, spread over the register by the blind index of their PINs."""


def measure_persons(
    directory: Path, database: Database, *, rounds: int, large: int = LARGE
) -> dict[str, Any]:
    """Measure the median request over each register, and their ratio."""
    sizes = {SMALL: 0, large: large - SMALL}
    latencies: dict[int, list[float]] = {size: [] for size in sizes}
    medians: dict[int, list[float]] = {size: [] for size in sizes}
    installations = {
        size: _installation(directory / f"{size}", database, population)
        for size, population in sizes.items()
    }
    people = {
        size: signers(installation.world, ASKED_ABOUT)
        for size, installation in installations.items()
    }
    with ExitStack() as stack:
        servers = {
            size: stack.enter_context(
                run_service(
                    directory / f"{size}" / "makul.toml", workers=1, log=directory / f"{size}.log"
                )
            )
            for size in sizes
        }
        for turn in range(-BATCHES_A_ROUND, BATCHES_A_ROUND * rounds):
            # each goes first equally often
            for size, installation in sorted(installations.items(), reverse=turn % 2 == 0):
                first = BATCH * (turn % BATCHES_A_ROUND)
                messages = ask_about(installation, people[size][first : first + BATCH])
                loaded = load(servers[size].port, messages, connections=1)
                if turn >= 0:
                    latencies[size] += loaded.latencies
                    medians[size].append(median(loaded.latencies))
    for installation in installations.values():
        installation.close()
    ratios = [many / few for few, many in zip(medians[SMALL], medians[large], strict=True)]
    return {
        "p50_ratio": round(median(ratios), 3),
        "p50_ratios": [round(ratio, 3) for ratio in ratios],
        **{
            f"{size}": {
                f"p{percent}_ms": round(percentile(latencies[size], percent) * 1e3, 2)
                for percent in (50, 95, 99)
            }
            for size in sizes
        },
    }


def _installation(directory: Path, database: Database, population: int) -> InProcessService:
    """Build a service of ten thousand citizens, and as many more as fill it."""
    if not population:
        return database.installation(directory, people=SMALL)
    filling = StoredPopulation(population)
    installation = database.installation(directory, people=SMALL, keys=filling.keys)
    database.fill(installation, filling)
    return installation
