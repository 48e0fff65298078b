"""Places of output: checked and opened before a request is sent, written after its answer came.

A disclosure is metered and recorded, so what can be known about a place beforehand is determined
beforehand. What fails all the same is an `OutputError`, never a traceback: the same request gets
the same answer again, under the same id.
"""

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from makul_client._internal.files import MAX_DOCUMENT
from makul_client.errors import OutputError

TEXT_BYTES: Final = 1024 * 1024
"""The room that a table needs at most: names and dates, and of samples their sizes alone."""
JSON_BYTES: Final = 48 * 1024 * 1024
"""The fullest answer (`transport.MAX_ANSWER`) with its samples in base64, indented."""
RECEIPT_BYTES: Final = MAX_DOCUMENT
PROOF_BYTES: Final = 1024 * 1024
"""A receipt with its proof (`bundles.MAX_BUNDLE`)."""

_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


_LETTERS: Final = "Үөң№ў┌"
"""Kyrgyz, Uzbek and what tables are drawn with: an encoding that has these has the rest."""
_CANNOT_ALLOCATE: Final = frozenset(
    {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENODEV, errno.ESPIPE}
)
"""What a file system says that has no such call; one that is full says something else."""


class ReservedFile:
    """A new file with room for what is to be kept, opened before that is asked for.

    Only its owner may read it. Unless something was kept in it, it is removed again at the end.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        """Open it. Raises `OutputError` where there is such a file, or where it has no room."""
        self.path = path
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, _FLAGS, 0o600)
            _allocate(self._descriptor, max_bytes)
        except FileExistsError:
            raise OutputError(f"{path}: there is such a file already; name another") from None
        except FileNotFoundError:
            raise OutputError(f"{path}: its directory does not exist; make it first") from None
        except (OSError, ValueError) as error:
            self._remove()
            raise OutputError(f"{path}: it cannot be written ({_cause(error)})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def keep(self, content: bytes) -> None:
        """Write the content and return once the disk has it. Raises `OutputError`."""
        if self._descriptor is None:
            raise OutputError(f"{self.path}: something was kept there before")
        try:
            with os.fdopen(self._descriptor, "wb", closefd=False) as file:
                file.write(content)
                file.truncate()
            os.fsync(self._descriptor)
            _require_name(self._descriptor)
            _sync_directory(self.path.parent)
        except OSError as error:
            self._remove()
            raise OutputError(f"{self.path}: it cannot be written ({_cause(error)})") from None
        os.close(self._descriptor)
        self._descriptor = None

    def _remove(self) -> None:
        """Remove the file that was made here and holds nothing; no other is ever removed."""
        if self._descriptor is None:
            return
        os.close(self._descriptor)
        self._descriptor = None
        with suppress(OSError):
            self.path.unlink()


@contextmanager
def reserved(path: Path | None, *, max_bytes: int) -> Iterator[ReservedFile | None]:
    """Reserve a file where one is named. Raises `OutputError`."""
    if path is None:
        yield None
        return
    with ReservedFile(path, max_bytes=max_bytes) as file:
        yield file


def write_new(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read. Raises `OutputError`."""
    with ReservedFile(path, max_bytes=len(content)) as file:
        file.keep(content)


def use_utf8() -> None:
    """Write UTF-8 on both standard streams in every locale.

    A console or pipe of another encoding (cp1251, KOI8-R, ASCII) has no place for Kyrgyz letters,
    and the error would come after the disclosure.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def require_standard_output(max_bytes: int) -> None:
    """Raise `OutputError` unless standard output takes so much, as far as that can be known."""
    stream = sys.stdout
    if stream is None or stream.closed:
        raise OutputError("standard output is closed; give it a place to go")
    try:
        # A program that put a stream of its own there may have one that `use_utf8` cannot change.
        _LETTERS.encode(stream.encoding or "utf-8", stream.errors or "strict")
        stream.flush()
        descriptor = stream.fileno()
    except io.UnsupportedOperation:
        return  # in memory, for a program that runs this one within itself
    except (OSError, ValueError) as error:
        raise _lost_output(error) from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            _require_reader(descriptor)
        else:
            os.write(descriptor, b"")  # refused by what is full or open for reading alone
        if stat.S_ISREG(mode):
            _require_room(descriptor, max_bytes)
    except (OSError, ValueError) as error:
        raise _lost_output(error) from None


def write_output(text: str) -> None:
    """Write on standard output, all of it or `OutputError`."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; give it a place to go")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _discard(sys.stdout)
        raise _lost_output(error) from None


def write_aside(text: str) -> None:
    """Write on standard error, as well as that goes: nothing depends on it."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _discard(sys.stderr)


def _lost_output(error: Exception) -> OutputError:
    return OutputError(f"standard output cannot be written ({_cause(error)})")


def _cause(error: Exception) -> str:
    """What the system says, without a path or a value."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeError):
        return "its encoding has not every letter"
    return "it is closed, or no file can have such a name"


def _discard(stream: TextIO) -> None:
    """Let what is left in a broken stream go nowhere.

    Python flushes it once more at its exit, and a failure then would make the exit code 120.
    """
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


def _allocate(descriptor: int, max_bytes: int) -> None:
    allocate = getattr(os, "posix_fallocate", None)
    if allocate is None or max_bytes == 0:
        return
    try:
        allocate(descriptor, 0, max_bytes)
    except OSError as error:
        if error.errno not in _CANNOT_ALLOCATE:
            raise
        _require_room(descriptor, max_bytes)


def _require_room(descriptor: int, max_bytes: int) -> None:
    """Raise `OSError` where the disk or this process's limit has no room for so much more."""
    if hasattr(os, "fstatvfs"):
        system = os.fstatvfs(descriptor)
        if system.f_blocks and system.f_bavail * system.f_frsize < max_bytes:
            raise OSError(0, "too little space left")
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit != resource.RLIM_INFINITY:
        size = os.fstat(descriptor).st_size
        if size + max_bytes > limit:
            raise OSError(0, "a limit on the size of files")


def _require_reader(descriptor: int) -> None:
    """Raise `OSError` where nobody holds the other end of a pipe any more."""
    if not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    for _, events in poll.poll(0):
        if events & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise OSError(0, "nobody reads it")


def _require_name(descriptor: int) -> None:
    """Raise `OSError` where the file was removed meanwhile: what is in it is lost."""
    if os.fstat(descriptor).st_nlink == 0:
        raise OSError(0, "it was removed meanwhile")


def _sync_directory(directory: Path) -> None:
    """Make the name durable as well; a system that has no such thing keeps it otherwise."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)
