"""CPU of commands that only print their help, each in its own process.

The best of some runs counts, because it contains the least other work of the machine.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

RUNS = 7
BUDGET_SECONDS: dict[str, float | None] = {
    "makul --help": 0.5,
    "makul person --help": None,
    "makul recipient add --help": None,
    "makul-client --help": 0.35,
    "makul-client get --help": None,
    "makul-oversight --help": 0.35,
}
"""The maximum seconds: a person perceives half a second as immediate; the client does less.

The help of a single command has no budget: typer loads pydantic for it.
"""


def measure_help(runs: int = RUNS) -> dict[str, Any]:
    """Return the CPU of each command beside its budget."""
    measured = {}
    for command, budget in BUDGET_SECONDS.items():
        spent = round(min(_cpu_seconds(command) for _ in range(runs)), 3)
        verdict = ", over its budget" if budget is not None and spent > budget else ""
        print(f"{command}: {spent:.2f} s of CPU{verdict}", flush=True)
        measured[command] = {"cpu_seconds": spent, "budget_seconds": budget}
    return {"help": measured}


def _cpu_seconds(command: str) -> float:
    """Return the user and system time of one run.

    No other thread of this process runs meanwhile.
    """
    program, *arguments = command.split()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "80"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
