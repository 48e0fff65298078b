"""Appending to a log without reading it: its right edge is all that later leaves change.

What of a tree is not yet in full tiles lies along its right edge: fewer than 256 hashes a level.
From them come the new tiles and the root, whatever the size of the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from makul.ledger.merkle import EMPTY_ROOT, HASH_BYTES, node_hash
from makul.ledger.tiles import TILE_BYTES, TILE_WIDTH, Tile, hashes_at, levels_of


@dataclass(frozen=True, slots=True)
class RightEdge:
    """The unfinished tiles of a tree, from level 0 up; empty where a level's tiles are all full.

    Raises `ValueError` where they are not as long as the size has it.
    """

    size: int
    partial: tuple[bytes, ...]
    """For each level its last tile's hashes, one after the other, 32 bytes each."""

    def __post_init__(self) -> None:
        stated = tuple(
            hashes_at(level, self.size) % TILE_WIDTH * HASH_BYTES
            for level in range(levels_of(self.size))
        )
        if self.size < 0 or tuple(map(len, self.partial)) != stated:
            raise ValueError("a right edge holds the unfinished tiles of its size")

    def root(self) -> bytes:
        """The root of the tree (RFC 6962, 2.1)."""
        *higher, last = tuple(self._peaks()) or (EMPTY_ROOT,)
        return reduce(lambda right, left: node_hash(left, right), reversed(higher), last)

    def extended(self, leaf_hashes: Sequence[bytes]) -> "Appended":
        """The tree with these leaves behind, and every tile of it that is new or has grown."""
        tiles: dict[Tile, bytes] = {}
        partial: list[bytes] = []
        new: Sequence[bytes] = leaf_hashes
        for level in range(levels_of(self.size + len(leaf_hashes))):
            row = (self.partial[level] if level < len(self.partial) else b"") + b"".join(new)
            index = hashes_at(level, self.size) // TILE_WIDTH
            full = [row[at : at + TILE_BYTES] for at in range(0, len(row), TILE_BYTES)]
            rest = full.pop() if len(row) % TILE_BYTES else b""
            tiles |= {Tile(level, index + number): tile for number, tile in enumerate(full)}
            if rest and new:
                tiles[Tile(level, index + len(full), len(rest) // HASH_BYTES)] = rest
            partial.append(rest)
            new = [perfect_root(tile) for tile in full]
        return Appended(RightEdge(self.size + len(leaf_hashes), tuple(partial)), tiles)

    def _peaks(self) -> Iterator[bytes]:
        """The roots of the largest complete subtrees, from the left; together they are the tree."""
        for row in reversed(self.partial):
            at, left = 0, len(row) // HASH_BYTES
            while left:
                width = 1 << (left.bit_length() - 1)
                yield perfect_root(row[at : at + width * HASH_BYTES])
                at, left = at + width * HASH_BYTES, left - width


EMPTY_EDGE = RightEdge(0, ())
"""Of the log without leaves."""


@dataclass(frozen=True, slots=True)
class Appended:
    """A tree that grew."""

    edge: RightEdge
    tiles: Mapping[Tile, bytes]
    """Named as wide as they are now; each holds the hashes that it had before as well."""


def perfect_root(hashes: bytes) -> bytes:
    """The root over hashes in a row, of which there are a power of two; 32 bytes."""
    row = split_hashes(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def split_hashes(row: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]


def edge_of(leaf_hashes: Iterable[bytes]) -> RightEdge:
    """The right edge of the tree over these leaves."""
    return EMPTY_EDGE.extended(tuple(leaf_hashes)).edge
