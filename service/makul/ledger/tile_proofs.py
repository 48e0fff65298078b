"""Proofs, roots and right edges out of a log's tiles, wherever these are kept.

`read_tile(level, index, width)` gives the first `width` hashes of a tile, 32 bytes each, or raises
what its medium raises. A proof reads a few tiles a level and not the log. What is read is taken as
it is: whoever does not trust the tiles checks what comes of them against a signed root.
"""

from collections.abc import Callable

from makul.ledger.compact_range import RightEdge, perfect_root
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
    hashes_at,
    levels_of,
    tile_at,
)

ReadTile = Callable[[int, int, int], bytes]
"""Level, index and width of a tile to its hashes."""


class TileError(Exception):
    """A tile is not there, or not of the length that the log's size gives it."""


class TileTree:
    """A tree of one size, by its tiles; each is read once. Raises `TileError`, and what reading
    raises.
    """

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read = read_tile
        self._kept: dict[Tile, bytes] = {}

    def root(self) -> bytes:
        """The root (RFC 6962, 2.1)."""
        return self._node(0, self.size) if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """As `merkle.inclusion_proof`; raises `IndexError`."""
        return tuple(self._node(*over) for over in inclusion_ranges(index, self.size))

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """As `merkle.consistency_proof`; raises `IndexError`."""
        return tuple(self._node(*over) for over in consistency_ranges(old_size, self.size))

    def edge(self) -> RightEdge:
        """What is needed to append to it."""
        partial = []
        for level in range(levels_of(self.size)):
            count = hashes_at(level, self.size)
            unfinished = count % TILE_WIDTH
            partial.append(self._tile(level, count // TILE_WIDTH) if unfinished else b"")
        return RightEdge(self.size, tuple(partial))

    def leaf(self, index: int) -> bytes:
        """The leaf hash at a position."""
        return self._hashes(0, index, 1)

    def _node(self, start: int, end: int) -> bytes:
        """The root over these leaves, which must begin where a subtree of their number can."""
        count = end - start
        if count & (count - 1):
            middle = start + largest_power_below(count)
            return node_hash(self._node(start, middle), self._node(middle, end))
        height = count.bit_length() - 1
        level = height // TILE_HEIGHT
        width = 1 << (height % TILE_HEIGHT)
        return perfect_root(self._hashes(level, start >> (TILE_HEIGHT * level), width))

    def _hashes(self, level: int, first: int, count: int) -> bytes:
        """Hashes of one level that lie in one tile."""
        index, offset = divmod(first, TILE_WIDTH)
        row = self._tile(level, index)
        return row[offset * HASH_BYTES : (offset + count) * HASH_BYTES]

    def _tile(self, level: int, index: int) -> bytes:
        tile = tile_at(level, index, self.size)
        kept = self._kept.get(tile)
        if kept is None:
            kept = self._read(tile.level, tile.index, tile.width)
            if len(kept) != tile.width * HASH_BYTES:
                raise TileError(f"{tile.path} has another length than it should")
            self._kept[tile] = kept
        return kept
