"""The keys of the store, and the file that contains them.

A key ring of master keys wraps the data key of every encrypted field. One master key is current;
the others only decrypt. They decrypt fields from before a rotation, and fields that other processes
encrypt after the next key has become current. The index key finds values that must be found without
being readable.

Without this file, an attacker who has the database has no personal data.
"""

import base64
import binascii
import fcntl
import json
import os
import secrets
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from makul.language.translation import translate, translate_cause
from makul.net.files import FileError, create_file, open_secret
from makul.store.db.field_format import KEY_BYTES, KEY_ID_BYTES

MAX_FILE_BYTES = 64 * 1024
"""Maximum size of the file: about 800 master keys.

That is one rotation a month for longer than any record is kept.
"""

_FORMAT = "makul-store-keys/1"
_FORMAT_WITH_NEXT = "makul-store-keys/2"
"""The format of a key ring with a next key.

A program that does not know this format must refuse the key ring. It would lose the next key on
writing, or could not decrypt what other processes encrypt with it.
"""
_FIELDS = {
    _FORMAT: {"format", "current", "masters", "index"},
    _FORMAT_WITH_NEXT: {"format", "current", "next", "masters", "index"},
}


class StoreKeysError(Exception):
    """The key file cannot be used. The message contains no part of a key."""


class _Held:
    """An open key file under a shared lock.

    The lock shows other processes that this one still uses it.
    """

    __slots__ = ("__weakref__",)

    def __init__(self, descriptor: int) -> None:
        weakref.finalize(self, os.close, descriptor)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoreKeys:
    """Master keys by id, the id of the current one, and the index key. Its `repr` shows no key."""

    current_id: str
    masters: Mapping[str, bytes]
    index: bytes
    next_id: str | None = None
    """The key that becomes current next. It already decrypts and does not yet encrypt."""
    held: _Held | None = field(default=None, compare=False)
    """The open file that the keys came from. A user of the keys must keep it for as long."""

    def __post_init__(self) -> None:
        sizes = {len(key) for key in (*self.masters.values(), self.index)}
        named = {self.current_id} if self.next_id is None else {self.current_id, self.next_id}
        ids_fit = all(_is_key_id(key_id) for key_id in self.masters)
        if sizes != {KEY_BYTES} or not ids_fit or not named <= set(self.masters):
            raise StoreKeysError(translate("not a key file of the store"))
        if self.next_id == self.current_id:
            raise StoreKeysError(translate("not a key file of the store"))

    def __repr__(self) -> str:
        return f"StoreKeys(current={self.current_id}, masters={len(self.masters)})"

    @classmethod
    def generate(cls) -> "StoreKeys":
        """Generate the keys of a new store."""
        key_id = _new_key_id()
        return cls(
            current_id=key_id,
            masters={key_id: secrets.token_bytes(KEY_BYTES)},
            index=secrets.token_bytes(KEY_BYTES),
        )

    def prepared(self) -> "StoreKeys":
        """Return this key ring with a new master key that decrypts and does not encrypt.

        Raises ValueError if the key ring already has one.
        """
        if self.next_id is not None:
            raise ValueError("a key is prepared already")
        key_id = _new_key_id()
        while key_id in self.masters:
            key_id = _new_key_id()
        masters = {**self.masters, key_id: secrets.token_bytes(KEY_BYTES)}
        return replace(self, masters=masters, next_id=key_id, held=None)

    def activated(self) -> "StoreKeys":
        """Return this key ring with the prepared key as current.

        Raises ValueError if none is prepared.
        """
        if self.next_id is None:
            raise ValueError("no key is prepared")
        return replace(self, current_id=self.next_id, next_id=None, held=None)

    def without(self, key_id: str) -> "StoreKeys":
        """Return this key ring without a key that only decrypts.

        Raises ValueError for any other key.
        """
        if key_id not in self.masters or key_id in {self.current_id, self.next_id}:
            raise ValueError("not a key that only opens")
        masters = {name: key for name, key in self.masters.items() if name != key_id}
        return replace(self, masters=masters, held=None)

    def save(self, path: Path) -> None:
        """Write a new file that only its owner can read; raises `StoreKeysError` if it exists."""
        key_ring = {
            "format": _FORMAT if self.next_id is None else _FORMAT_WITH_NEXT,
            "current": self.current_id,
            **({} if self.next_id is None else {"next": self.next_id}),
            "masters": {key_id: _text(key) for key_id, key in self.masters.items()},
            "index": _text(self.index),
        }
        try:
            create_file(path, f"{json.dumps(key_ring, indent=1)}\n".encode("ascii"))
        except OSError as error:
            raise StoreKeysError(
                translate(
                    "cannot write {path}: {cause}", path=path, cause=translate_cause(error.strerror)
                )
            ) from None

    @classmethod
    def load(cls, path: Path) -> "StoreKeys":
        """Load a file that only its owner can read; raises `StoreKeysError`.

        The file stays open under a shared lock while the keys are used. The file is replaced and
        never overwritten, so its lock shows whether a process still uses earlier keys.
        """
        content, held = _read_private(path)
        try:
            document = json.loads(content)
            if not isinstance(document, dict):
                raise StoreKeysError(translate("{path} is not a file of store keys", path=path))
            fields = _FIELDS.get(str(document.get("format")))
            if fields is None:
                raise StoreKeysError(
                    translate("{path} has another format than {format}", path=path, format=_FORMAT)
                )
            if set(document) != fields:
                raise StoreKeysError(translate("{path} is not a file of store keys", path=path))
            return cls(
                current_id=document["current"],
                masters={key_id: _key(text) for key_id, text in document["masters"].items()},
                index=_key(document["index"]),
                next_id=str(document["next"]) if "next" in fields else None,
                held=held,
            )
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
            # The cause is dropped on purpose: the message of a parser may quote the file.
            raise StoreKeysError(
                translate("{path} is not a file of store keys", path=path)
            ) from None


def _read_private(path: Path) -> tuple[bytes, _Held]:
    """Read the file and lock it; try again if the file was replaced before the lock was granted."""
    while True:
        try:
            descriptor = open_secret(path)
            held = _Held(descriptor)
            facts = os.fstat(descriptor)
            _refuse_foreign(path, facts)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            with os.fdopen(os.dup(descriptor), "rb") as file:
                content = file.read(MAX_FILE_BYTES)
            if os.path.samestat(path.stat(), facts):
                return content, held
        except FileError as error:
            raise StoreKeysError(str(error)) from None
        except OSError as error:
            raise StoreKeysError(
                translate(
                    "cannot read {path}: {cause}", path=path, cause=translate_cause(error.strerror)
                )
            ) from None


def _refuse_foreign(path: Path, facts: os.stat_result) -> None:
    if facts.st_size > MAX_FILE_BYTES:
        raise StoreKeysError(translate("{path} is not a file of store keys", path=path))
    if facts.st_uid not in {0, os.geteuid()}:
        raise StoreKeysError(translate("{path} belongs to another user", path=path))


def _new_key_id() -> str:
    return secrets.token_hex(KEY_ID_BYTES // 2)


def _is_key_id(text: str) -> bool:
    return len(text) == KEY_ID_BYTES and all(letter in "0123456789abcdef" for letter in text)


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _key(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
