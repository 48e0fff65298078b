"""The published XML schemas, version 1: the truth about every message and document.

The files are package data. They are served to clients, they validate messages at run time, and
the reference client builds from them, so everybody reads the same bytes.

    >>> "types.xsd" in names()
    True
    >>> read("types.xsd")[:5]
    b'<?xml'
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

__all__ = ["UnknownSchemaError", "location", "names", "read"]

_FOLDER: Final = files(__name__) / "v1"
_SUFFIX: Final = ".xsd"


class UnknownSchemaError(KeyError):
    """No schema is published under this name."""

    def __str__(self) -> str:
        """Say what was asked for and what there is; `KeyError` alone would quote the name only."""
        return f"no schema named {self.args[0]!r}; published are: {', '.join(names())}"


def names() -> tuple[str, ...]:
    """List the published files by name, sorted: `basis.xsd`, `consent.xsd`, …"""
    return tuple(sorted(each.name for each in _FOLDER.iterdir() if each.name.endswith(_SUFFIX)))


def read(name: str) -> bytes:
    """Return the exact bytes of one schema; `types` and `types.xsd` name the same file.

    The name is looked up among `names()`, never used as a path, so it may come from a URL.

    Raises `UnknownSchemaError` for any other name.
    """
    file_name = name if name.endswith(_SUFFIX) else name + _SUFFIX
    if file_name not in names():
        raise UnknownSchemaError(name)
    return (_FOLDER / file_name).read_bytes()


def location() -> Path:
    """Return the folder that holds the files, for parsers that follow relative schemaLocations."""
    return Path(str(_FOLDER))
