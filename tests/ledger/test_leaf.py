"""A leaf commits to a decision and reveals nothing about it."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.leaf import SALT_BYTES, commit, leaf_hash, leaf_input

SALTS = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)


@given(SALTS, st.binary(max_size=200))
def test_leaf_is_the_salted_entry_hashed_as_a_leaf(salt: bytes, entry: bytes) -> None:
    """RFC 6962, 2.1: SHA-256(0x00 || input); the input is HMAC-SHA256 under the salt."""
    salted = hmac.new(salt, entry, hashlib.sha256).digest()

    assert leaf_input(salt, entry) == salted
    assert commit(salt, entry) == hashlib.sha256(b"\x00" + salted).digest()
    assert commit(salt, entry) == leaf_hash(salted)


@given(SALTS, SALTS, st.binary(max_size=50))
def test_the_same_decision_twice_gives_unrelated_leaves(
    one: bytes, other: bytes, entry: bytes
) -> None:
    """Nobody can determine to what a leaf commits without the salt."""
    assert (commit(one, entry) == commit(other, entry)) is (one == other)


@pytest.mark.parametrize("length", [0, 1, 16, SALT_BYTES - 1, SALT_BYTES + 1, 64])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    """HMAC would accept any key, also a weak or empty one (and pads short ones with zeros)."""
    with pytest.raises(ValueError, match="32 bytes"):
        commit(bytes(length), b"entry")
