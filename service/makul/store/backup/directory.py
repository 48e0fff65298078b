"""The directory of copies: one directory for each copy, whole or without a name.

A copy is made under a name that begins with a point. When each of its files is on the disk, the
manifest is written last, and then the directory gets its name `makul-YYYYMMDDTHHMMSSZ`. A process
that is killed leaves a directory that is no copy; the next one removes it.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from makul.language.translation import translate
from makul.net.files import (
    FileError,
    create_file,
    make_directories,
    open_regular,
    read_bounded,
    sync_directory,
)
from makul.store.backup.errors import BackupError, BackupToolError
from makul.store.backup.manifest import MAX_MANIFEST_BYTES, NAME, BackupFile, BackupManifest

_COPY = re.compile(r"makul-[0-9]{8}T[0-9]{6}Z")
_UNFINISHED = ".unfinished-"
_REMOVED = ".removed-"
_LOCK = ".lock"


class BackupDirectory:
    """A directory of copies, to which one process at a time adds. Raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the directory alone, and remove what killed processes left.

        Raises `BackupToolError` if another process makes a copy.
        """
        make_directories(self._path, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path / _LOCK, flags, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupToolError(
                    translate("another process makes a copy in {path}", path=self._path)
                ) from None
            self._remove_remains()
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Provide a directory for a new copy; it is removed unless it was published."""
        path = self._path / f"{_UNFINISHED}{secrets.token_hex(8)}"
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            if path.exists():
                shutil.rmtree(path, ignore_errors=True)

    def publish(self, unfinished: Path, manifest: BackupManifest) -> Path:
        """Give a complete copy its name, after all of it is on the disk, and return its path."""
        create_file(unfinished / NAME, manifest.serialize())
        for directory, _, _ in os.walk(unfinished):
            sync_directory(Path(directory))
        finished = self.path_at(manifest.made_at)
        if finished.exists():
            raise BackupToolError(
                translate("{path} exists already: give the command again", path=finished)
            )
        unfinished.rename(finished)
        sync_directory(self._path)
        return finished

    def path_at(self, made_at: datetime) -> Path:
        """Return the path of a copy that was made in this second."""
        return self._path / f"makul-{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    def copies(self) -> list[Path]:
        """Return the copies, the oldest first."""
        return sorted(
            each for each in self._path.iterdir() if _COPY.fullmatch(each.name) and each.is_dir()
        )

    def prune(self, store: str, keep: int, newest: Path) -> list[Path]:
        """Remove the older copies of one store beyond `keep`, and return them.

        Copies of other stores stay, and copies whose manifest cannot be read: nobody knows what
        they are. The copy that was just made stays even if a clock was set back.
        """
        ours = [each for each in self.copies() if each != newest and _is_of(each, store)]
        surplus = ours[: max(0, len(ours) + 1 - keep)]
        for each in surplus:
            aside = each.with_name(f"{_REMOVED}{each.name}")
            each.rename(aside)  # a killed removal leaves nothing that looks like a copy
            shutil.rmtree(aside)
        if surplus:
            sync_directory(self._path)
        return surplus

    def _remove_remains(self) -> None:
        for each in self._path.iterdir():
            if each.name.startswith((_UNFINISHED, _REMOVED)) and each.is_dir():
                shutil.rmtree(each)


def find_copy(path: Path) -> Path:
    """Return a copy by its path, or the newest copy in a directory of copies.

    Raises `BackupError` if there is none.
    """
    if (path / NAME).exists():
        return path
    copies = BackupDirectory(path).copies() if path.is_dir() else []
    if not copies:
        raise BackupError(translate("{path} contains no copy", path=path))
    return copies[-1]


def read_manifest(copy: Path) -> BackupManifest:
    """Return the manifest of a copy. Raises `BackupError`."""
    try:
        return BackupManifest.parse(read_bounded(copy / NAME, MAX_MANIFEST_BYTES))
    except FileError as error:
        raise BackupError(str(error)) from None


def describe_file(
    copy: Path, path: str, report: Callable[[int], None] = lambda _: None
) -> BackupFile:
    """Return the size and digest of one file of a copy; `report` receives each number of bytes.

    Raises `FileError`.
    """
    digest, size = hashlib.sha256(), 0
    with open_regular(copy / path) as file:
        while block := file.read(1024 * 1024):
            digest.update(block)
            size += len(block)
            report(len(block))
    return BackupFile(path=path, bytes=size, sha256=digest.hexdigest())


def sync_file(path: Path) -> None:
    """Write the content of a file to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify_files(copy: Path, manifest: BackupManifest, report: Callable[[int], None]) -> None:
    """Raise `BackupError` for a file that is missing, altered, or not in the manifest."""
    stated = {each.path for each in manifest.files}
    for each in manifest.files:
        try:
            found = describe_file(copy, each.path, report)
        except FileError as error:
            problem = str(error)
            raise BackupError(
                translate("the copy is not whole: {problem}", problem=problem)
            ) from None
        if found.bytes < each.bytes:
            problem = translate("{path} is shorter than it was", path=each.path)
            raise BackupError(translate("the copy is not whole: {problem}", problem=problem))
        if found != each:
            raise BackupError(
                translate("{path} was altered after the copy was made", path=each.path)
            )
    for directory, _, names in os.walk(copy):
        for name in names:
            inner = (Path(directory) / name).relative_to(copy).as_posix()
            if inner != NAME and inner not in stated:
                raise BackupError(translate("the manifest does not name {path}", path=inner))


def made_since(manifest: BackupManifest, at: datetime) -> float:
    """Return the age of a copy in seconds."""
    return (at - manifest.made_at).total_seconds()


def _is_of(copy: Path, store: str) -> bool:
    try:
        return read_manifest(copy).store == store
    except BackupError:
        return False
