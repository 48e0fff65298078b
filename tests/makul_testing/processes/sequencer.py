"""`makul ledger run` as a separate process, and what it publishes."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from makul.ledger.signed_note import parse_note
from makul_testing.cli_runner import CommandLine
from makul_testing.processes.program import Program

PATIENCE = 60.0
"""A time in seconds."""


@contextmanager
def sequencer(makul: CommandLine) -> Iterator["subprocess.Popen[str]"]:
    """Run the sequencer of an installation, killed at the end."""
    config = str(makul.directory / "makul.toml")
    process = Program("--config", config, "ledger", "run", stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_published(makul: CommandLine, size: int, *, lines: int = 1) -> bytes:
    """Wait for a tree of that many leaves with that many cosignatures; return its checkpoint."""
    file = makul.directory / "published" / "checkpoint"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        note = file.read_bytes() if file.exists() else b""
        signed = len(parse_note(note).signatures) if note else 0
        if signed == lines and note.split(b"\n")[1] == b"%d" % size:
            return note
        time.sleep(0.05)
    raise AssertionError(f"no tree of {size} leaves was published with {lines} lines")
