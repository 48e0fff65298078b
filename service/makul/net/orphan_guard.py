"""`python -m makul.net.orphan_guard PID ARGS` runs `makul ARGS` until its parent ends.

Killed outright (SIGKILL, out of memory), a process ends none of its own: listeners would go on
serving with nobody to stop them, on ports that the next start needs.
"""

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets once the thread that made it is gone. Linux alone."""


def attached_command(*arguments: str) -> list[str]:
    """Return the command of `makul ARGUMENTS`, for a child of this process alone."""
    return [sys.executable, "-m", "makul.net.orphan_guard", str(os.getpid()), *arguments]


def _attach(parent: int) -> None:
    """Be stopped in good order once the parent is gone; end where it is gone already."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


if __name__ == "__main__":
    _attach(int(sys.argv.pop(1)))
    runpy.run_module("makul", run_name="__main__", alter_sys=True)
