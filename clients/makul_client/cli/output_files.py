"""Output files and streams that are checked before a request is sent and written after its answer.

A disclosure is counted and recorded, so every check that is possible beforehand is made beforehand.
A later failure is an `OutputError`, never a traceback. Then the caller can repeat the request with
its id and gets the same answer.
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
from makul_client.translation import mark, translate, translate_cause

TEXT_BYTES: Final = 1024 * 1024
"""The maximum size of a table: names and dates, and only the sizes of samples."""
JSON_BYTES: Final = 48 * 1024 * 1024
"""The maximum size of an answer with its samples in base64, indented.

It follows from `MAX_ANSWER` of `_internal.http_transport`.
"""
RECEIPT_BYTES: Final = MAX_DOCUMENT
PROOF_BYTES: Final = 1024 * 1024
"""The maximum size of a receipt with its proof (`MAX_BUNDLE` of `receipts.bundle`)."""

_FLAGS: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_REQUIRED_CHARACTERS: Final = "Үөң№ў┌"
"""Kyrgyz and Uzbek letters, and the border of a table.

An encoding that has these characters has every character that this program prints.
"""
_CANNOT_ALLOCATE: Final = frozenset(
    {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENODEV, errno.ESPIPE}
)
"""The errors of a file system that lacks the call. A full file system returns another error."""


class ReservedFile:
    """A new file with reserved disk space, opened before its content is requested.

    Only its owner may read it. It is removed at the end unless content was written to it.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        """Create the file.

        Raises `OutputError` if the file exists or if there is too little space.
        """
        self.path = path
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, _FLAGS, 0o600)
            _allocate(self._descriptor, max_bytes)
        except FileExistsError:
            raise OutputError(
                translate("{file}: there is such a file already; name another", file=path)
            ) from None
        except FileNotFoundError:
            raise OutputError(
                translate("{file}: its directory does not exist; make it first", file=path)
            ) from None
        except (OSError, ValueError) as error:
            self._remove()
            raise OutputError(
                translate("{file}: it cannot be written ({cause})", file=path, cause=_cause(error))
            ) from None

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
        """Write the content, and return when the disk has stored it. Raises `OutputError`."""
        if self._descriptor is None:
            raise OutputError(translate("{file}: something was kept there before", file=self.path))
        try:
            with os.fdopen(self._descriptor, "wb", closefd=False) as file:
                file.write(content)
                file.truncate()
            os.fsync(self._descriptor)
            _require_name(self._descriptor)
            _sync_directory(self.path.parent)
        except OSError as error:
            self._remove()
            raise OutputError(
                translate(
                    "{file}: it cannot be written ({cause})", file=self.path, cause=_cause(error)
                )
            ) from None
        os.close(self._descriptor)
        self._descriptor = None

    def _remove(self) -> None:
        """Remove the file if this object created it and wrote nothing to it.

        Remove no other file.
        """
        if self._descriptor is None:
            return
        os.close(self._descriptor)
        self._descriptor = None
        with suppress(OSError):
            self.path.unlink()


@contextmanager
def reserve_file(path: Path | None, *, max_bytes: int) -> Iterator[ReservedFile | None]:
    """Reserve a file if a path is given. Raises `OutputError`."""
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
    """Set UTF-8 on both standard streams in every locale.

    Other encodings (cp1251, KOI8-R, ASCII) lack Kyrgyz letters. The error would come after the
    disclosure.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def require_standard_output(max_bytes: int) -> None:
    """Raise `OutputError` if standard output cannot take `max_bytes`.

    The check is as exact as the system's reports allow.
    """
    stream = sys.stdout
    if stream is None or stream.closed:
        raise OutputError(translate("standard output is closed; redirect it to a file"))
    try:
        # A calling program may have replaced the stream by one that `use_utf8` cannot change.
        _REQUIRED_CHARACTERS.encode(stream.encoding or "utf-8", stream.errors or "strict")
        stream.flush()
        descriptor = stream.fileno()
    except io.UnsupportedOperation:
        return  # a stream in memory, of a program that calls this one in its own process
    except (OSError, ValueError) as error:
        raise _output_error(error) from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            _require_reader(descriptor)
        else:
            # fails on a full device and on a descriptor that is open only for reading
            os.write(descriptor, b"")
        if stat.S_ISREG(mode):
            _require_space(descriptor, max_bytes)
    except (OSError, ValueError) as error:
        raise _output_error(error) from None


def write_output(text: str) -> None:
    """Write all of the text to standard output, or raise `OutputError`."""
    if sys.stdout is None:
        raise OutputError(translate("standard output is closed; redirect it to a file"))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _discard(sys.stdout)
        raise _output_error(error) from None


def write_aside(text: str) -> None:
    """Write to standard error and ignore failures, because nothing depends on it."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _discard(sys.stderr)


def _output_error(error: Exception) -> OutputError:
    return OutputError(
        translate("standard output cannot be written ({cause})", cause=_cause(error))
    )


def _cause(error: Exception) -> str:
    """Return the system's reason for an error, without a path or a value."""
    if isinstance(error, OSError) and error.strerror:
        return translate_cause(error.strerror)
    if isinstance(error, UnicodeError):
        return translate("its encoding does not have every letter")
    return translate("it is closed, or no file can have such a name")


def _discard(stream: TextIO) -> None:
    """Redirect a broken stream to the null device, so that its buffered text is dropped.

    Python flushes the stream once more at exit. A failure then would make the exit code 120.
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
        _require_space(descriptor, max_bytes)


def _require_space(descriptor: int, max_bytes: int) -> None:
    """Raise `OSError` if the disk or a file size limit of this process forbids `max_bytes` more."""
    if hasattr(os, "fstatvfs"):
        system = os.fstatvfs(descriptor)
        if system.f_blocks and system.f_bavail * system.f_frsize < max_bytes:
            raise OSError(0, mark("too little space left"))
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit != resource.RLIM_INFINITY:
        size = os.fstat(descriptor).st_size
        if size + max_bytes > limit:
            raise OSError(0, mark("a limit on the size of files"))


def _require_reader(descriptor: int) -> None:
    """Raise `OSError` if no process has the other end of a pipe open."""
    if not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    for _, events in poll.poll(0):
        if events & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise OSError(0, mark("no process reads it"))


def _require_name(descriptor: int) -> None:
    """Raise `OSError` if the file was removed in the meantime, because its content is lost then."""
    if os.fstat(descriptor).st_nlink == 0:
        raise OSError(0, mark("it was removed in the meantime"))


def _sync_directory(directory: Path) -> None:
    """Make the name of a file durable. A system that cannot sync a directory is left as it is."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)
