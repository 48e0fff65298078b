"""Error rates of the comparison of names: bounds from one half of the pairs, rates of the other.

No time is measured: `makul_testing.names.pairs` makes the same pairs on every machine.
"""

from typing import Any

from makul.matching.name_similarity import DOUBT, THRESHOLD
from makul_testing.names.rates import (
    Rate,
    choose_doubt,
    choose_threshold,
    count_from,
    false_matches,
    false_non_matches,
    kinds,
    scores,
)

_STEPS = (0.93, 0.95, 0.97, 0.98, 0.985, 0.988, 0.99, 1.0)


def measure_names() -> dict[str, Any]:
    """Return the bounds that the tuning half chooses, and the rates of the report half."""
    chosen = {"threshold": choose_threshold(), "doubt": choose_doubt()}
    if chosen != {"threshold": THRESHOLD, "doubt": DOUBT}:
        print(f"the tuning half chooses {chosen}: put it into makul/matching/name_similarity.py")
    halves = scores("report", "half")
    rates = {
        "fmr": _figures(false_matches("report", chosen["threshold"])),
        "fnmr": _figures(false_non_matches("report", chosen["threshold"])),
        "refused": _figures(false_non_matches("report", chosen["doubt"])),
        "doubted": _figures(false_matches("report", chosen["doubt"])),
        "half_doubted": _figures(
            Rate(
                count_from(halves, chosen["doubt"]) - count_from(halves, chosen["threshold"]),
                len(halves),
            )
        ),
    }
    for name, rate in rates.items():
        print(f"names, {name}: {format_rate(rate)}")
    return {"names": {**chosen, **rates, "tuning": _tuning(), "kinds": _kinds(**chosen)}}


def format_rate(rate: dict[str, Any]) -> str:
    """Return a rate as the documents show it."""
    return (
        f"{rate['count']:,} of {rate['total']:,}: {rate['share']:.2%}"
        f" ({rate['lower']:.2%} to {rate['upper']:.2%})"
    )


def _figures(rate: Rate) -> dict[str, Any]:
    return {
        "count": rate.count,
        "total": rate.total,
        "share": rate.share,
        "lower": rate.lower,
        "upper": rate.upper,
    }


def _tuning() -> list[dict[str, Any]]:
    """Return the rates of the tuning half at some thresholds."""
    return [
        {
            "threshold": step,
            "fmr": _figures(false_matches("tuning", step)),
            "fnmr": _figures(false_non_matches("tuning", step)),
        }
        for step in _STEPS
    ]


def _kinds(*, threshold: float, doubt: float) -> list[dict[str, Any]]:
    """Return the rates by kind of impostor, and the spellings that fail, of the report half."""
    near = [
        {
            "kind": kind,
            "matched": _figures(false_matches("report", threshold, kind)),
            "doubted": _figures(false_matches("report", doubt, kind)),
        }
        for kind in kinds("report", "impostor")
    ]
    failed = [
        {"kind": kind, "failed": _figures(false_non_matches("report", threshold, kind))}
        for kind in kinds("report", "genuine")
    ]
    return near + [row for row in failed if row["failed"]["count"]]
