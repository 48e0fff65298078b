"""Fixtures and options of all tests: the database of services, and the summary of a run.

`pytest --database postgresql tests/e2e` runs the end-to-end tests on PostgreSQL.
"""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from makul_testing.external.postgres import cluster
from makul_testing.in_process_service import IN_A_FILE, RecordDatabase, on_server
from makul_testing.log_handlers import restored_root_logger
from makul_testing.signal_handlers import restored_signal_handlers
from makul_testing.temporary_files import use_memory_for_temporary_files

CORPUS = "corpus"
"""The property under which a test of the corpus records its answer: `accepted`, or the reason."""

BYTES = "corpus-bytes"
"""The property with the number of changes of one byte that a test tried."""

FAULTS = "faults"
"""The property under which a test of a fault records its line of counts."""

settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # how long an example takes is a matter of the machine, and of who else uses it
settings.load_profile("busy")

use_memory_for_temporary_files()

os.environ["MAKUL_LANGUAGE"] = "en"
"""Let programs speak English to the tests, for any profile and locale of the machine."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the tests counted; it works with xdist, because reports carry properties."""
    _print_corpus(terminalreporter)
    _print_faults(terminalreporter)


def _print_faults(terminalreporter: Any) -> None:
    """Print one line for each fault and database of passed tests; failed ones print more."""
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


def _print_corpus(terminalreporter: Any) -> None:
    answers: Counter[str] = Counter()
    wrong = changed = 0
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            answered = [value for name, value in report.user_properties if name == CORPUS]
            if outcome == "passed":
                answers.update(answered)
                changed += sum(each for name, each in report.user_properties if name == BYTES)
            elif answered:
                wrong += 1
    if not (answers or wrong or changed):
        return
    accepted = answers.pop("accepted", 0)
    by_reason = " · ".join(f"{reason} {count}" for reason, count in sorted(answers.items()))
    terminalreporter.write_sep("-", "attack corpus")
    summary = f"corpus: {answers.total()} refused, {accepted} accepted, as expected"
    terminalreporter.write_line(f"{summary}; {wrong} otherwise; by reason: {by_reason}")
    if changed:
        terminalreporter.write_line(f"corpus: {changed} changes of one signed byte, all refused")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Restore the handlers of signals and of the root logger after each test."""
    with restored_signal_handlers(), restored_root_logger():
        return (yield)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking through 11,000 tests that live to the end anyway.

    What tests make is mostly free of cycles: look for them less often than programs do.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--database`."""
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="database of the services under test; the store's own tests always use both",
    )


@pytest.fixture(scope="session")
def record_database(request: pytest.FixtureRequest) -> Iterator[RecordDatabase]:
    """Return the database of services, by `--database`."""
    if request.config.getoption("database") == "sqlite":
        yield IN_A_FILE
        return
    with cluster() as server:
        yield on_server(lambda: server)
