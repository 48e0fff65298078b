"""Runs a check in a child process, so that it leaves no state in the process that forks workers.

A PKCS#11 module that was initialised before a fork must not be used after it, and neither must a
database connection. The process that keeps the listener must survive any failure of a check.
"""

import os
from collections.abc import Callable
from contextlib import suppress

NOTHING_WRONG = b"\x06"
"""ACK. Without it, the child died before it could report a result."""


def run_isolated(check: Callable[[], str | None]) -> str | None:
    """Return the error text of `check`, run in a forked child, or None if there is none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _write_result(writing, check)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    with suppress(ChildProcessError):  # gunicorn's arbiter may have reaped it already
        os.waitpid(child, 0)
    if text == NOTHING_WRONG:
        return None
    return text.decode("utf-8", "replace") or "the check of the settings did not finish"


def _write_result(writing: int, check: Callable[[], str | None]) -> None:
    """Write the result of the check and exit at once. No handler of the parent may run."""
    try:
        error = check()
        os.write(writing, error.encode() if error else NOTHING_WRONG)
    finally:
        os._exit(0)
