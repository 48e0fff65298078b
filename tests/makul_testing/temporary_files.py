"""The directory in which tests make their files: memory, where the system has enough of it.

A test database is a thousand files of a page or two: on a disk, a filesystem spends 0.1 s on it.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 -- each test makes a directory of its own in it
ENOUGH = 4 * 2**30
"""The bytes that must be free: a run keeps failed tests' files only, but makes many at once."""


def use_memory_for_temporary_files() -> None:
    """Make temporary files in memory, here and in children, unless TMPDIR names a directory."""
    if "TMPDIR" in os.environ or not os.path.ismount(MEMORY) or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ENOUGH:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None
