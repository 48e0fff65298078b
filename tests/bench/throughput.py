"""GetPersonData over HTTP: requests a second and latencies, by database and workers.

Makul and the naive peer are served side by side over the same citizens, and loaded in turn: a batch
to the one, a batch to the other, so that whatever else the machine does falls on both. The ratio is
the median over the rounds; a round's two batches are seconds apart.

Two kinds of citizen are asked about. Those who *come back* have their certificate's path in
Makul's cache after their first request; of *new* ones each is asked about once, so that every path
is built. The peer has no cache, and both are the same to it.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.asking import ask_about, ask_peer_about
from bench.crowd import Signer, signers, spread
from bench.load import Loaded, load, percentile
from bench.peer.furnish import furnish
from bench.peer.serving import PATH, peer_served
from bench.stores import Database
from makul_testing.in_process_service import InProcess
from makul_testing.processes.service import served

CONNECTIONS = 8
"""Twice a worker's threads: one worker has some waiting, four have work for half their threads."""
PEOPLE = 10_000
COMING_BACK = 100
"""Citizens who are asked about again and again."""
WORKERS = (1, 2, 4)
NEW_WITH = 2
"""Workers where new citizens are asked about: as many as this machine has cores."""
MAKULS_BATCH, PEERS_BATCH = 300, 150
"""Messages a batch: a second or two of either."""
WARMING = 200


@dataclass(slots=True)
class Series:
    """The batches that one service answered."""

    batches: list[Loaded] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Rate and latencies, for the report."""
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
    """How many answers took less than so many milliseconds, and not less than the bound before."""
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
    """By number of workers; and with new citizens for one number of them."""
    house = database.house(directory / "house", people=PEOPLE)
    url = database.peer_url(directory)
    if peer:
        furnish(directory / "peer", house.world, house.world.people, url=url)
    measuring = _Measuring(house, directory, rounds=rounds, peer=peer)
    known = signers(house.world, COMING_BACK)
    fresh = signers(house.world, rounds * MAKULS_BATCH, beyond=COMING_BACK)
    try:
        return {
            **{
                str(workers): measuring.run(workers, lambda count, _: list(spread(known, count)))
                for workers in WORKERS
            },
            "new_citizens": measuring.run(NEW_WITH, _in_turn(fresh), warm=known),
        }
    finally:
        house.close()


def _in_turn(fresh: Sequence[Signer]) -> Callable[[int, int], list[Signer]]:
    """Each round's own citizens."""
    return lambda count, turn: list(fresh[turn * MAKULS_BATCH :][:count])


class _Measuring:
    """One database's house and peer."""

    def __init__(self, house: InProcess, directory: Path, *, rounds: int, peer: bool) -> None:
        self._house = house
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
        """Serve both, load them in turn, and tell of each and of their ratio."""
        makul, peer = Series(), Series()
        with ExitStack() as stack:
            config = self._directory / "house" / "makul.toml"
            log = self._directory / "makul.log"
            ours = stack.enter_context(served(config, workers=workers, log=log))
            theirs = None
            if self._peer:
                theirs = stack.enter_context(peer_served(self._directory / "peer", workers=workers))
            for turn in range(-1, self._rounds):
                first = turn < 0
                if first:
                    chosen = list(spread(warm, WARMING)) if warm else choose(WARMING, 0)
                else:
                    chosen = choose(MAKULS_BATCH, turn)
                messages = ask_about(self._house, chosen)
                loaded = load(ours.port, messages, connections=CONNECTIONS)
                if not first:
                    makul.batches.append(loaded)
                if theirs is None:
                    continue
                messages = ask_peer_about(self._house, chosen[:PEERS_BATCH])
                loaded = load(theirs.port, messages, connections=CONNECTIONS, path=PATH)
                if not first:
                    peer.batches.append(loaded)
        return _told(makul, peer)


def _told(makul: Series, peer: Series) -> dict[str, Any]:
    told: dict[str, Any] = {"makul": makul.told()}
    if peer.batches:
        told["peer"] = peer.told()
        ratios = [
            ours.rate / theirs.rate
            for ours, theirs in zip(makul.batches, peer.batches, strict=True)
        ]
        told["ratio"] = round(median(ratios), 2)
        told["ratios"] = [round(ratio, 2) for ratio in ratios]
    return told


def line(name: str, workers: str, told: dict[str, Any]) -> str:
    """One configuration, to be printed."""
    parts = [f"{name:10} {workers:>12}"]
    for who in ("makul", "peer"):
        if who in told:
            each = told[who]
            parts.append(
                f"{who} {each['requests_per_second']:6.1f}/s p50 {each['p50_ms']:6.1f}"
                f" p95 {each['p95_ms']:6.1f} p99 {each['p99_ms']:6.1f} ms"
            )
    if "ratio" in told:
        parts.append(f"×{told['ratio']:.2f}")
    return "  ".join(parts)
