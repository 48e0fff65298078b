"""The location of a record store: a file of SQLite, or a database of a PostgreSQL server."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresLocation:
    """A PostgreSQL database as a URL for libpq (`postgresql://...`); it may contain a password."""

    url: str = field(repr=False)
    prepares: bool = True
    """True if statements may stay prepared.

    It must be False behind a pooler in transaction mode.
    """


DatabaseLocation = Path | PostgresLocation
"""A file of SQLite, or a PostgreSQL database."""
