"""The measurements in the form of the documents: plots, and the tables of docs/performance.md."""

import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.charts import bars, shares
from bench.names import format_rate
from bench.throughput import NEW_WITH

PAGE = Path("docs/performance.md")
PLOTS = Path("docs/performance")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BY_DATABASE = frozenset({"throughput", "persons", "ledger"})
HEADLINE = ("sqlite", "2")
"""The number of workers for the one number of the peer: the cores of the machine."""

Report = Mapping[str, Any]
Rows = Sequence[Sequence[str]]
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "makul": "Makul", "peer": "naive peer"}


def machine() -> str:
    """Describe the processor, cores, memory, kernel and Python."""
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = found[1] if found else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def merged(earlier: Report, measured: Report) -> dict[str, Any]:
    """Merge earlier with new measurements: a database that was not measured keeps its figures."""
    both = {**earlier, **measured}
    for part in BY_DATABASE & measured.keys():
        both[part] = {**earlier.get(part, {}), **measured[part]}
    return {**both, **headlines(both)}


def headlines(report: Report) -> dict[str, Any]:
    """Return the figure of each part: one configuration, or the worse of two databases."""
    name, workers = HEADLINE
    found = {}
    if name in report.get("throughput", {}):
        figures, new = (
            report["throughput"][name][workers],
            report["throughput"][name]["new_citizens"],
        )
        found["requests_per_second"] = figures["makul"]["requests_per_second"]
        if "ratio" in figures:
            found["naive_peer_throughput_ratio"] = figures["ratio"]
            found["naive_peer_throughput_ratio_new_citizens"] = new["ratio"]
    if "persons" in report:
        ratios = [measured["p50_ratio"] for measured in report["persons"].values()]
        found["p50_ratio_1m_over_10k"] = max(ratios)
    if "ledger" in report:
        rates = [measured["leaves_per_second"] for measured in report["ledger"].values()]
        found["sequencer_leaves_per_second"] = min(rates)
    return found


def write(report: Report) -> None:
    """Draw every plot that has figures, and write the tables."""
    if not report:
        raise SystemExit("nothing was measured yet")
    PLOTS.mkdir(exist_ok=True)
    for name, drawing in plots(report):
        (PLOTS / name).write_text(drawing)
    page = PAGE.read_text()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE} has no place for what was measured: {BEGIN} … {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(report)}\n{END}{after}")


def plots(report: Report) -> Iterator[tuple[str, str]]:
    """Return each plot by the name of its file."""
    for name, by_workers in report.get("throughput", {}).items():
        yield (
            f"throughput-{name}.svg",
            bars(
                f"GetPersonData a second, {_NAMES[name]}",
                {
                    _workers(workers): {
                        _NAMES[who]: figures[who]["requests_per_second"]
                        for who in ("makul", "peer")
                        if who in figures
                    }
                    for workers, figures in by_workers.items()
                },
                unit="a second",
                caption="workers",
            ),
        )
        figures = by_workers[HEADLINE[1]]
        yield (
            f"latency-{name}.svg",
            shares(
                f"Answered within, {HEADLINE[1]} workers, {_NAMES[name]}",
                {
                    _NAMES[who]: _cumulative(figures[who]["histogram_ms"])
                    for who in ("makul", "peer")
                    if who in figures
                },
            ),
        )
    if "persons" in report:
        yield (
            "persons.svg",
            bars(
                "One request at a time, by citizens registered",
                {
                    f"{_NAMES[name]}, {percent[:-3]}": {
                        f"{int(size):,}": measured[size][percent]
                        for size in sorted((key for key in measured if key.isdigit()), key=int)
                    }
                    for name, measured in report["persons"].items()
                    for percent in ("p50_ms", "p95_ms", "p99_ms")
                },
                unit="ms",
                caption="citizens asked about in turn, one connection",
            ),
        )


def tables(report: Report) -> str:
    """Return every table that has figures, in Markdown."""
    parts = [f"Machine: {report['machine']}.\n"]
    for title, heading, rows in _tables(report):
        lines = [heading, ["---"] * len(heading), *rows]
        parts.append(f"**{title}**\n")
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
    parts.extend(f"![{name[:-4]}](performance/{name})\n" for name, _ in plots(report))
    dates = sorted(f"{part} {when}" for part, when in report.get("measured", {}).items())
    parts.append("Measured: " + " · ".join(dates) + ".\n")
    return "\n".join(parts)


def _tables(report: Report) -> Iterator[tuple[str, Sequence[str], Rows]]:
    if "disclose_cpu_ratio" in report:
        yield "One request, in process", ("", "CPU", "its floor", "ratio"), _cpu_rows(report)
    if "cpu_us_by_stage" in report:
        yield "One GetPersonData, by stage", ("Stage", "CPU", "Share"), _stage_rows(report)
    for name, by_workers in report.get("throughput", {}).items():
        heading = ("Workers", "Who", "a second", "p50", "p95", "p99", "ratio")
        yield f"Over HTTP, {_NAMES[name]}", heading, list(_throughput_rows(by_workers))
    if "persons" in report:
        heading = ("Store", "Citizens", "p50", "p95", "p99", "p50, ratio")
        yield "By citizens registered", heading, list(_person_rows(report["persons"]))
    if "names" in report:
        yield from _name_tables(report["names"])
    if "help" in report:
        heading = ("Command", "CPU", "budget")
        yield "Help, the best of some runs", heading, list(_help_rows(report["help"]))
    rest = list(_other_rows(report))
    if rest:
        yield "The record", ("", ""), rest


def _cpu_rows(report: Report) -> Rows:
    return [
        (
            "GetPersonData",
            f"{report['disclose_cpu_us'] / 1e3:.2f} ms",
            f"{report['floor_cpu_us'] / 1e3:.2f} ms",
            f"**{report['disclose_cpu_ratio']:.2f}**",
        ),
        (
            f"a consent of {report['verify_document_bytes']:,} bytes verified",
            f"{report['verify_cpu_us']:.0f} µs",
            f"{report['verify_floor_cpu_us']:.0f} µs",
            f"**{report['verify_cpu_ratio']:.1f}**",
        ),
    ]


def _stage_rows(report: Report) -> Rows:
    spent: Mapping[str, float] = report["cpu_us_by_stage"]
    total = sum(spent.values())
    return [
        (stage, f"{each / 1e3:.2f} ms", f"{each / total:.1%}")
        for stage, each in sorted(spent.items(), key=lambda item: -item[1])
    ]


def _throughput_rows(by_workers: Report) -> Iterator[Sequence[str]]:
    for workers, figures in by_workers.items():
        for who in ("makul", "peer"):
            if who in figures:
                each = figures[who]
                latencies = [f"{each[f'p{percent}_ms']:.1f} ms" for percent in (50, 95, 99)]
                ratio = (
                    f"**{figures['ratio']:.2f}**" if who == "makul" and "ratio" in figures else ""
                )
                rate = f"{each['requests_per_second']:.0f}"
                yield _workers(workers), _NAMES[who], rate, *latencies, ratio


def _person_rows(persons: Report) -> Iterator[Sequence[str]]:
    for name, measured in persons.items():
        sizes = sorted((key for key in measured if key.isdigit()), key=int)
        for size in sizes:
            each = measured[size]
            latencies = [f"{each[f'p{percent}_ms']:.2f} ms" for percent in (50, 95, 99)]
            ratio = f"**{measured['p50_ratio']:.3f}**" if size == sizes[-1] else ""
            yield _NAMES[name], f"{int(size):,}", *latencies, ratio


def _name_tables(names: Report) -> Iterator[tuple[str, Sequence[str], Rows]]:
    whole = (
        (f"two names, taken for one (FMR, from {names['threshold']})", "fmr"),
        (f"one name, not matched (FNMR, below {names['threshold']})", "fnmr"),
        (f"one name, refused outright (below {names['doubt']})", "refused"),
        ("two near names, a doubt or more", "doubted"),
        ("half of a double surname, a doubt", "half_doubted"),
    )
    rows = [(figures, format_rate(names[key])) for figures, key in whole]
    yield "Names, the report half", ("", "95 % bounds"), rows
    near = [kind for kind in names["kinds"] if "matched" in kind]
    yield (
        "Names, the report half by kind of near name",
        ("Two names", "matched", "a doubt or more"),
        [(k["kind"], format_rate(k["matched"]), format_rate(k["doubted"])) for k in near],
    )
    yield (
        "Names, the spellings of the report half that fail",
        ("Written in", "not matched"),
        [(k["kind"], format_rate(k["failed"])) for k in names["kinds"] if "failed" in k],
    )
    yield (
        "Names, the tuning half",
        ("Threshold", "FMR", "FNMR"),
        [
            (str(step["threshold"]), format_rate(step["fmr"]), format_rate(step["fnmr"]))
            for step in names["tuning"]
        ],
    )


def _help_rows(measured: Report) -> Iterator[Sequence[str]]:
    for command, each in measured.items():
        budget = each["budget_seconds"]
        yield (
            f"`{command}`",
            f"{each['cpu_seconds']:.2f} s",
            "" if budget is None else f"{budget:.2f} s",
        )


def _other_rows(report: Report) -> Iterator[Sequence[str]]:
    for name, measured in report.get("ledger", {}).items():
        figures = f"leaves a second sequenced, signed and published, {_NAMES[name]}"
        yield figures, f"**{measured['leaves_per_second']:,}**"
    month = report.get("month")
    if month:
        count = f"a month of {month['disclosures']:,} disclosures, SQLite"
        yield (
            f"{count}, counted: the first time, and again",
            (f"{month['aggregate_first_seconds']:.2f} s, {month['aggregate_seconds']:.2f} s"),
        )
        yield (
            f"{count}, exported",
            (f"{month['export_seconds']:.0f} s, {month['export_mb']:,.0f} MB of NDJSON"),
        )
        yield (
            "the export's memory, and how much it grew",
            (f"{month['export_rss_mb']:.0f} MB, {month['export_rss_growth_mb']:.1f} MB"),
        )
        if "statement_seconds" in month:
            yield (
                f"{count}, statements built and signed; memory, and how much it grew",
                (
                    f"{month['statement_seconds']:.0f} s; {month['statement_rss_mb']:.0f} MB,"
                    f" {month['statement_rss_growth_mb']:.1f} MB"
                ),
            )
    usage = report.get("usage")
    if usage:
        count = f"p95 of a page among {usage['disclosures']:,} disclosures, SQLite"
        for name, title in (("find_usage", "findUsage"), ("list", "ListDisclosures")):
            yield (
                f"{count}, {title}: a subject with many, and another",
                (
                    f"{usage[f'{name}_frequent_p95_ms']:.1f} ms,"
                    f" {usage[f'{name}_other_p95_ms']:.1f} ms"
                ),
            )
    if "rss_mb" in report:
        yield (
            f"a worker's memory after {report['soak_requests']:,} requests, and how much it grew",
            (f"{report['rss_mb']:.0f} MB, {report['rss_growth_mb']:.1f} MB"),
        )


def _workers(key: str) -> str:
    return f"{NEW_WITH}, new citizens" if key == "new_citizens" else key


def _cumulative(histogram: Mapping[str, int]) -> list[tuple[float, float]]:
    """Return the share within each bound."""
    total, so_far = sum(histogram.values()), 0
    first = float(next(iter(histogram)))
    points = [(first / 2**0.5, 0.0)]
    for bound, count in histogram.items():
        so_far += count
        points.append((float(bound), so_far / total))
    return points
