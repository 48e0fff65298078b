"""The published service descriptions (WSDL 1.1), version 1: one binding in each file.

The files are package data and load as they lie: a relative schemaLocation leads from each of
them to the schemas next door. What the service serves are these bytes, in which only
schemaLocation and soap:address are set to the served URL.

    >>> names()
    ('recipient-soap12.wsdl', 'recipient-xroad.wsdl', 'recipient.wsdl')
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

__all__ = ["UnknownWsdlError", "location", "names", "read"]

_FOLDER: Final = files(__name__) / "v1"
_SUFFIX: Final = ".wsdl"


class UnknownWsdlError(KeyError):
    """No service description is published under this name."""

    def __str__(self) -> str:
        """Say what was asked for and what there is; `KeyError` alone would quote the name only."""
        return f"no WSDL named {self.args[0]!r}; published are: {', '.join(names())}"


def names() -> tuple[str, ...]:
    """List the published files by name, sorted."""
    return tuple(sorted(each.name for each in _FOLDER.iterdir() if each.name.endswith(_SUFFIX)))


def read(name: str) -> bytes:
    """Return the exact bytes of one WSDL; `recipient` and `recipient.wsdl` name the same file.

    The name is looked up among `names()`, never used as a path, so it may come from a URL.

    Raises `UnknownWsdlError` for any other name.
    """
    file_name = name if name.endswith(_SUFFIX) else name + _SUFFIX
    if file_name not in names():
        raise UnknownWsdlError(name)
    return (_FOLDER / file_name).read_bytes()


def location() -> Path:
    """Return the folder that holds the files, for clients that load a WSDL by its path."""
    return Path(str(_FOLDER))
