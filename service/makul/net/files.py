"""Read regular files within a size limit, and write files durably.

Operators, settings and owners of certificates name the files that are read here. Such a name may
refer to a pipe, a device, a directory, a file without end, or a link that an attacker created. Each
read names its limit. Each failure names the file and says what to do.

A written file exists completely or not at all. When the function returns, its content and its name
are on the disk. If only the file were synchronised before a rename, a loss of power could undo the
rename.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from makul.language.translation import mark, translate, translate_cause

MAX_LINKS: Final = 40
"""Links followed on the way to one file, as many as Linux follows itself (path_resolution(7))."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_GROUP_READABLE: Final = stat.S_IRUSR | stat.S_IRGRP
"""Mode 0440, with which Kubernetes writes a secret for a process that is not root (`fsGroup`)."""


class FileError(Exception):
    """The error for a file that cannot be used. The message names the file and says what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class MissingFileError(FileError):
    """The error for a file that does not exist."""


# --- Reading ----------------------------------------------------------------------------------


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most `max_bytes`; raises `FileError`."""
    with open_regular(path) as file:
        return _read_at_most(file, path, max_bytes)


def read_secret(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file that only its owner may read; raises `FileError`.

    `open_secret` defines such a file.
    """
    with os.fdopen(open_secret(path), "rb") as file:
        return _read_at_most(file, path, max_bytes)


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading without blocking; raises `FileError`.

    The size is not limited here: a caller that reads a stream must limit it.
    """
    with os.fdopen(_open(path, _resolve(path)), "rb") as file:
        yield file


def open_secret(path: Path) -> int:
    """Return the descriptor of a file that only its owner may read; raises `FileError`.

    A link is accepted if it stays below the named directory, as in a Kubernetes secret (`tls.key ->
    ..data/tls.key`). A link that leads elsewhere could show a file that an attacker chose.

    Mode 0440 is accepted if the group is one of ours and the file is on a read-only mount or in a
    directory of root. Then no other member of the group can change it.
    """
    resolved = _resolve(path)
    if not resolved.is_relative_to(_resolve(path.parent)):
        raise FileError(
            path, translate("a link that leads out of its directory. Put the file itself there.")
        )
    descriptor = _open(path, resolved)
    try:
        _refuse_shared(path, resolved, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open(path: Path, resolved: Path) -> int:
    """Return the descriptor of a regular file. `path` is the name that the operator gave."""
    # O_NONBLOCK: a pipe would wait for a writer. O_NOFOLLOW: links were resolved and checked.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(resolved, flags)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileError(path, translate("not a regular file. Name a file."))
    return descriptor


def _read_at_most(file: BufferedReader, path: Path, max_bytes: int) -> bytes:
    """Read to the end or one byte past the limit.

    The file may have grown since its size was read.
    """
    try:
        content = file.read(max_bytes + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > max_bytes:
        raise FileError(
            path,
            translate("longer than {max_bytes} bytes. Name the right file.", max_bytes=max_bytes),
        )
    return content


def _resolve(path: Path) -> Path:
    """Return the path without links; raises `FileError` if an attacker could have made one.

    Linux can refuse such links itself (protected_symlinks); containers and other systems may not.
    """
    try:
        whole = path if path.is_absolute() else Path.cwd() / path
        place, left = Path("/"), [*reversed(whole.parts[1:])]
        links = 0
        while left:
            name = left.pop()
            step = place.parent if name == ".." else place / name
            facts = os.lstat(step)
            if not stat.S_ISLNK(facts.st_mode):
                place = step
                continue
            links += 1
            if links > MAX_LINKS:
                raise FileError(
                    path,
                    translate(
                        "{cause}. Name the file itself.",
                        cause=translate_cause(os.strerror(errno.ELOOP)),
                    ),
                )
            if _may_be_planted(place, facts):
                raise FileError(
                    path,
                    translate(
                        "{link} is a link that anybody could have put there. Name the file.",
                        link=step,
                    ),
                )
            target = Path(step.readlink())
            place = Path("/") if target.is_absolute() else place
            left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and path.exists():
            # `/dev/stdin` and `<(command)` lead to a pipe that has no name.
            raise FileError(path, translate("not a regular file. Name a file.")) from None
        raise _unreadable(path, error) from None
    return place


def _may_be_planted(directory: Path, link: os.stat_result) -> bool:
    """Return whether a user other than root and this process's may have made this link.

    Kubernetes mounts a secret with mode 1777, and its links belong to root.
    """
    facts = directory.stat()
    if not facts.st_mode & stat.S_IWOTH or os.statvfs(directory).f_flag & os.ST_RDONLY:
        return False
    sticky = bool(facts.st_mode & stat.S_ISVTX)
    return not (sticky and link.st_uid in {0, os.geteuid()})


def _refuse_shared(path: Path, resolved: Path, facts: os.stat_result) -> None:
    mode = stat.S_IMODE(facts.st_mode)
    if not mode & _OTHERS:
        return
    if mode == _GROUP_READABLE and facts.st_gid in {os.getegid(), *os.getgroups()}:
        directory = resolved.parent
        if os.statvfs(directory).f_flag & os.ST_RDONLY:
            return
        if facts.st_uid == directory.stat().st_uid == 0:
            return
    raise FileError(
        path,
        translate("others can read or change this private file. Run: chmod 600 {path}", path=path),
    )


def _unreadable(path: Path, error: OSError | ValueError) -> FileError:
    if isinstance(error, ValueError):  # os.open refuses a name with a NUL
        return MissingFileError(path, translate("no such name can be. Check the path."))
    kind = MissingFileError if isinstance(error, FileNotFoundError) else FileError
    return kind(
        path,
        translate(
            "{cause}. Check the path and who may read it.",
            cause=translate_cause(error.strerror or mark("unreadable")),
        ),
    )


# --- Writing ----------------------------------------------------------------------------------


def replace_file(
    path: Path, content: bytes, *, mode: int = 0o600, directory_mode: int = 0o777
) -> None:
    """Write a complete and durable file, and replace an existing one.

    A link of that name is replaced and never written through. Raises `OSError`; then the old file
    is unchanged.
    """
    parents = make_directories(path.parent, mode=directory_mode)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        _write_new(aside, content, mode)
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    for directory in (path.parent, *parents):
        sync_directory(directory)


def create_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a durable file that must not exist yet.

    Raises `OSError`, in particular `FileExistsError`. A file that could not be completed is
    removed.
    """
    _write_new(path, content, mode)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable: new, renamed and removed ones."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(directory: Path, *, mode: int = 0o777) -> list[Path]:
    """Create a directory and its parents, and return the directories in which one was created."""
    if directory.is_dir():
        return []
    parents = make_directories(directory.parent, mode=mode)
    directory.mkdir(mode=mode, exist_ok=True)
    return [*parents, directory.parent]


def _write_new(path: Path, content: bytes, mode: int) -> None:
    # O_EXCL refuses a link as well, regardless of its target (open(2)).
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise
