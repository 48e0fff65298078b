"""Describe a database's failure in words.

The driver's message is dropped because it may contain data.
"""

from typing import Final

import psycopg

from makul.language.translation import mark, translate, translate_cause

_SQLITE: Final = {
    3: mark("no right to use it"),
    5: mark("it is locked"),
    6: mark("it is locked"),
    7: mark("no memory is left"),
    8: mark("it is read-only"),
    10: mark("the disk failed"),
    11: mark("the file is damaged"),
    13: mark("the disk is full"),
    14: mark("the file cannot be opened"),
    15: mark("the file is locked otherwise"),
    19: mark("a rule of the store forbids it"),
    26: mark("the file is no database"),
}
"""The texts by SQLite's primary result code (https://sqlite.org/rescode.html)."""


def describe_failure(error: BaseException) -> str:
    """Return why a statement failed: words for SQLite, the SQLSTATE for PostgreSQL."""
    inner = getattr(error, "orig", None) or error  # SQLAlchemy wraps the driver's error
    if isinstance(inner, psycopg.Error):
        return _sqlstate(inner.sqlstate)
    if isinstance(inner, OSError) and inner.strerror:
        return translate_cause(inner.strerror)
    code = getattr(inner, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return translate("unknown")
    known = _SQLITE.get(code & 0xFF)
    return translate(known) if known is not None else translate("SQLite code {code}", code=code)


def _sqlstate(code: str | None) -> str:
    return translate("no connection") if code is None else translate("SQLSTATE {code}", code=code)
