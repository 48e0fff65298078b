"""The store's own keys, and the file they live in.

A ring of master keys wraps the data key of every sealed field; one of them is current, the others
only open what was sealed before a rotation. The index key finds what must be found without being
readable. Whoever holds the database without this file holds no personal data.
"""

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KEY_BYTES = 32
"""AES-256 and HMAC-SHA256 keys."""

KEY_ID_BYTES = 8
"""A key id is 4 random bytes in hexadecimal: a name, not a secret."""

MAX_FILE_BYTES = 64 * 1024
"""Some 800 master keys: a rotation a month for longer than any record is kept."""

_FORMAT = "makul-store-keys/1"
_FIELDS = {"format", "current", "masters", "index"}
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class StoreKeysError(Exception):
    """The key file cannot be used. The message holds no part of a key."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoreKeys:
    """Master keys by id, which of them is current, and the index key. Never prints a key."""

    current_id: str
    masters: Mapping[str, bytes]
    index: bytes

    def __post_init__(self) -> None:
        sizes = {len(key) for key in (*self.masters.values(), self.index)}
        ids_fit = all(_is_key_id(key_id) for key_id in self.masters)
        if sizes != {KEY_BYTES} or not ids_fit or self.current_id not in self.masters:
            raise StoreKeysError("not a ring of store keys")

    def __repr__(self) -> str:
        return f"StoreKeys(current={self.current_id}, masters={len(self.masters)})"

    @classmethod
    def generate(cls) -> "StoreKeys":
        """New keys, for a new store."""
        key_id = _new_key_id()
        return cls(
            current_id=key_id,
            masters={key_id: secrets.token_bytes(KEY_BYTES)},
            index=secrets.token_bytes(KEY_BYTES),
        )

    def rotated(self) -> "StoreKeys":
        """The same ring with a new current master key; what was sealed before still opens."""
        key_id = _new_key_id()
        masters = {**self.masters, key_id: secrets.token_bytes(KEY_BYTES)}
        return StoreKeys(current_id=key_id, masters=masters, index=self.index)

    def save(self, path: Path) -> None:
        """Write a new file, readable by its owner alone; raises `StoreKeysError` if it exists."""
        document = {
            "format": _FORMAT,
            "current": self.current_id,
            "masters": {key_id: _text(key) for key_id, key in self.masters.items()},
            "index": _text(self.index),
        }
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
                json.dump(document, file, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreKeysError(f"cannot write {path}: {error.strerror}") from None

    @classmethod
    def load(cls, path: Path) -> "StoreKeys":
        """Read a file that only its owner can; raises `StoreKeysError`."""
        try:
            document = json.loads(_read_private(path))
            if not isinstance(document, dict) or set(document) != _FIELDS:
                raise StoreKeysError(f"{path} is not a file of store keys")
            if document["format"] != _FORMAT:
                raise StoreKeysError(f"{path} has another format than {_FORMAT}")
            return cls(
                current_id=document["current"],
                masters={key_id: _key(text) for key_id, text in document["masters"].items()},
                index=_key(document["index"]),
            )
        except (ValueError, TypeError, AttributeError, binascii.Error):
            # The cause is dropped on purpose: a parser's message may quote the file.
            raise StoreKeysError(f"{path} is not a file of store keys") from None


def _read_private(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE_BYTES:
                raise StoreKeysError(f"{path} is not a file of store keys")
            if facts.st_mode & _GROUP_AND_OTHERS:
                raise StoreKeysError(f"{path} is open to others than its owner: chmod 600 it")
            if facts.st_uid not in {0, os.geteuid()}:
                raise StoreKeysError(f"{path} belongs to another user")
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise StoreKeysError(f"cannot read {path}: {error.strerror}") from None


def _new_key_id() -> str:
    return secrets.token_hex(KEY_ID_BYTES // 2)


def _is_key_id(text: str) -> bool:
    return len(text) == KEY_ID_BYTES and all(letter in "0123456789abcdef" for letter in text)


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _key(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
