"""Run `makul ARGS` until the parent ends: `python -m makul.net.orphan_guard PID ARGS`.

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


def attached_command(*arguments: str) -> list[str]:
    """Return the command of `makul ARGUMENTS`; only this process may start it as its child."""
    return [sys.executable, "-m", "makul.net.orphan_guard", str(os.getpid()), *arguments]


def _attach(parent: int) -> None:
    """Request an orderly stop (SIGTERM) when the parent ends; exit now if it has ended already."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


if __name__ == "__main__":
    _attach(int(sys.argv.pop(1)))
    runpy.run_module("makul", run_name="__main__", alter_sys=True)
