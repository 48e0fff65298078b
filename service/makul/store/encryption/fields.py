"""Fields that only this store can read, and indexes that only this store can compute.

Every sealed field has a data key of its own, wrapped by a master key (RFC 3394, so that no count
of random nonces limits how many there may be); the data key seals one message with AES-256-GCM
(NIST SP 800-38D) and is never used again, which is why its nonce may be fixed. What is sealed is
bound to its place: a value moved to another record, column or table does not open.

The layout of a sealed field is in `field_format`.
"""

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from makul.app.ports import StoreUnavailableError
from makul.store.db.field_format import FIELD_FORMAT, HEAD_BYTES, KEY_BYTES, KEY_ID_END
from makul.store.encryption.compression import Compressor
from makul.store.encryption.master_keys import StoreKeys

_ONLY_NONCE = bytes(12)


class FieldDecryptionError(StoreUnavailableError):
    """A sealed field does not open: wrong keys, or it was altered or moved."""


def place(table: str, column: str, *record: bytes) -> bytes:
    """Where a sealed field belongs: table, column and the record's key, each with its length."""
    parts = (table.encode(), column.encode(), *record)
    return b"makul.store/1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class FieldCipher:
    """Seals and opens fields, and computes blind indexes, with one ring of keys."""

    def __init__(self, keys: StoreKeys, compressor: "Compressor | None" = None) -> None:
        self.compressor = compressor
        """Compresses records before they are encrypted; None: they are written as they are."""
        self._held = keys.held
        self._masters = dict(keys.masters)
        self.current_id = keys.current_id
        self._current = keys.masters[keys.current_id]
        self._prefix = FIELD_FORMAT + keys.current_id.encode("ascii")
        self._index = _keyed(keys.index)

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, plain: bytes, where: bytes) -> bytes:
        """Seal a value for its place."""
        data_key = secrets.token_bytes(KEY_BYTES)
        wrapped = aes_key_wrap(self._current, data_key)
        return self._prefix + wrapped + AESGCM(data_key).encrypt(_ONLY_NONCE, plain, where)

    def open(self, sealed: bytes, where: bytes) -> bytes:
        """The value sealed for this place; raises `FieldDecryptionError`."""
        try:
            if sealed[:1] != FIELD_FORMAT:
                raise FieldDecryptionError("a sealed field has an unknown format")
            master = self._masters[sealed[1:KEY_ID_END].decode("ascii")]
            data_key = aes_key_unwrap(master, sealed[KEY_ID_END:HEAD_BYTES])
            return AESGCM(data_key).decrypt(_ONLY_NONCE, sealed[HEAD_BYTES:], where)
        except (KeyError, ValueError, InvalidUnwrap, InvalidTag):
            raise FieldDecryptionError("a sealed field does not open with these keys") from None

    def rewrap(self, head: bytes) -> bytes:
        """The head of a sealed field under the current master key; raises `FieldDecryptionError`.

        The data key stays what it is, and so does what it seals: whoever had both keeps both.
        """
        try:
            if head[:1] != FIELD_FORMAT or len(head) != HEAD_BYTES:
                raise FieldDecryptionError("a sealed field has an unknown format")
            master = self._masters[head[1:KEY_ID_END].decode("ascii")]
            data_key = aes_key_unwrap(master, head[KEY_ID_END:])
        except (KeyError, ValueError, InvalidUnwrap):
            raise FieldDecryptionError("a sealed field does not open with these keys") from None
        return self._prefix + aes_key_wrap(self._current, data_key)

    def index(self, kind: str, *parts: str) -> bytes:
        """HMAC-SHA256: equal for equal values of one kind, and telling nothing without the key."""
        return self._index("\x00".join((kind, *parts)).encode())

    def content_index(self, kind: str, content: bytes) -> bytes:
        """The same over bytes: has this content changed?"""
        return self._index(kind.encode() + b"\x00" + content)


def _keyed(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA256 by this key, which is hashed once (RFC 2104, 4).

    A request computes seven; `hmac.digest` looks the algorithm up and hashes the key for each.
    """

    # Given a constructor that is not OpenSSL's own, `hmac` keeps the two hashes that the key begins
    # as objects, which are cheap to copy.
    def begin(block: bytes = b"") -> Any:
        return sha256(block)

    begun = hmac.new(key, digestmod=begin)

    def digest(message: bytes) -> bytes:
        copy = begun.copy()
        copy.update(message)
        return copy.digest()

    return digest
