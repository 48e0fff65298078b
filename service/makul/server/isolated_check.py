"""Runs a check in a child process, so that nothing of it stays in the one that forks workers.

A PKCS#11 module that was initialised before a fork must not be used after it, nor a database's
connection; and the process that keeps the listener must survive whatever a check does.
"""

import os
from collections.abc import Callable
from contextlib import suppress

NOTHING_WRONG = b"\x06"
"""ACK: without it the child died before it could say anything."""


def run_isolated(check: Callable[[], str | None]) -> str | None:
    """What `check` has to complain about, said by a forked child; None where all is well."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _say(writing, check)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    with suppress(ChildProcessError):  # gunicorn's arbiter may have reaped it already
        os.waitpid(child, 0)
    if said == NOTHING_WRONG:
        return None
    return said.decode("utf-8", "replace") or "the check of the settings did not finish"


def _say(writing: int, check: Callable[[], str | None]) -> None:
    """Write what the check says and leave at once: no handler of the parent's may run."""
    try:
        complaint = check()
        os.write(writing, complaint.encode() if complaint else NOTHING_WRONG)
    finally:
        os._exit(0)
