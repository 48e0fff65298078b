"""The Merkle tree of the log, as a recipient verifies it: one leaf in a tree, two trees of one log.

It follows RFC 6962, 2.1, and RFC 9162, 2.1.3.2. Nothing here trusts the source of the hashes.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from makul_client.translation import translate

HASH_BYTES: Final = 32
TILE_WIDTH: Final = 256
"""The number of hashes in a full tile (C2SP tlog-tiles)."""

_TILE_HEIGHT: Final = 8

Fetch: TypeAlias = Callable[[str, int], bytes | None]
"""A function that returns the bytes at a path below the log's address, or None if there are none.

Its second argument is the maximum number of bytes.
"""


class TileError(Exception):
    """The error of a tile that is missing or has the wrong length."""


def root_from_path(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that follows from a leaf hash and its audit path.

    Return None if they fit no tree of that size.
    """
    if not 0 <= index < size or any(len(each) != HASH_BYTES for each in (leaf, *path)):
        return None
    node, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            computed = _node(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = _node(computed, sibling)
        node, last = node >> 1, last >> 1
    return computed if last == 0 else None


class PublishedTree:
    """A tree of a log, read from its published tiles.

    Raises `TileError`, and the errors of `fetch`.
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` leaves; `size` must be at least 1."""
        return self._range_root(0, size)

    @property
    def tiles(self) -> int:
        """The number of tiles of leaves."""
        return -(-self._size // TILE_WIDTH)

    def find_leaf(self, leaf: bytes, *, max_tiles: int) -> int | None:
        """Return the index of a leaf hash, or None if the newest `max_tiles` tiles lack it."""
        for index in reversed(range(max(0, self.tiles - max_tiles), self.tiles)):
            row = self._fetch_tile(0, index)
            for at in range(0, len(row), HASH_BYTES):
                if row[at : at + HASH_BYTES] == leaf:
                    return index * TILE_WIDTH + at // HASH_BYTES
        return None

    def audit_path(self, index: int) -> tuple[bytes, ...]:
        """Return the audit path of a leaf, the lowest node first (RFC 6962, 2.1.1)."""
        start, end = 0, self._size
        path: list[bytes] = []
        while end - start > 1:
            middle = start + (1 << ((end - start - 1).bit_length() - 1))
            if index < middle:
                path.append(self._range_root(middle, end))
                end = middle
            else:
                path.append(self._range_root(start, middle))
                start = middle
        return tuple(reversed(path))

    def _range_root(self, start: int, end: int) -> bytes:
        """Return the root over these leaves.

        `start` must be aligned for a subtree of their number.
        """
        count = end - start
        if count & (count - 1):
            middle = start + (1 << (count.bit_length() - 1))
            return _node(self._range_root(start, middle), self._range_root(middle, end))
        height = count.bit_length() - 1
        level, wide = height // _TILE_HEIGHT, 1 << (height % _TILE_HEIGHT)
        index, offset = divmod(start >> (_TILE_HEIGHT * level), TILE_WIDTH)
        row = self._tile(level, index)[offset * HASH_BYTES : (offset + wide) * HASH_BYTES]
        hashes = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
        while len(hashes) > 1:
            hashes = [_node(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def _tile(self, level: int, index: int) -> bytes:
        known = self._tiles.get((level, index))
        if known is None:
            known = self._tiles[level, index] = self._fetch_tile(level, index)
        return known

    def _fetch_tile(self, level: int, index: int) -> bytes:
        """Return the hashes of a tile.

        The log may have filled and removed a partial tile since (C2SP tlog-tiles). So the full tile
        is the second attempt.
        """
        width = min(TILE_WIDTH, (self._size >> (_TILE_HEIGHT * level)) - index * TILE_WIDTH)
        octets = self._fetch(tile_path(level, index, width), width * HASH_BYTES)
        if octets is None and width < TILE_WIDTH:
            octets = self._fetch(tile_path(level, index), TILE_WIDTH * HASH_BYTES)
        row = (octets or b"")[: width * HASH_BYTES]
        if len(row) != width * HASH_BYTES:
            raise TileError(
                translate(
                    "{tile}: missing, or of another length", tile=tile_path(level, index, width)
                )
            )
        return row


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile: `tile/0/x001/x234/067`.

    A partial tile of 12 hashes has `.p/12` at the end.
    """
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    partial = f".p/{width}" if width < TILE_WIDTH else ""
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
