"""The report draws and lists only what was measured."""

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
    return Series(batches).figures()


def _measured() -> dict[str, Any]:
    figures = {"makul": _series(90, 100, 300), "peer": _series(40, 50, 60), "ratio": 2.0}
    throughput = {"sqlite": dict.fromkeys(("1", "2", "new_citizens"), figures)}
    told_before = {"machine": "a machine", "measured": {"http": "today"}}
    return report.merged(told_before, {"throughput": throughput})


def test_a_rate_is_that_of_the_median_round() -> None:
    """A single round with other load on the machine decides nothing."""
    figures = _series(90, 100, 300)

    assert figures["requests_per_second"] == 100
    assert (figures["p50_ms"], figures["p99_ms"], figures["requests"]) == (10.0, 200.0, 6)


def test_a_histogram_counts_each_answer_once() -> None:
    """Bounds grow by the root of two; an answer is below its bound, and not below the last one."""
    counts = histogram([0.0005, 0.001, 0.0014, 0.0021, 0.1])

    assert sum(counts.values()) == 5
    assert list(counts) == sorted(counts, key=float)
    assert (counts["1.0"], counts["1.4"], counts["2.8"]) == (1, 2, 1)


def test_the_headline_is_one_configuration_or_the_worse_database() -> None:
    """The headline needs as many workers as cores; without them there is none."""
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
    """One database may be measured after the other; common figures are computed again."""
    figures = report.merged({}, {"persons": {"sqlite": {"p50_ratio": 1.1}}, "rss_mb": 1})
    both = report.merged(figures, {"persons": {"postgresql": {"p50_ratio": 1.0}}})

    assert set(both["persons"]) == {"sqlite", "postgresql"}
    assert (both["p50_ratio_1m_over_10k"], both["rss_mb"]) == (1.1, 1)


def test_plots_contain_their_figures() -> None:
    """A plot is well-formed, has a text for every value, and the same bytes for the
    same figures.
    """
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


def test_tables_show_only_what_was_measured() -> None:
    """A part that was not measured has no table."""
    figures = report.tables(_measured())

    assert "| 2 | Makul | 100 | 10.0 ms | 200.0 ms | 200.0 ms | **2.00** |" in figures
    assert "By citizens registered" not in figures
    assert "Machine: a machine." in figures


def test_the_page_keeps_the_text_around_the_figures(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page without a section for the figures is not changed."""
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
    """An empty choice only draws, and an unknown name is an error."""
    assert _parts("http,peer") == {"http", "peer"}
    assert _parts("") == frozenset()
    assert set(PARTS) > _parts("month")
    with pytest.raises(Exception, match="parts are"):
        _parts("https")
