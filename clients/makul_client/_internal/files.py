"""Safe reading and writing of files that are named to this program.

A name may lead to a pipe, a device or an endless file. It may lead to a link that an attacker
placed in a directory that all users can write to. Nothing here waits for a writer, reads without a
limit, or writes through a link. Written files are durable.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from makul_client.translation import translate, translate_cause

MAX_DOCUMENT: Final = 256 * 1024
"""The maximum size of a signed document in bytes, as in the contract.

It is defined here because `cli.output_files` needs it, and `--help` must not import a signature
library.
"""

MAX_LINKS: Final = 40
"""The maximum number of links followed on the way to one file, as in Linux."""

_READ: Final = os.O_RDONLY | sum(
    getattr(os, flag, 0)  # Windows has only O_BINARY and O_NOINHERIT
    for flag in ("O_NONBLOCK", "O_NOFOLLOW", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
)
_NEW: Final = (os.O_WRONLY | os.O_CREAT | os.O_EXCL) | sum(
    getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
)


class UnreadableFileError(Exception):
    """The error of a file that cannot be used. The message names the file and the cause."""


def read_bounded(file: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most `max_bytes`.

    Raises `UnreadableFileError`, and `FileNotFoundError` if there is no such file.
    """
    try:
        descriptor = os.open(_resolve(file), _READ)
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableFileError(translate("{file}: not a regular file", file=file))
            content = opened.read(max_bytes + 1)
    except FileNotFoundError:
        if file.exists():  # `/dev/stdin` and `<(command)` lead to a pipe without a name
            raise UnreadableFileError(translate("{file}: not a regular file", file=file)) from None
        raise
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None)
        why = translate_cause(cause) if cause else translate("it cannot be read")
        raise UnreadableFileError(f"{file}: {why}") from None
    if len(content) > max_bytes:
        raise UnreadableFileError(
            translate("{file}: longer than {max_bytes} bytes", file=file, max_bytes=max_bytes)
        )
    return content


def create_file(file: Path, content: bytes) -> None:
    """Write a new file that only its owner may read. It is on the disk when this returns.

    Raises `OSError`, most often `FileExistsError`. Then no part of the file remains.
    """
    with os.fdopen(os.open(file, _NEW, 0o600), "wb") as opened:
        try:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        except BaseException:
            with suppress(OSError):
                file.unlink()
            raise
    sync_directory(file.parent)


def add_file(file: Path, content: bytes) -> None:
    """Write a new file that has all its content as soon as it has its name, also after a crash.

    It never replaces a file, also if another process writes the same name at once. Raises
    `OSError`, most often `FileExistsError`.
    """
    aside = _name_aside(file)
    create_file(aside, content)
    try:
        os.link(aside, file)
    except FileExistsError:
        raise
    except OSError:
        create_file(file, content)  # the file system has no hard links
    finally:
        with suppress(OSError):
            aside.unlink()
    sync_directory(file.parent)


def replace_file(file: Path, content: bytes) -> None:
    """Replace a file as a whole, so that it is either old or new. It is on the disk afterwards.

    Raises `OSError`. Then the old file is unchanged.
    """
    aside = _name_aside(file)
    create_file(aside, content)
    try:
        aside.replace(file)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    sync_directory(file.parent)


def _name_aside(file: Path) -> Path:
    """Return a name in the same directory for a file that is being written."""
    return file.with_name(f".{file.name}.{secrets.token_hex(8)}.new")


def sync_directory(directory: Path) -> None:
    """Make the name of a file durable. Windows cannot do this and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _resolve(file: Path) -> Path:
    """Return the path without links.

    Raises `UnreadableFileError` for a link that may be planted.
    """
    if os.name == "nt":
        return file
    absolute = file if file.is_absolute() else Path.cwd() / file
    current, remaining, links = Path("/"), [*reversed(absolute.parts[1:])], 0
    while remaining:
        name = remaining.pop()
        step = current.parent if name == ".." else current / name
        facts = step.lstat()
        if not stat.S_ISLNK(facts.st_mode):
            current = step
            continue
        links += 1
        if links > MAX_LINKS:
            raise UnreadableFileError(translate("{file}: too many links lead to it", file=file))
        if _may_be_planted(current, facts):
            raise UnreadableFileError(
                translate(
                    "{file}: {step} is a link that anybody could have put there",
                    file=file,
                    step=step,
                )
            )
        target = step.readlink()
        current = Path("/") if target.is_absolute() else current
        remaining += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return current


def _may_be_planted(directory: Path, link: os.stat_result) -> bool:
    """Return whether another user than root and this one may have made this link.

    Kubernetes mounts secrets read-only, with mode 1777 and links that belong to root.
    """
    facts = directory.stat()
    if not facts.st_mode & stat.S_IWOTH or os.statvfs(directory).f_flag & os.ST_RDONLY:
        return False
    sticky = bool(facts.st_mode & stat.S_ISVTX)
    return not (sticky and link.st_uid in {0, os.geteuid()})
