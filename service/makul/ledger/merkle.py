"""Merkle trees over leaf hashes: roots, and proofs of inclusion and of consistency.

Trees and proofs follow RFC 6962, 2.1. Their verification follows RFC 9162, 2.1.3.2 and 2.1.4.2.
Leaves are given as their hashes (`leaf.leaf_hash`), in the order of the log. A proof is a sequence
of 32-byte node hashes, the lowest first. Verifiers never raise. They return False for a proof that
is too long, too short or of impossible sizes, and for one with a hash of another length.
"""

import hashlib
from collections.abc import Sequence

NODE_PREFIX = b"\x01"
"""The prefix that distinguishes inner nodes from leaves (RFC 6962, 2.1)."""

HASH_BYTES = 32
"""Length of a SHA-256 hash. Other lengths are refused.

With variable lengths, one byte string could be divided into left and right in several ways.
"""

Range = tuple[int, int]
"""A range of leaves: from the first index up to and excluding the second."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962, 2.1)."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), the hash of an inner node (RFC 6962, 2.1)."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of the leaves (RFC 6962, 2.1); `EMPTY_ROOT` if there are none."""
    if not leaf_hashes:
        return EMPTY_ROOT
    return _subtree(leaf_hashes, 0, len(leaf_hashes))


def inclusion_proof(index: int, leaf_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the audit path of the leaf at `index` in the tree of all leaves (RFC 6962, 2.1.1).

    Raises `IndexError` if there is no such leaf.
    """
    ranges = inclusion_ranges(index, len(leaf_hashes))
    return tuple(_subtree(leaf_hashes, start, end) for start, end in ranges)


def inclusion_ranges(index: int, size: int) -> tuple[Range, ...]:
    """Return the leaf ranges whose roots are the nodes of an audit path, the lowest node first.

    Raises `IndexError` if there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError("no leaf at this index")
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + largest_power_below(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(
    leaf_hash: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Return whether the proof shows this leaf at `index` of the tree with this size and root.

    See RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size or not _are_hashes(leaf_hash, *proof):
        return False
    node, last, computed = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _skip_missing_siblings(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def consistency_proof(old_size: int, leaf_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the proof that the tree of the first `old_size` leaves is a prefix of the whole.

    See RFC 6962, 2.1.2. The proof is empty if both are the same tree. Raises `IndexError` unless 0
    < old_size <= all leaves.
    """
    ranges = consistency_ranges(old_size, len(leaf_hashes))
    return tuple(_subtree(leaf_hashes, start, end) for start, end in ranges)


def consistency_ranges(old_size: int, size: int) -> tuple[Range, ...]:
    """Return the leaf ranges whose roots are the nodes of a consistency proof, lowest node first.

    Raises `IndexError` unless 0 < old_size <= size.
    """
    if not 0 < old_size <= size:
        raise IndexError("no earlier tree of this size")
    path: list[Range] = []
    start, end = 0, size
    while end != old_size:
        middle = start + largest_power_below(end - start)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start > 0:
        path.append((start, end))
    return tuple(reversed(path))


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether the proof shows that the new tree only appended to the old one.

    See RFC 9162, 2.1.4.2. Every tree is consistent with the empty tree, which needs no proof.
    """
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not proof and old_root == new_root
    return _verify_growth(old_size, old_root, new_size, new_root, tuple(proof))


def _verify_growth(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: tuple[bytes, ...]
) -> bool:
    """Apply RFC 9162, 2.1.4.2, steps 1 to 7, for 0 < old_size < new_size."""
    if not proof:
        return False
    if _is_power_of_two(old_size):
        proof = (old_root, *proof)
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_found = new_found = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_found = node_hash(sibling, old_found)
            new_found = node_hash(sibling, new_found)
            node, last = _skip_missing_siblings(node, last)
        else:
            new_found = node_hash(new_found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_found == old_root and new_found == new_root


def _skip_missing_siblings(node: int, last: int) -> tuple[int, int]:
    """Skip levels on which a last node has no sibling and is carried up unchanged."""
    while not node & 1 and node:
        node, last = node >> 1, last >> 1
    return node, last


def _subtree(leaf_hashes: Sequence[bytes], start: int, end: int) -> bytes:
    """Return the root over `leaf_hashes[start:end]`, which must contain at least one leaf."""
    if end - start == 1:
        return leaf_hashes[start]
    middle = start + largest_power_below(end - start)
    return node_hash(_subtree(leaf_hashes, start, middle), _subtree(leaf_hashes, middle, end))


def largest_power_below(count: int) -> int:
    """Return the largest power of two below `count` (RFC 6962, 2.1); `count` must be above 1."""
    return 1 << ((count - 1).bit_length() - 1)


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)


def _is_power_of_two(count: int) -> bool:
    return count & (count - 1) == 0
