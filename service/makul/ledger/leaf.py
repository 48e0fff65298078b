"""What a leaf of the log says: a salted commitment to one decision.

The log is shown to witnesses, so a leaf must not tell what it commits to, not even to somebody who
can guess it. The decision is therefore keyed with a random salt that stays in the operator's
record; once retention deletes the salt, the leaf proves nothing about anybody any more.
"""

import hashlib
import hmac

SALT_BYTES = 32
"""256 bits: HMAC-SHA256's own strength (RFC 2104, 3), so guessing the entry does not help."""

LEAF_PREFIX = b"\x00"
"""Keeps leaves and inner nodes apart, against second preimages (RFC 6962, 2.1)."""


def commit(salt: bytes, entry: bytes) -> bytes:
    """The leaf hash that commits to an entry: `leaf_hash(leaf_input(salt, entry))`; 32 bytes.

    `salt` is random, new for every entry and kept beside it. Raises `ValueError` for a salt that
    is not `SALT_BYTES` long.
    """
    return leaf_hash(leaf_input(salt, entry))


def leaf_input(salt: bytes, entry: bytes) -> bytes:
    """What the log takes in for an entry: HMAC-SHA256 keyed with the salt (RFC 2104); 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} bytes long")
    return hmac.digest(salt, entry, "sha256")


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data), the Merkle tree hash of a single leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()
