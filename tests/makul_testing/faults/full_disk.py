"""Disks that are full for a while.

Root mounts a small file system. A user who may not mount has files limited in size instead, process
by process: the database then fails at the same points, by another system error.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

_LIBC = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2


MOUNTED = "file system full"


class Disk(Protocol):
    """A directory for files on a small disk."""

    path: Path
    kind: str

    def fill(self, *, but: int) -> None:
        """Leave that many bytes, or limit files to their present size."""

    def free(self) -> None:
        """Free space again."""


class _Mounted:
    kind = MOUNTED

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, *, but: int) -> None:
        with self._ballast.open("wb") as ballast:
            while (left := self._room() - but) > 0:
                try:
                    os.posix_fallocate(ballast.fileno(), 0, left)
                except OSError as error:  # others write meanwhile, so less is free by now
                    if error.errno != errno.ENOSPC:
                        raise
                else:
                    return

    def _room(self) -> int:
        facts = os.statvfs(self.path)
        return facts.f_bavail * facts.f_frsize

    def free(self) -> None:
        self._ballast.unlink()


class _Limited:
    kind = "files limited"

    def __init__(self, path: Path, pids: Callable[[], Iterable[int]]) -> None:
        self.path = path
        self._pids = pids

    def fill(self, *, but: int) -> None:
        del but
        self._limit("0")

    def free(self) -> None:
        self._limit("unlimited")

    def _limit(self, size: str) -> None:
        for pid in self._pids():
            proc = Path(f"/proc/{pid}")
            with suppress(FileNotFoundError):
                owner = proc.stat()
                command = ["prlimit", f"--pid={pid}", f"--fsize={size}:"]
                result = subprocess.run(command, check=False, user=owner.st_uid, group=owner.st_gid)
                assert result.returncode == 0 or not proc.exists()


@contextmanager
def small_disk(megabytes: int, pids: Callable[[], Iterable[int]]) -> Iterator[Disk]:
    """Make a disk of that many megabytes; `pids` are of the processes that write to it."""
    path = Path(tempfile.mkdtemp(prefix="makul-disk-"))
    path.chmod(0o711)
    options = f"size={megabytes}m,mode=0711".encode()
    mounted = _LIBC.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, options) == 0
    try:
        yield _Mounted(path) if mounted else _Limited(path, pids)
    finally:
        if mounted:
            _LIBC.umount2(os.fsencode(path), _MNT_DETACH)
        shutil.rmtree(path, ignore_errors=True)
