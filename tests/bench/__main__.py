"""`make bench`: measure the cost of a disclosure and the throughput of the service.

    trust     CPU of verifying a consent, and its floor
    cpu       CPU of a whole GetPersonData, its floor, and its stages
    soak      a worker's memory over ten thousand requests
    http      requests a second and latencies by database and workers, over HTTP
    threads   requests a second on SQLite with one thread a worker, and with four
    peer      the same for a naive peer, in turn with Makul
    persons   the median request with ten thousand and with a million citizens registered
    ledger    leaves a second to which the sequencer assigns indexes
    month     a month of a million disclosures, counted, exported, and stated with signatures
    usage     p95 of a page of findUsage and of ListDisclosures among these disclosures
    names     error rates of the comparison of names, bounds from one half, rates of the other
    help      CPU of `makul --help` and similar commands, and their budgets

All parts take some twenty minutes, and the first time twice that, to make the caches in
build/bench-cache. `--only http,peer` chooses parts. Results go to build/bench.json, where a part
that was not measured keeps its former results, with their date and commit. `--docs` draws
docs/performance/*.svg again, and writes the tables in docs/performance.md.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import report
from bench.cpu import measure_cpu, measure_trust
from bench.help import measure_help
from bench.ledger import measure_ledger
from bench.month import measure_month
from bench.names import measure_names
from bench.persons import measure_persons
from bench.soak import measure_soak
from bench.stores import Database, databases
from bench.threads import measure_threads
from bench.throughput import line, measure_throughput
from bench.usage import measure_usage

BUILD = Path("build")
REPORT = BUILD / "bench.json"
PARTS = (
    *("trust", "cpu", "soak", "http", "threads", "peer", "persons", "ledger", "month", "names"),
    *("help", "usage"),
)

Report = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run."""

    parts: frozenset[str]
    databases: frozenset[str]
    rounds: int
    per_round: int
    soak: int
    http_rounds: int
    persons: int
    disclosures: int
    leaves: int
    docs: bool


def main() -> None:
    """Measure, print, and write build/bench.json."""
    options = _options()
    BUILD.mkdir(exist_ok=True)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as name:
        for part, measured in _measured(Path(name).resolve(), options):
            figures = {**report.merged(_kept(), measured), "machine": report.machine()}
            figures["measured"] = {**figures.get("measured", {}), part: _now(before)}
            REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    if options.docs:
        report.write(_kept())


def _kept() -> Report:
    """Return the earlier measurements."""
    return dict(json.loads(REPORT.read_text())) if REPORT.exists() else {}


def _measured(directory: Path, options: Options) -> Iterator[tuple[str, Report]]:
    """Measure each requested part, and yield each result."""
    sizes = {"rounds": options.rounds, "per_round": options.per_round}
    simple: Mapping[str, Callable[[], Report]] = {
        "trust": lambda: measure_trust(directory / "trust", **sizes),
        "cpu": lambda: measure_cpu(directory / "cpu", **sizes),
        "soak": lambda: measure_soak(directory / "soak", requests=options.soak),
        "threads": lambda: _threads(directory, options),
        "month": lambda: _month(options),
        "usage": lambda: _usage(options),
        "names": measure_names,
        "help": measure_help,
    }
    for part, measure in simple.items():
        if part in options.parts:
            yield part, measure()
    if not options.parts & {"http", "peer", "persons", "ledger"}:
        return
    with databases() as kinds:
        chosen = {name: kinds[name] for name in sorted(options.databases & kinds.keys())}
        if options.parts & {"http", "peer"}:
            yield "http", _http(directory, chosen, options)
        if "persons" in options.parts:
            yield "persons", _persons(directory, chosen, options)
        if "ledger" in options.parts:
            yield "ledger", _ledger(directory, chosen, options)


def _http(directory: Path, chosen: Mapping[str, Database], options: Options) -> Report:
    throughput: Report = {}
    for name, database in chosen.items():
        throughput[name] = measure_throughput(
            directory / f"http-{name}",
            database,
            rounds=options.http_rounds,
            peer="peer" in options.parts,
        )
        for workers, figures in throughput[name].items():
            print(line(name, workers, figures), flush=True)
    return {"throughput": throughput}


def _threads(directory: Path, options: Options) -> Report:
    threads = measure_threads(directory / "threads", rounds=options.http_rounds)
    rates = threads["requests_per_second"]
    each = ", ".join(f"{count}: {rate}/s" for count, rate in rates.items())
    print(f"sqlite: by threads of a worker {each}; ratio {threads['ratio']}", flush=True)
    return {"threads": threads}


def _persons(directory: Path, chosen: Mapping[str, Database], options: Options) -> Report:
    persons: Report = {}
    for name, database in chosen.items():
        measured = measure_persons(
            directory / f"persons-{name}",
            database,
            rounds=options.http_rounds,
            large=options.persons,
        )
        persons[name] = measured
        print(
            f"{name}: p50 with {options.persons:,} citizens / 10,000: {measured['p50_ratio']:.3f}"
        )
    return {"persons": persons}


def _ledger(directory: Path, chosen: Mapping[str, Database], options: Options) -> Report:
    ledger: Report = {}
    for name, database in chosen.items():
        measured = measure_ledger(directory / f"ledger-{name}", database, leaves=options.leaves)
        ledger[name] = measured
        print(f"{name}: {measured['leaves_per_second']:,} leaves a second sequenced and published")
    return {"ledger": ledger}


def _month(options: Options) -> Report:
    month = measure_month(count=options.disclosures)
    print(
        f"a month of {options.disclosures:,}: counted in {month['aggregate_seconds']} s, written"
        f" out in {month['export_seconds']} s, memory grew by {month['export_rss_growth_mb']} MB;"
        f" statements built and signed in {month['statement_seconds']} s"
    )
    return {
        "month": month,
        "month_aggregate_seconds": month["aggregate_seconds"],
        "month_1m_seconds": month["statement_seconds"],
        "month_rss_growth_mb": month["statement_rss_growth_mb"],
        "export_rss_growth_mb": month["export_rss_growth_mb"],
    }


def _usage(options: Options) -> Report:
    usage = measure_usage(count=options.disclosures)
    print(
        f"p95 among {options.disclosures:,}: findUsage {usage['find_usage_frequent_p95_ms']} ms,"
        f" ListDisclosures {usage['list_frequent_p95_ms']} ms"
    )
    return {"usage": usage, "find_usage_p95_ms": usage["find_usage_frequent_p95_ms"]}


def _options() -> Options:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_parts, default=frozenset(PARTS), help="parts, with commas")
    parser.add_argument("--database", action="append", choices=("sqlite", "postgresql"))
    parser.add_argument("--rounds", type=int, default=25, help="of trust and cpu")
    parser.add_argument("--per-round", type=int, default=40, help="requests, of trust and cpu")
    parser.add_argument("--soak", type=int, default=10_000, help="requests for memory's growth")
    parser.add_argument(
        "--http-rounds", type=int, default=7, help="of http, threads, peer, persons"
    )
    parser.add_argument("--persons", type=int, default=1_000_000, help="of the larger register")
    parser.add_argument("--disclosures", type=int, default=1_000_000, help="of the month")
    parser.add_argument("--leaves", type=int, default=200_000, help="that the sequencer takes")
    parser.add_argument("--docs", action="store_true", help="write plots and table of the docs")
    options = parser.parse_args()
    return Options(
        parts=options.only,
        databases=frozenset(options.database or ("sqlite", "postgresql")),
        rounds=options.rounds,
        per_round=options.per_round,
        soak=options.soak,
        http_rounds=options.http_rounds,
        persons=options.persons,
        disclosures=options.disclosures,
        leaves=options.leaves,
        docs=options.docs,
    )


def _parts(text: str) -> frozenset[str]:
    parts = frozenset(text.split(",")) - {""}
    if parts - set(PARTS):
        raise argparse.ArgumentTypeError(f"parts are {', '.join(PARTS)}")
    return parts


def _now(load: float) -> str:
    """Return the time, the commit and the load of the machine before the measurement."""
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, check=False, text=True
    )
    commit = result.stdout.strip() or "no commit"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit}, load {load:.1f}"


if __name__ == "__main__":
    main()
