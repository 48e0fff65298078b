"""Blind indexes are the HMAC that any library computes."""

import hmac
import secrets

import pytest

from makul.store.encryption.fields import FieldCipher
from makul.store.encryption.master_keys import StoreKeys


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 128, 4096])
def test_an_index_is_hmac_sha256(length: int) -> None:
    """RFC 2104, at lengths around SHA-256's block: stored values must be found permanently."""
    keys = StoreKeys.generate()
    cipher = FieldCipher(keys)
    content = secrets.token_bytes(length)
    value = content.hex()

    for _ in range(2):  # the second index finds the key's state like the first
        expected = hmac.digest(keys.index, b"kind\0one\0" + value.encode(), "sha256")
        assert cipher.index("kind", "one", value) == expected
        expected = hmac.digest(keys.index, b"kind\0" + content, "sha256")
        assert cipher.content_index("kind", content) == expected


def test_parts_are_separated() -> None:
    """One pair would be found as another without a separator between the parts."""
    cipher = FieldCipher(StoreKeys.generate())

    found = {cipher.index("k", "ab", "c"), cipher.index("k", "a", "bc"), cipher.index("ka", "bc")}

    assert len(found) == 3
