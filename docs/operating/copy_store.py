#!/usr/bin/env python3
"""Copy an SQLite store while the service runs: `copy_store.py DATABASE DIRECTORY`.

The copy is a complete and consistent file (`VACUUM INTO`: one read transaction). SQLite checks it,
the script syncs it to disk, and only then names it `makul-YYYYMMDDTHHMMSSZ.db`. The newest KEPT
copies stay. Run the script with the Python of Makul's environment, whose SQLite is not the
system's. If no copy was made, it prints one line and exits with code 1.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from pysqlite3 import dbapi2

KEPT = 24
BUSY_SECONDS = 30.0


def copy(database: Path, directory: Path) -> Path:
    """Make a copy and return its path. Raises `OSError` or `dbapi2.Error`."""
    os.umask(0o077)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = directory / "unfinished.db"
    unfinished.unlink(missing_ok=True)
    address = f"{database.absolute().as_uri()}?mode=rw"
    source = dbapi2.connect(address, uri=True, timeout=BUSY_SECONDS)
    try:
        source.execute("VACUUM INTO ?", (str(unfinished),))
    finally:
        source.close()
    _check(unfinished)
    _sync(unfinished)
    finished = directory / f"makul-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    unfinished.rename(finished)
    _sync(directory)
    for old in sorted(directory.glob("makul-*.db"))[:-KEPT]:
        old.unlink()
    return finished


def _check(path: Path) -> None:
    connection = dbapi2.connect(str(path))
    try:
        result = connection.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        connection.close()
    if result != ("ok",):
        raise OSError("the copy is damaged")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main() -> int:
    """Make one copy and return the exit code."""
    if len(sys.argv) != 3:
        sys.stderr.write("usage: copy_store.py DATABASE DIRECTORY\n")
        return 2
    try:
        made = copy(Path(sys.argv[1]), Path(sys.argv[2]))
    except (OSError, dbapi2.Error) as error:
        sys.stderr.write(f"no copy was made: {error}\n")
        return 1
    sys.stdout.write(f"{made}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
