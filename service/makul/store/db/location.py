"""Where a record store lies: a file of SQLite, or a database of a PostgreSQL server."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresLocation:
    """A PostgreSQL database, as libpq is told of it (`postgresql://...`); may hold a password."""

    url: str = field(repr=False)
    prepares: bool = True
    """May statements stay prepared? Not behind a pooler that hands out transactions."""


DatabaseLocation = Path | PostgresLocation
"""A file of SQLite, or a PostgreSQL database."""
