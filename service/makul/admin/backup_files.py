"""The files of an installation that a copy has beside the database, and never a key.

Settings and certificates are in each copy, because they change. The archive of evidence is shared
by all copies in a directory: each of its files has the digest of its content as its name and never
changes, so only new files are copied.
"""

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from makul.config.settings import MAX_SETTINGS_BYTES, POSTGRES, Settings
from makul.language.translation import translate
from makul.net.fetcher import MAX_CRL_BYTES
from makul.net.files import FileError, create_file, make_directories, read_bounded, replace_file
from makul.net.toml import read_toml
from makul.store.backup.directory import describe_file
from makul.store.backup.errors import BackupError
from makul.store.backup.manifest import BackupFile, CopiedArchive

ARCHIVE = "archive"
"""The directory beside the copies that holds the archive of evidence."""
MAX_FILE_BYTES = MAX_CRL_BYTES
MAX_FILES = 10_000
"""Files of one directory of certificates. The largest list of trust has some hundreds."""

_SECRETS = (b"PRIVATE KEY", b"makul-store-keys/")
"""Parts of a private key in PEM (RFC 7468) and of a file of store keys."""


class SettingsCopy:
    """The settings and certificates in a new copy."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self.files: list[BackupFile] = []
        self.omitted: list[str] = []
        """Keys of the settings whose files are not in the copy: unreadable, or with a secret."""

    def omit(self, key: str) -> None:
        """Note that files of this key are not in the copy."""
        if key not in self.omitted:
            self.omitted.append(key)

    def add_file(self, key: str, source: Path, name: str) -> None:
        """Copy one file, unless it cannot be read or contains a key. Raises `OSError`."""
        try:
            content = read_bounded(source, MAX_FILE_BYTES)
        except FileError:
            self.omit(key)
            return
        if any(secret in content for secret in _SECRETS):
            self.omit(key)
            return
        target = self._into / name
        make_directories(target.parent, mode=0o700)
        create_file(target, content)
        self.files.append(describe_file(self._into, name))

    def add_directory(self, key: str, directory: Path) -> None:
        """Copy the files of a directory. Raises `OSError`."""
        names = sorted(islice(_files_below(directory), MAX_FILES + 1))
        if not directory.is_dir() or len(names) > MAX_FILES:
            self.omit(key)
            return
        for each in names:
            self.add_file(key, directory / each, f"settings/{key}/{each}")


def copy_settings(config: Path, settings: Settings, into: Path) -> SettingsCopy:
    """Copy the settings and certificates of an installation into a new copy. Raises `OSError`."""
    copied = SettingsCopy(into)
    if _has_password(config):
        copied.omit("database_url")
    else:
        copied.add_file("makul.toml", config, "settings/makul.toml")
    trust, receipts = settings.trust, settings.receipts
    directories = {
        "trust.anchors": trust.anchors,
        "trust.intermediates": trust.intermediates,
        "trust.tsa_anchors": trust.tsa_anchors,
        "receipts.retired": receipts.retired,
    }
    for key, directory in directories.items():
        if directory is not None:
            copied.add_directory(key, directory)
    name = f"settings/receipts.certificate/{receipts.certificate.name}"
    copied.add_file("receipts.certificate", receipts.certificate, name)
    return copied


def copy_archive(source: Path, copies: Path) -> CopiedArchive:
    """Copy the new files of the archive of evidence, and return what the copy of it contains.

    Raises `FileError` and `OSError`.
    """
    target = copies / ARCHIVE
    for name in _files_below(source):
        if not (target / name).exists():
            replace_file(
                target / name, read_bounded(source / name, MAX_FILE_BYTES), directory_mode=0o700
            )
    return CopiedArchive(files=sum(1 for _ in _files_below(target)))


def verify_archive(copies: Path, stated: CopiedArchive, report: Callable[[int, int], None]) -> None:
    """Verify that the archive beside a copy has all files, each with the content of its name.

    Raises `BackupError`.
    """
    names = list(_files_below(copies / ARCHIVE))
    if len(names) < stated.files:
        raise BackupError(
            translate(
                "the archive of evidence beside the copy has {found} of {stated} files",
                found=len(names),
                stated=stated.files,
            )
        )
    for number, name in enumerate(names, 1):
        try:
            content = read_bounded(copies / ARCHIVE / name, MAX_FILE_BYTES)
        except FileError as error:
            raise BackupError(str(error)) from None
        if not _fits_its_name(name, content):
            raise BackupError(translate("{path} was altered after the copy was made", path=name))
        report(number, len(names))


def _fits_its_name(name: str, content: bytes) -> bool:
    """Return whether an object has the digest in its name; an entry of the index is empty."""
    stem = Path(name).stem
    return sha256(content).hexdigest() == stem or not content


def _files_below(directory: Path) -> Iterator[str]:
    """Yield the paths of finished files below a directory."""
    for parent, _, names in os.walk(directory):
        for name in names:
            if not name.startswith("."):
                yield (Path(parent) / name).relative_to(directory).as_posix()


def _has_password(config: Path) -> bool:
    """Return whether the settings file contains the password of a database."""
    url = read_toml(config, MAX_SETTINGS_BYTES).get("database_url")
    if not isinstance(url, str) or not url.startswith(POSTGRES):
        return False
    try:
        return bool({"password", "sslpassword"} & set(conninfo_to_dict(url)))
    except ProgrammingError:
        return True
