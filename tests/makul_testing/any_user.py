"""Run every command of the programs under the user of this process; print a report as JSON.

tests/e2e/test_any_user.py runs it in a process with a uid that has no passwd entry.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from makul.admin.runtime import Runtime
from makul.cli import build
from makul.net.users import identify_operator
from makul_client.cli.main import app
from makul_client.cli.oversight.main import app as oversight_app
from makul_testing.cli_runner import install

LISTS = (
    ("recipient", "list"),
    ("signatory", "list"),
    ("agreement", "list"),
    ("notice", "list"),
    ("disclosure", "list"),
    ("disclosure", "statistics", "--month", "2026-11"),
    ("key", "show"),
    ("store", "status"),
    ("ledger", "status"),
)
"""Commands that read an installation, and end by themselves."""


def _commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield name
    for each, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*name, each))


def _helped(program: Any) -> dict[str, int]:
    codes = {}
    for name in _commands(get_command(program)):
        result = CliRunner().invoke(program, [*name, "--help"])
        codes[" ".join(name)] = result.exit_code if result.exception is None else -1
    return codes


def _completion(program: Any) -> int:
    """Return the exit code of installing a completion without a home; -1 for an exception."""
    result = CliRunner().invoke(program, ["--install-completion"], env={"SHELL": "/bin/bash"})
    return result.exit_code if isinstance(result.exception, SystemExit) else -1


def report(directory: Path) -> dict[str, Any]:
    """Return the result of each command, and the user in the audit log."""
    makul = install(directory)
    makul.run_json("recipient", "add", "COM/60000001", "--kind", "BANK", "--name", "B", "--apply")
    lists = {" ".join(each): makul(*each).code for each in LISTS}
    with closing(sqlite3.connect(directory / "makul.db")) as store:
        who = {row[0] for row in store.execute("SELECT who FROM desk_log")}
    return {
        "uid": os.getuid(),
        "makul": _helped(build(Runtime())),
        "makul-client": _helped(app),
        "makul-oversight": _helped(oversight_app),
        "completion": [_completion(each) for each in (build(Runtime()), app, oversight_app)],
        "lists": lists,
        "who": sorted(who),
    }


if __name__ == "__main__":
    if f"uid:{os.getuid()}" != identify_operator().split(" ")[0]:
        raise SystemExit("for a uid without a passwd entry alone: another has a home to write to")
    json.dump(report(Path(sys.argv[1])), sys.stdout)
