"""On which database houses keep their record, and what every run tells at its end.

`pytest --database postgresql tests/e2e` plays the end-to-end tests on PostgreSQL.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from makul_testing.external.postgres import cluster
from makul_testing.in_process_service import IN_A_FILE, RecordDatabase, on_server

CORPUS = "corpus"
"""The property under which a test of the corpus records its answer: `accepted`, or the reason."""

BYTES = "corpus-bytes"
"""How many changes of one byte a test tried."""

FAULTS = "faults"
"""The property under which a test of a fault records its line of counts."""

settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # how long an example takes is a matter of the machine, and of who else uses it
settings.load_profile("busy")


os.environ["MAKUL_LANGUAGE"] = "en"
"""Programs speak English to the tests, whatever a profile or the machine's locale says."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the tests counted; with xdist too, for properties travel with the reports."""
    _tell_corpus(terminalreporter)
    _tell_faults(terminalreporter)


def _tell_faults(terminalreporter: Any) -> None:
    """One line a fault and database, of tests that passed: the others say more by themselves."""
    lines = [
        value
        for report in terminalreporter.stats.get("passed", ())
        for name, value in report.user_properties
        if name == FAULTS
    ]
    if lines:
        terminalreporter.write_sep("-", "faults")
        for line in sorted(lines):
            terminalreporter.write_line(f"faults: {line}")


def _tell_corpus(terminalreporter: Any) -> None:
    answers: Counter[str] = Counter()
    wrong = changed = 0
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            said = [value for name, value in report.user_properties if name == CORPUS]
            if outcome == "passed":
                answers.update(said)
                changed += sum(each for name, each in report.user_properties if name == BYTES)
            elif said:
                wrong += 1
    if not (answers or wrong or changed):
        return
    accepted = answers.pop("accepted", 0)
    by_reason = " · ".join(f"{reason} {count}" for reason, count in sorted(answers.items()))
    terminalreporter.write_sep("-", "attack corpus")
    told = f"corpus: {answers.total()} refused, {accepted} accepted, as expected"
    terminalreporter.write_line(f"{told}; {wrong} otherwise; by reason: {by_reason}")
    if changed:
        terminalreporter.write_line(f"corpus: {changed} changes of one signed byte, all refused")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database`."""
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="where houses keep their record; the store's own tests always try both",
    )


@pytest.fixture(scope="session")
def record_database(request: pytest.FixtureRequest) -> Iterator[RecordDatabase]:
    """Where houses keep their record, by `--database`."""
    if request.config.getoption("database") == "sqlite":
        yield IN_A_FILE
        return
    with cluster() as server:
        yield on_server(lambda: server)
