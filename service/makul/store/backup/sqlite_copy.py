"""A consistent copy of an SQLite file, while other processes write to it.

The pages are copied in steps by SQLite's online backup API. One read transaction spans all steps:
without it, each commit of another process would start the copy again (sqlite.org/backup.html).
With a write-ahead log, a reader makes no writer wait; the log grows while the copy is made.
"""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from makul.language.translation import translate
from makul.store.backup.errors import BackupError
from makul.store.backup.inventory import SnapshotReader, StoreInventory
from makul.store.db.base import unavailable
from makul.store.db.error_texts import describe_failure
from makul.store.db.sqlite import connect, driver

STEP_PAGES = 2048
"""Pages in one step, 16 MiB: between steps the progress is reported and a signal is handled."""

Report = Callable[[int, int], None]
"""A function that receives what is done and the total."""


def copy_sqlite(source: Path, target: Path, report: Report) -> StoreInventory:
    """Copy a store to a new file, and return what the copy contains.

    Raises `StoreUnavailableError`, also for a damaged source, and `OSError`.
    """
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with closing(cast("Any", connect(source))) as original:
            original.execute("BEGIN")
            original.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
            with closing(_open(target, "rw")) as copy:
                copy.execute("PRAGMA synchronous = OFF")  # the caller syncs the finished file
                original.backup(
                    copy,
                    pages=STEP_PAGES,
                    progress=lambda _, remaining, total: report(total - remaining, total),
                )
                # One file, which also opens on a medium that cannot be written.
                copy.execute("PRAGMA journal_mode = DELETE")
                _assert_sound(copy, "quick_check")
                return SnapshotReader.of_sqlite(copy.execute).read()
    except driver.Error as error:
        raise unavailable(error) from None


def assert_sound(path: Path) -> None:
    """Verify the pages, rows, indexes and references of a file. Raises `BackupError`."""
    try:
        with closing(_open(path, "rw")) as file:
            _assert_sound(file, "integrity_check")
            if file.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise BackupError(translate("the copy is damaged: it lacks a row that others name"))
    except driver.Error as error:
        raise BackupError(
            translate("the copy is damaged: {problem}", problem=describe_failure(error))
        ) from None


def read_inventory(path: Path) -> StoreInventory:
    """Return what a file contains. Raises `StoreUnavailableError`."""
    try:
        with closing(_open(path, "ro")) as file:
            return SnapshotReader.of_sqlite(file.execute).read()
    except driver.Error as error:
        raise unavailable(error) from None


def _assert_sound(file: Any, check: str) -> None:
    if file.execute(f"PRAGMA {check}(1)").fetchone() != ("ok",):
        raise BackupError(translate("the copy is damaged, and so probably the store: see the disk"))


def _open(path: Path, mode: str) -> Any:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = driver.connect(uri, uri=True, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")  # somebody may have altered the copy
    return connection
