"""Encryption of fields that only this store can read, and indexes that only this store can compute.

Every encrypted field has its own data key, which a master key wraps (RFC 3394). With key wrapping,
the number of fields is not limited by the risk of equal random nonces. The data key encrypts one
message with AES-256-GCM (NIST SP 800-38D) and is never used again, so its nonce may be constant.

Associated data bind a value to its record, column and table. A value that was moved does not
decrypt.

The layout of an encrypted field is in `store.db.field_format`.
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
    """An encrypted field does not decrypt.

    The keys are wrong, or the field was altered or moved.
    """


def field_associated_data(table: str, column: str, *record: bytes) -> bytes:
    """Return the associated data of a field: table, column and record key, each with its length."""
    parts = (table.encode(), column.encode(), *record)
    return b"makul.store/1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class FieldCipher:
    """Cipher that encrypts and decrypts fields and computes blind indexes with one key ring."""

    def __init__(self, keys: StoreKeys, compressor: "Compressor | None" = None) -> None:
        self.compressor = compressor
        """Compresses records before encryption. If None, records are not compressed."""
        self._held = keys.held
        self._masters = dict(keys.masters)
        self.current_id = keys.current_id
        self._current = keys.masters[keys.current_id]
        self._prefix = FIELD_FORMAT + keys.current_id.encode("ascii")
        self._index = _hmac_function(keys.index)

    def __repr__(self) -> str:
        return "FieldCipher()"

    def encrypt(self, plain: bytes, associated_data: bytes) -> bytes:
        """Encrypt a value and bind it to this associated data."""
        data_key = secrets.token_bytes(KEY_BYTES)
        wrapped = aes_key_wrap(self._current, data_key)
        return (
            self._prefix + wrapped + AESGCM(data_key).encrypt(_ONLY_NONCE, plain, associated_data)
        )

    def decrypt(self, sealed: bytes, associated_data: bytes) -> bytes:
        """Decrypt a value with its associated data; raises `FieldDecryptionError`."""
        try:
            if sealed[:1] != FIELD_FORMAT:
                raise FieldDecryptionError("an encrypted field has an unknown format")
            master = self._masters[sealed[1:KEY_ID_END].decode("ascii")]
            data_key = aes_key_unwrap(master, sealed[KEY_ID_END:HEAD_BYTES])
            return AESGCM(data_key).decrypt(_ONLY_NONCE, sealed[HEAD_BYTES:], associated_data)
        except (KeyError, ValueError, InvalidUnwrap, InvalidTag):
            raise FieldDecryptionError(
                "an encrypted field does not decrypt with these keys"
            ) from None

    def rewrap(self, head: bytes) -> bytes:
        """Return the head of an encrypted field, wrapped under the current master key.

        The data key and the ciphertext do not change. An attacker who has unwrapped the data key
        still has it. Raises `FieldDecryptionError`.
        """
        try:
            if head[:1] != FIELD_FORMAT or len(head) != HEAD_BYTES:
                raise FieldDecryptionError("an encrypted field has an unknown format")
            master = self._masters[head[1:KEY_ID_END].decode("ascii")]
            data_key = aes_key_unwrap(master, head[KEY_ID_END:])
        except (KeyError, ValueError, InvalidUnwrap):
            raise FieldDecryptionError(
                "an encrypted field does not decrypt with these keys"
            ) from None
        return self._prefix + aes_key_wrap(self._current, data_key)

    def index(self, kind: str, *parts: str) -> bytes:
        """Return the HMAC-SHA256 of a value of one kind.

        Equal values have equal indexes. Without the key, an index discloses nothing about its
        value.
        """
        return self._index("\x00".join((kind, *parts)).encode())

    def content_index(self, kind: str, content: bytes) -> bytes:
        """Return the HMAC-SHA256 of some bytes of one kind, to detect whether they changed."""
        return self._index(kind.encode() + b"\x00" + content)


def _hmac_function(key: bytes) -> Callable[[bytes], bytes]:
    """Return a function that computes HMAC-SHA256 with this key.

    The key is hashed once (RFC 2104, 4).

    A request computes seven HMACs. `hmac.digest` would look up the algorithm and hash the key for
    each.
    """

    # With a constructor that is not OpenSSL's own, `hmac` keeps the two hash states of the key as
    # objects. They are cheap to copy.
    def begin(block: bytes = b"") -> Any:
        return sha256(block)

    begun = hmac.new(key, digestmod=begin)

    def digest(message: bytes) -> bytes:
        copy = begun.copy()
        copy.update(message)
        return copy.digest()

    return digest
