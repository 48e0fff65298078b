"""The reader of one table of a TOML file, which reports an error in one line.

makul.toml: [service] channel: must be one of wsse, xroad
"""

import base64
import binascii
import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from makul_client._internal.files import UnreadableFileError, read_bounded
from makul_client.errors import ProfileError

MAX_PROFILE: Final = 1024 * 1024
MAX_DIGESTED: Final = 16 * 1024 * 1024
"""The maximum size of a file to digest, in bytes. A scan has at most 10 MiB."""

_PART: Final = r"""(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_KEY: Final = re.compile(rf"(?<![\w-]){_PART}(?>[ \t]*+\.[ \t]*+{_PART}){{32}}")
"""The pattern of a key with more than 32 parts, which must not reach `tomllib`.

`tomllib` takes time quadratic in the number of parts: minutes for 64 KiB.
"""

E = TypeVar("E", bound=StrEnum)


class Table:
    """A table whose keys are read one by one. A key that was not read is an error."""

    def __init__(self, values: Mapping[str, object], *, file: Path, name: str = "") -> None:
        self._values = values
        self._file = file
        self._name = name
        self._read: set[str] = set()

    def wrong(self, key: str, complaint: str) -> ProfileError:
        """Return an error that names the file, the table and the key, but never the value."""
        where = f"[{self._name}] " if self._name else ""
        return ProfileError(f"{self._file}: {where}{key}: {complaint}")

    def all_read(self) -> None:
        """Raise `ProfileError` for an unknown key, which is most often misspelt."""
        for key in self._values:
            if key not in self._read:
                raise self.wrong(key, "is not a key that means anything here")

    def has(self, key: str) -> bool:
        """Return whether the table contains this key."""
        return key in self._values

    def table(self, key: str) -> "Table":
        """Return the table below this one."""
        values = self._get(key)
        if not isinstance(values, dict):
            raise self.wrong(key, f"is needed, as a table [{key}]")
        return Table(values, file=self._file, name=key)

    def text(self, key: str, pattern: str) -> str:
        """Return a text that matches `pattern`."""
        value = self._get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "is needed, as a text")
        if not re.fullmatch(pattern, value):
            raise self.wrong(key, f"must look like {pattern}")
        return value

    def optional_text(self, key: str, pattern: str) -> str | None:
        """Return a text that matches `pattern`, or None if the key is missing."""
        return self.text(key, pattern) if self.has(key) else None

    def texts(self, key: str, pattern: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts, each of which matches `pattern`."""
        if not self.has(key):
            return default
        values = self._get(key)
        if not isinstance(values, list) or not values:
            raise self.wrong(key, "must be a list of texts")
        if not all(isinstance(each, str) and re.fullmatch(pattern, each) for each in values):
            raise self.wrong(key, f"each must look like {pattern}")
        return tuple(values)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return `true` or `false`."""
        value = self._get(key) if self.has(key) else default
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def number(self, key: str, *, default: float, at_most: float) -> float:
        """Return a number above 0 and at most `at_most`."""
        value = self._get(key) if self.has(key) else default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "must be a number")
        if not 0 < value <= at_most:
            raise self.wrong(key, f"must be above 0 and at most {at_most:g}")
        return value

    def count(self, key: str, *, default: int, at_most: int) -> int:
        """Return a whole number from 0 to `at_most`."""
        value = self._get(key) if self.has(key) else default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= at_most:
            raise self.wrong(key, f"must be a whole number from 0 to {at_most}")
        return value

    def choice(self, key: str, kind: type[E], *, default: E | None = None) -> E:
        """Return a value of a closed list."""
        if default is not None and not self.has(key):
            return default
        value = self._get(key)
        if value not in [each.value for each in kind]:
            raise self.wrong(key, "must be one of " + ", ".join(kind))
        return kind(str(value))

    def url(self, key: str, *, plain_http: bool) -> str:
        """Return an https address. Allow http only on this machine, or if `plain_http` is true."""
        value = self.text(key, r"https?://[^\s?#]+")
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise self.wrong(key, "is no address") from None
        if parts.username is not None or parts.hostname is None:
            raise self.wrong(key, "must name a host, and neither user nor password")
        if parts.scheme == "http" and not plain_http and not _is_loopback(parts.hostname):
            raise self.wrong(key, "must begin with https:// unless it is on this machine")
        return value

    def file(self, key: str) -> Path:
        """Return the path of an existing file. Relative paths start at the profile's directory."""
        return self._existing(key, self._get(key))

    def place(self, key: str) -> Path:
        """Return a path, whether or not the file exists."""
        value = self._get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "is needed, as a path")
        return self._file.parent / value

    def optional_place(self, key: str) -> Path | None:
        """Return a path, whether or not the file exists, or None if the key is missing."""
        return self.place(key) if self.has(key) else None

    def optional_file(self, key: str) -> Path | None:
        """Return the path of an existing file, or None if the key is missing."""
        return self.file(key) if self.has(key) else None

    def files(self, key: str, *, at_least: int = 0) -> tuple[Path, ...]:
        """Return the paths of a list of existing files."""
        values = self._get(key) if self.has(key) else []
        if not isinstance(values, list) or len(values) < at_least:
            raise self.wrong(key, "must be a list of files" + (", not empty" if at_least else ""))
        return tuple(self._existing(key, value) for value in values)

    def sha256(self, key: str) -> bytes:
        """Return a SHA-256 digest that is given in base64."""
        try:
            digest = base64.b64decode(self.text(key, r"[0-9A-Za-z+/]{43}="), validate=True)
        except binascii.Error:
            raise self.wrong(key, "must be a SHA-256 digest in base64") from None
        return digest

    def instants(self, key: str) -> dict[bytes, datetime]:
        """Return a table of instants with a zone, by SHA-256 in hexadecimal.

        The table is empty if the key is missing.
        """
        if not self.has(key):
            return {}
        found: dict[bytes, datetime] = {}
        values = self._get(key)
        for name, value in values.items() if isinstance(values, dict) else [("", None)]:
            if not re.fullmatch("[0-9A-Fa-f]{64}", name):
                raise self.wrong(key, "is a table of instants by SHA-256 in hexadecimal")
            if not isinstance(value, datetime) or value.tzinfo is None:
                raise self.wrong(key, "needs instants such as 2026-11-22T09:00:00Z")
            found[bytes.fromhex(name)] = value
        return found

    def _existing(self, key: str, value: object) -> Path:
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "is needed, as the path of a file")
        path = self._file.parent / value
        if not os.path.isfile(path):  # noqa: PTH113 - `is_file` raises for a name that is too long
            raise self.wrong(key, f"there is no file {path}")
        return path

    def _get(self, key: str) -> object:
        self._read.add(key)
        return self._values.get(key)


def digest_of_file(file: Path) -> bytes:
    """Return the SHA-256 of a file's bytes. Raises `ProfileError`."""
    try:
        return hashlib.sha256(read_bounded(file, MAX_DIGESTED)).digest()
    except FileNotFoundError:
        raise ProfileError(f"{file}: there is no such file") from None
    except UnreadableFileError as error:
        raise ProfileError(str(error)) from None


def read_tables(file: Path) -> dict[str, object]:
    """Return the tables of a TOML file. Ignore a byte order mark at its start.

    Raises `ProfileError`, and `FileNotFoundError` if there is no such file.
    """
    try:
        text = read_bounded(file, MAX_PROFILE).decode("utf-8-sig")
        if _DEEP_KEY.search(text):
            raise ProfileError(f"{file}: not TOML: a key of more than 32 parts")
        return tomllib.loads(text)
    except UnreadableFileError as error:
        raise ProfileError(str(error)) from None
    except UnicodeDecodeError:
        raise ProfileError(f"{file}: not TOML: it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{file}: not TOML: {error}") from None
    except RecursionError:
        raise ProfileError(f"{file}: not TOML: it is nested too deep") from None
    except ValueError:  # an integer with more digits than Python reads
        raise ProfileError(f"{file}: not TOML: a number in it is too long") from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
