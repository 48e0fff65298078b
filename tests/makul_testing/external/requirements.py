"""Programs outside Python: a test that needs one declares it, or is skipped."""

import os
import shutil
from typing import Final

import pytest

_WHERE: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Directories of servers in Debian, outside a user's PATH."""

NOTHING_SKIPPED: Final = "MAKUL_CI"
"""Set by `.ci/run` after `make test-deps` has installed everything: then nothing may be missing."""


def found(program: str) -> str | None:
    """Return the location of a program; None if it is not installed."""
    return shutil.which(program, path=_WHERE)


def needs(program: str) -> pytest.MarkDecorator:
    """Skip without this program, or fail at once if nothing may be skipped."""
    missing = found(program) is None
    reason = f"needs {program}: make test-deps"
    if missing and os.environ.get(NOTHING_SKIPPED):
        raise RuntimeError(f"{reason} ({NOTHING_SKIPPED} is set: nothing is skipped)")
    return pytest.mark.skipif(missing, reason=reason)
