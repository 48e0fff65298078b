"""GetPersonData over HTTP: requests a second and latencies, by database and workers.

Makul and the naive peer are served side by side over the same citizens, with alternating batches,
so that other load of the machine affects both. The ratio is the median over the rounds; the two
batches of a round are seconds apart.

There are two kinds of citizens. Those who *come back* have their certificate's path in Makul's
cache after their first request. *New* ones are requested once each, so that every path is built.
The peer has no cache, and both are the same to it.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Loaded, load, percentile
from bench.peer.database import build_peer_database
from bench.peer.server import PATH, run_peer
from bench.population import Signer, signers, spread
from bench.requests import ask_about, ask_peer_about
from bench.stores import Database
from makul_testing.in_process_service import InProcessService
from makul_testing.processes.service import run_service

CONNECTIONS = 8
"""Twice a worker's threads: one worker has some waiting, four have work for half their threads."""
PEOPLE = 10_000
COMING_BACK = 100
"""The number of citizens who are requested repeatedly."""
WORKERS = (1, 2, 4)
NEW_WITH = 2
"""The number of workers for new citizens: as many as this machine has cores."""
MAKULS_BATCH, PEERS_BATCH = 300, 150
"""The number of messages of a batch, which take a second or two."""
WARMING = 200


@dataclass(slots=True)
class Series:
    """The batches that one service answered."""

    batches: list[Loaded] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Return the rate and latencies for the report."""
        latencies = [each for batch in self.batches for each in batch.latencies]
        return {
            "requests_per_second": round(median(batch.rate for batch in self.batches), 1),
            **{
                f"p{percent}_ms": round(percentile(latencies, percent) * 1e3, 1)
                for percent in (50, 95, 99)
            },
            "requests": len(latencies),
            "histogram_ms": histogram(latencies),
        }


def histogram(latencies: Sequence[float]) -> dict[str, int]:
    """Return how many answers took less than each bound, and not less than the bound before."""
    counts: dict[str, int] = {}
    for latency in latencies:
        bound = 1.0
        while latency * 1e3 >= bound:
            bound *= 2**0.5
        key = f"{bound:.1f}"
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: float(item[0])))


def measure_throughput(
    directory: Path, database: Database, *, rounds: int, peer: bool
) -> dict[str, Any]:
    """Measure by number of workers, and with new citizens for one number of them."""
    installation = database.installation(directory / "installation", people=PEOPLE)
    url = database.peer_url(directory)
    if peer:
        build_peer_database(
            directory / "peer", installation.world, installation.world.people, url=url
        )
    measuring = _Measuring(installation, directory, rounds=rounds, peer=peer)
    known = signers(installation.world, COMING_BACK)
    fresh = signers(installation.world, rounds * MAKULS_BATCH, beyond=COMING_BACK)
    try:
        return {
            **{
                str(workers): measuring.run(workers, lambda count, _: list(spread(known, count)))
                for workers in WORKERS
            },
            "new_citizens": measuring.run(NEW_WITH, _in_turn(fresh), warm=known),
        }
    finally:
        installation.close()


def _in_turn(fresh: Sequence[Signer]) -> Callable[[int, int], list[Signer]]:
    """Return each round's own citizens."""
    return lambda count, turn: list(fresh[turn * MAKULS_BATCH :][:count])


class _Measuring:
    """One database's service and peer."""

    def __init__(
        self, installation: InProcessService, directory: Path, *, rounds: int, peer: bool
    ) -> None:
        self._installation = installation
        self._directory = directory
        self._rounds = rounds
        self._peer = peer

    def run(
        self,
        workers: int,
        choose: Callable[[int, int], list[Signer]],
        *,
        warm: Sequence[Signer] = (),
    ) -> dict[str, Any]:
        """Serve both, load them in turn, and return the figures of each and their ratio."""
        makul, peer = Series(), Series()
        with ExitStack() as stack:
            config = self._directory / "installation" / "makul.toml"
            log = self._directory / "makul.log"
            ours = stack.enter_context(run_service(config, workers=workers, log=log))
            theirs = None
            if self._peer:
                theirs = stack.enter_context(run_peer(self._directory / "peer", workers=workers))
            for turn in range(-1, self._rounds):
                first = turn < 0
                if first:
                    chosen = list(spread(warm, WARMING)) if warm else choose(WARMING, 0)
                else:
                    chosen = choose(MAKULS_BATCH, turn)
                messages = ask_about(self._installation, chosen)
                loaded = load(ours.port, messages, connections=CONNECTIONS)
                if not first:
                    makul.batches.append(loaded)
                if theirs is None:
                    continue
                messages = ask_peer_about(self._installation, chosen[:PEERS_BATCH])
                loaded = load(theirs.port, messages, connections=CONNECTIONS, path=PATH)
                if not first:
                    peer.batches.append(loaded)
        return _figures(makul, peer)


def _figures(makul: Series, peer: Series) -> dict[str, Any]:
    figures: dict[str, Any] = {"makul": makul.figures()}
    if peer.batches:
        figures["peer"] = peer.figures()
        ratios = [
            ours.rate / theirs.rate
            for ours, theirs in zip(makul.batches, peer.batches, strict=True)
        ]
        figures["ratio"] = round(median(ratios), 2)
        figures["ratios"] = [round(ratio, 2) for ratio in ratios]
    return figures


def line(name: str, workers: str, figures: dict[str, Any]) -> str:
    """Format one configuration for printing."""
    parts = [f"{name:10} {workers:>12}"]
    for who in ("makul", "peer"):
        if who in figures:
            each = figures[who]
            parts.append(
                f"{who} {each['requests_per_second']:6.1f}/s p50 {each['p50_ms']:6.1f}"
                f" p95 {each['p95_ms']:6.1f} p99 {each['p99_ms']:6.1f} ms"
            )
    if "ratio" in figures:
        parts.append(f"×{figures['ratio']:.2f}")
    return "  ".join(parts)
