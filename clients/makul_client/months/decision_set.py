"""The ids of the decisions on the lines read so far, outside the memory of this process."""

import sqlite3
from types import TracebackType
from typing import Final, Self
from uuid import UUID

CACHE_KIB: Final = 16 * 1024
"""The memory for the newest ids. The others are in a temporary file, which SQLite removes."""


class DecisionSet:
    """A set of ids that may have millions of members. The file has ids and nothing else."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, disclosure_id: UUID) -> bool:
        """Add an id, and return whether it is new."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?)", (disclosure_id.bytes,)
        )
        return added.rowcount == 1

    def __contains__(self, disclosure_id: UUID) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM seen WHERE id = ?", (disclosure_id.bytes,)
        ).fetchone()
        return found is not None
