"""Run all targets, each in its own process, within `FUZZ_SECONDS`: `python -m fuzz`.

The last line is `fuzz: N inputs, M findings`; the exit status is 1 if M is not 0.
"""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fuzz.run import TARGETS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
AT_ONCE = 2
SPARE = 120
"""Seconds beyond its share after which a process is killed: a hang is a finding."""


def main() -> int:
    if sys.argv[1:]:  # one target, with its own options
        return subprocess.run(
            [sys.executable, "-m", "fuzz.run", *sys.argv[1:]], check=False
        ).returncode
    share = max(SECONDS * AT_ONCE / len(TARGETS), 1.0)
    with (
        tempfile.TemporaryDirectory(prefix="makul-fuzz-") as home,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        results = list(pool.map(lambda name: _fuzz(name, share, home), TARGETS))
    for each in results:
        print(f"{each['target']:14} {each['inputs']:>8} inputs  {len(each['found'])} findings")
        for finding in each["found"]:
            print(f"    {finding}")
    inputs, found = (
        sum(each["inputs"] for each in results),
        sum(len(each["found"]) for each in results),
    )
    print(f"fuzz: {inputs} inputs, {found} findings")
    return 1 if found else 0


def _fuzz(name: str, seconds: float, home: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "fuzz.run", name, "--seconds", str(seconds)]
    try:
        result = subprocess.run(
            [*command, "--seed", str(SEED), "--findings", str(Path("build/fuzz"))],
            capture_output=True,
            encoding="utf-8",
            timeout=seconds + SPARE,
            env=os.environ | {"TMPDIR": home},
            check=False,
        )
        results: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        return {"target": name, "inputs": 0, "found": [f"{name}: the process hung or died"]}
    return results


if __name__ == "__main__":
    sys.exit(main())
