"""Describe a database's failure in words.

The driver's message is dropped because it may contain data.
"""

from typing import Final

import psycopg

_SQLITE: Final = {
    3: "no right to use it",
    5: "it is locked",
    6: "it is locked",
    7: "no memory is left",
    8: "it is read-only",
    10: "the disk failed",
    11: "the file is damaged",
    13: "the disk is full",
    14: "the file cannot be opened",
    15: "the file is locked otherwise",
    19: "a rule of the store forbids it",
    26: "the file is no database",
}
"""The texts by SQLite's primary result code (https://sqlite.org/rescode.html)."""


def describe_failure(error: BaseException) -> str:
    """Return why a statement failed: words for SQLite, the SQLSTATE for PostgreSQL."""
    inner = getattr(error, "orig", None) or error  # SQLAlchemy wraps the driver's error
    if isinstance(inner, psycopg.Error):
        return "no connection" if inner.sqlstate is None else f"SQLSTATE {inner.sqlstate}"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    code = getattr(inner, "sqlite_errorcode", None)
    return _SQLITE.get(code & 0xFF, f"SQLite code {code}") if isinstance(code, int) else "unknown"
