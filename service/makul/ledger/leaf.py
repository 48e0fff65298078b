"""Leaves of the log: each is a salted commitment to one decision.

The log is shown to witnesses, so a leaf must not reveal what it commits to, even to a reader who
can guess it. The decision is therefore keyed with a random salt that stays in the operator's
record. Once retention deletes the salt, the leaf no longer proves anything about a person.
"""

import hashlib
import hmac

SALT_BYTES = 32
"""Length of a salt: 256 bits, the strength of HMAC-SHA256 (RFC 2104, 3).

A guess of the entry therefore cannot be tested.
"""

LEAF_PREFIX = b"\x00"
"""The prefix that distinguishes leaves from inner nodes (RFC 6962, 2.1).

It prevents second preimages.
"""


def commit(salt: bytes, entry: bytes) -> bytes:
    """Return the leaf hash that commits to an entry, 32 bytes.

    It is `leaf_hash(leaf_input(salt, entry))`. `salt` is random, new for every entry and stored
    with it. Raises `ValueError` for a salt that is not `SALT_BYTES` long.
    """
    return leaf_hash(leaf_input(salt, entry))


def leaf_input(salt: bytes, entry: bytes) -> bytes:
    """Return the log's input for an entry: HMAC-SHA256 keyed with the salt (RFC 2104); 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} bytes long")
    return hmac.digest(salt, entry, "sha256")


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data), the Merkle tree hash of a single leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()
