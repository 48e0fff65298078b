"""Compute proofs, roots and right edges from a log's tiles, in any storage.

`read_tile(level, index, width)` returns the first `width` hashes of a tile, 32 bytes each, or
raises the error of its medium. A proof reads a few tiles a level and not the whole log. The tiles
are not verified. A caller that does not trust them must check the result with a signed root.
"""

from collections.abc import Callable

from makul.ledger.compact_range import RightEdge, perfect_root
from makul.ledger.errors import LedgerFormError
from makul.ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    consistency_ranges,
    inclusion_ranges,
    largest_power_below,
    node_hash,
)
from makul.ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    count_levels,
    hashes_at,
    tile_at,
)

ReadTile = Callable[[int, int, int], bytes]
"""A function from level, index and width of a tile to its hashes."""


class TileError(LedgerFormError):
    """A tile is missing, or its length does not match the size of the log."""


class TileTree:
    """A tree of one size, computed from its tiles; each tile is read once.

    Raises `TileError`, and the errors of `read_tile`.
    """

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read = read_tile
        self._kept: dict[Tile, bytes] = {}

    def root(self) -> bytes:
        """Return the root (RFC 6962, 2.1)."""
        return self._node(0, self.size) if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the proof that `merkle.inclusion_proof` defines; raises `IndexError`."""
        return tuple(self._node(*over) for over in inclusion_ranges(index, self.size))

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """Return the proof that `merkle.consistency_proof` defines; raises `IndexError`."""
        return tuple(self._node(*over) for over in consistency_ranges(old_size, self.size))

    def edge(self) -> RightEdge:
        """Return the right edge, which is needed to append to the tree."""
        partial = []
        for level in range(count_levels(self.size)):
            count = hashes_at(level, self.size)
            unfinished = count % TILE_WIDTH
            partial.append(self._tile(level, count // TILE_WIDTH) if unfinished else b"")
        return RightEdge(self.size, tuple(partial))

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at a leaf index."""
        return self._hashes(0, index, 1)

    def _node(self, start: int, end: int) -> bytes:
        """Return the root over these leaves.

        The range must start at an index at which a subtree of that many leaves can start.
        """
        count = end - start
        if count & (count - 1):
            middle = start + largest_power_below(count)
            return node_hash(self._node(start, middle), self._node(middle, end))
        height = count.bit_length() - 1
        level = height // TILE_HEIGHT
        width = 1 << (height % TILE_HEIGHT)
        return perfect_root(self._hashes(level, start >> (TILE_HEIGHT * level), width))

    def _hashes(self, level: int, first: int, count: int) -> bytes:
        """Return hashes of one level that are in one tile."""
        index, offset = divmod(first, TILE_WIDTH)
        row = self._tile(level, index)
        return row[offset * HASH_BYTES : (offset + count) * HASH_BYTES]

    def _tile(self, level: int, index: int) -> bytes:
        tile = tile_at(level, index, self.size)
        content = self._kept.get(tile)
        if content is None:
            content = self._read(tile.level, tile.index, tile.width)
            if len(content) != tile.width * HASH_BYTES:
                raise TileError("{path} has another length than it should", path=tile.path)
            self._kept[tile] = content
        return content
