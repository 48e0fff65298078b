"""Run `makul ARGS` until the parent ends: `python -m makul.net.orphan_guard PID ARGS`.

With `--program` before PID, the arguments are another program and its own arguments.

A process that is killed outright (SIGKILL, out of memory) ends none of its children. Listeners
would continue to serve without supervision, on ports that the next start needs.
"""

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""The prctl(2) option for the signal that a process gets when the thread that created it ends. Only
Linux has it."""

_PROGRAM = "--program"


def attached_command(*arguments: str) -> list[str]:
    """Return the command of `makul ARGUMENTS`; only this process may start it as its child."""
    return [sys.executable, "-m", "makul.net.orphan_guard", str(os.getpid()), *arguments]


def attached_program(path: str, *arguments: str) -> list[str]:
    """Return the command of another program; only this process may start it as its child."""
    guard = [sys.executable, "-m", "makul.net.orphan_guard", _PROGRAM, str(os.getpid())]
    return [*guard, path, *arguments]


def _attach(parent: int) -> None:
    """Request an orderly stop (SIGTERM) when the parent ends; exit now if it has ended already."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


if __name__ == "__main__":
    is_program = sys.argv[1] == _PROGRAM
    if is_program:
        del sys.argv[1]
    _attach(int(sys.argv.pop(1)))
    if is_program:
        os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 -- no shell; the parent chose it
    runpy.run_module("makul", run_name="__main__", alter_sys=True)
