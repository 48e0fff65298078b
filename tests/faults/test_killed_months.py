"""A build of a month is killed (kill -9): nothing half-done can be issued."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.month import month_installation
from bench.month_population import MONTH
from makul_testing.faults.record_audit import Count

DECISIONS = 600
PAGE_LINES = 20
"""The bank has half of the decisions: 15 pages, shared by several processes."""
BANK = "COM-60000001"
LONGEST_SECONDS = 120

_PROGRAM = f"""
import makul.store.reads.monthly_decisions as reads
reads.MAX_PAGE_LINES = {PAGE_LINES}
from makul.main import main
"""
_ALONE = """
import makul.admin.month_pages as pages
pages.SHARED_FROM_PAGES = 10**6
"""
"""One process builds all pages."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an installation with a month in the published log."""
    return month_installation(DECISIONS, tmp_path_factory.mktemp("months"))


def begin(directory: Path, output: Path, *, alone: bool = False) -> "subprocess.Popen[bytes]":
    """Start the command in a process of its own."""
    program = _PROGRAM + (_ALONE if alone else "") + "main()"
    command = [sys.executable, "-c", program, "--config", str(directory / "makul.toml")]
    command += ["month", "build", str(MONTH), "--recipient", "COM/60000001"]
    return subprocess.Popen([*command, "--output", str(output), "--json"], stdout=subprocess.PIPE)


def staged_pages(output: Path) -> int:
    """Return how many pages the build has written; -1 before it has begun."""
    staging = list(output.glob(f"{MONTH}/.{BANK}.*.new"))
    return len(list(staging[0].glob("page-*.xml"))) if staging else -1


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the build did not come that far"
        time.sleep(0.002)


def children(pid: int) -> set[int]:
    """Return the processes that a process has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(each) for each in found}


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def pages_of(output: Path) -> dict[str, bytes]:
    """Return the pages of the statement that exists, by name."""
    final = output / str(MONTH) / BANK
    return {page.name: page.read_bytes() for page in sorted(final.glob("page-*.xml"))}


def test_a_killed_build_leaves_nothing_to_issue(
    directory: Path, tmp_path: Path, count: Count
) -> None:
    """The next build has the bytes of one that was never killed, and that one process made."""
    undisturbed, output = tmp_path / "undisturbed", tmp_path / "months"
    whole = begin(directory, undisturbed, alone=True)
    answer, _ = whole.communicate(timeout=LONGEST_SECONDS)
    assert (whole.returncode, json.loads(answer)[0]["pages"]) == (0, DECISIONS // 2 // PAGE_LINES)
    kills = 0
    for pages in (-1, 0, 1, 4, 9, 14):
        process = begin(directory, output)
        wait_until(lambda least=pages: staged_pages(output) >= least)  # type: ignore[misc]
        workers = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        wait_until(lambda left=workers: not any(map(is_running, left)))  # type: ignore[misc]
        assert not (output / str(MONTH) / BANK).exists()

    last = begin(directory, output)
    answer, _ = last.communicate(timeout=LONGEST_SECONDS)

    assert (last.returncode, json.loads(answer)[0]["state"]) == (0, "BUILT")
    assert pages_of(output) == pages_of(undisturbed) != {}
    assert [path.name for path in (output / str(MONTH)).iterdir()] == [BANK]
    assert kills == 6
    count(
        f"kill -9 of a build of a month x{kills}: 0 half-done, then equal in every byte of a page"
    )


def test_a_killed_process_of_a_build_stops_the_build(directory: Path, tmp_path: Path) -> None:
    """The command says so, and leaves nothing."""
    output = tmp_path / "months"
    process = begin(directory, output)
    wait_until(lambda: staged_pages(output) >= 1)
    for worker in children(process.pid):
        os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=LONGEST_SECONDS)

    assert process.returncode not in {0, -signal.SIGKILL}
    assert list((output / str(MONTH)).iterdir()) == []
