"""Figures, as they are told: nothing is drawn or listed that was not measured."""

import json
from typing import Any

import pytest
from lxml import etree

from bench import report
from bench.__main__ import PARTS, _parts
from bench.load import Loaded
from bench.throughput import Series, histogram

SVG = "{http://www.w3.org/2000/svg}"


def _series(*rates: float) -> dict[str, Any]:
    batches = [Loaded(2 / rate, (0.010, 0.200)) for rate in rates]
    return Series(batches).told()


def _measured() -> dict[str, Any]:
    told = {"makul": _series(90, 100, 300), "peer": _series(40, 50, 60), "ratio": 2.0}
    throughput = {"sqlite": dict.fromkeys(("1", "2", "new_citizens"), told)}
    told_before = {"machine": "a machine", "measured": {"http": "today"}}
    return report.merged(told_before, {"throughput": throughput})


def test_a_rate_is_that_of_the_middle_round() -> None:
    """One round in which the machine did something else decides nothing."""
    told = _series(90, 100, 300)

    assert told["requests_per_second"] == 100
    assert (told["p50_ms"], told["p99_ms"], told["requests"]) == (10.0, 200.0, 6)


def test_a_histogram_counts_each_answer_once() -> None:
    """Bounds grow by the root of two; an answer stands below its bound, and not below the last."""
    counts = histogram([0.0005, 0.001, 0.0014, 0.0021, 0.1])

    assert sum(counts.values()) == 5
    assert list(counts) == sorted(counts, key=float)
    assert (counts["1.0"], counts["1.4"], counts["2.8"]) == (1, 2, 1)


def test_the_headline_is_one_configuration_or_the_worse_database() -> None:
    """As many workers as cores; without it there is no headline."""
    measured = _measured()
    assert measured["naive_peer_throughput_ratio"] == 2.0
    assert measured["requests_per_second"] == 100
    assert report.headlines({"throughput": {"postgresql": {}}}) == {}

    persons = {"sqlite": {"p50_ratio": 1.1}, "postgresql": {"p50_ratio": 1.3}}
    ledger = {"sqlite": {"leaves_per_second": 9}, "postgresql": {"leaves_per_second": 5}}
    assert report.headlines({"persons": persons, "ledger": ledger}) == {
        "p50_ratio_1m_over_10k": 1.3,
        "sequencer_leaves_per_second": 5,
    }


def test_a_database_that_was_not_measured_keeps_its_figures() -> None:
    """So that one may be measured after the other; what both make up is told anew."""
    kept = report.merged({}, {"persons": {"sqlite": {"p50_ratio": 1.1}}, "rss_mb": 1})
    both = report.merged(kept, {"persons": {"postgresql": {"p50_ratio": 1.0}}})

    assert set(both["persons"]) == {"sqlite", "postgresql"}
    assert (both["p50_ratio_1m_over_10k"], both["rss_mb"]) == (1.1, 1)


def test_plots_are_drawings_with_the_figures_in_them() -> None:
    """Well-formed, a text for every value; the same figures give the same bytes."""
    drawn = dict(report.plots(_measured()))

    assert set(drawn) == {"throughput-sqlite.svg", "latency-sqlite.svg"}
    texts = [
        text.text for text in etree.fromstring(drawn["throughput-sqlite.svg"]).iter(f"{SVG}text")
    ]
    assert texts.count("100") >= 3
    assert "naive peer" in texts
    curves = list(etree.fromstring(drawn["latency-sqlite.svg"]).iter(f"{SVG}polyline"))
    assert len(curves) == 2
    assert drawn == dict(report.plots(json.loads(json.dumps(_measured()))))


def test_tables_tell_what_was_measured_and_no_more() -> None:
    """A part that was not measured has no table."""
    told = report.tables(_measured())

    assert "| 2 | Makul | 100 | 10.0 ms | 200.0 ms | 200.0 ms | **2.00** |" in told
    assert "By citizens registered" not in told
    assert "Machine: a machine." in told


def test_the_page_keeps_what_stands_around_the_figures(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a page without a place for them is left alone."""
    page = tmp_path / "performance.md"
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PLOTS", tmp_path / "plots")
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")

    report.write(_measured())
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    report.write(_measured())
    assert page.read_text() == written

    page.write_text("no place")
    with pytest.raises(SystemExit):
        report.write(_measured())
    assert page.read_text() == "no place"


def test_parts_are_chosen_by_name() -> None:
    """None of them only draws; a name that is none is told."""
    assert _parts("http,peer") == {"http", "peer"}
    assert _parts("") == frozenset()
    assert set(PARTS) > _parts("month")
    with pytest.raises(Exception, match="parts are"):
        _parts("https")
