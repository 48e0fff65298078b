"""Programs that are not ours and not Python's: a test that needs one says so, or is skipped."""

import os
import shutil
from typing import Final

import pytest

_WHERE: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Debian has servers where a user's PATH does not look."""

NOTHING_SKIPPED: Final = "MAKUL_CI"
"""Set by `.ci/run` once `make test-deps` has installed everything: from then on nothing may be
missing."""


def found(program: str) -> str | None:
    """Where a program lies; None where it is not installed."""
    return shutil.which(program, path=_WHERE)


def needs(program: str) -> pytest.MarkDecorator:
    """Skip without this program; where nothing may be skipped, do not even begin."""
    missing = found(program) is None
    reason = f"needs {program}: make test-deps"
    if missing and os.environ.get(NOTHING_SKIPPED):
        raise RuntimeError(f"{reason} ({NOTHING_SKIPPED} is set: nothing is skipped)")
    return pytest.mark.skipif(missing, reason=reason)
