"""Append to a log without reading it: later leaves change only the right edge of the tree.

The hashes that are not yet in full tiles form the right edge: fewer than 256 hashes a level. The
new tiles and the root are computed from them, regardless of the size of the log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from makul.ledger.merkle import EMPTY_ROOT, HASH_BYTES, node_hash
from makul.ledger.tiles import TILE_BYTES, TILE_WIDTH, Tile, count_levels, hashes_at


@dataclass(frozen=True, slots=True)
class RightEdge:
    """The unfinished tiles of a tree, from level 0 up; empty for a level whose tiles are all full.

    Raises `ValueError` if their lengths do not match the size.
    """

    size: int
    partial: tuple[bytes, ...]
    """The hashes of the last tile of each level, concatenated, 32 bytes each."""

    def __post_init__(self) -> None:
        stated = tuple(
            hashes_at(level, self.size) % TILE_WIDTH * HASH_BYTES
            for level in range(count_levels(self.size))
        )
        if self.size < 0 or tuple(map(len, self.partial)) != stated:
            raise ValueError("a right edge holds the unfinished tiles of its size")

    def root(self) -> bytes:
        """Return the root of the tree (RFC 6962, 2.1)."""
        *higher, last = tuple(self._peaks()) or (EMPTY_ROOT,)
        return reduce(lambda right, left: node_hash(left, right), reversed(higher), last)

    def extended(self, leaf_hashes: Sequence[bytes]) -> "AppendResult":
        """Return the tree with these leaves appended, and its tiles that are new or have grown."""
        tiles: dict[Tile, bytes] = {}
        partial: list[bytes] = []
        new: Sequence[bytes] = leaf_hashes
        for level in range(count_levels(self.size + len(leaf_hashes))):
            row = (self.partial[level] if level < len(self.partial) else b"") + b"".join(new)
            index = hashes_at(level, self.size) // TILE_WIDTH
            full = [row[at : at + TILE_BYTES] for at in range(0, len(row), TILE_BYTES)]
            rest = full.pop() if len(row) % TILE_BYTES else b""
            tiles |= {Tile(level, index + number): tile for number, tile in enumerate(full)}
            if rest and new:
                tiles[Tile(level, index + len(full), len(rest) // HASH_BYTES)] = rest
            partial.append(rest)
            new = [perfect_root(tile) for tile in full]
        return AppendResult(RightEdge(self.size + len(leaf_hashes), tuple(partial)), tiles)

    def _peaks(self) -> Iterator[bytes]:
        """Yield the roots of the largest complete subtrees from left to right.

        They make up the tree.
        """
        for row in reversed(self.partial):
            at, left = 0, len(row) // HASH_BYTES
            while left:
                width = 1 << (left.bit_length() - 1)
                yield perfect_root(row[at : at + width * HASH_BYTES])
                at, left = at + width * HASH_BYTES, left - width


EMPTY_EDGE = RightEdge(0, ())
"""The right edge of the log without leaves."""


@dataclass(frozen=True, slots=True)
class AppendResult:
    """A tree after leaves were appended."""

    edge: RightEdge
    tiles: Mapping[Tile, bytes]
    """The changed tiles, named by their present width.

    Each tile also contains the hashes that it had before.
    """


def perfect_root(hashes: bytes) -> bytes:
    """Return the root over concatenated hashes, 32 bytes each; their number is a power of two."""
    row = split_hashes(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def split_hashes(row: bytes) -> list[bytes]:
    """Return the hashes of a tile."""
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]


def build_edge(leaf_hashes: Iterable[bytes]) -> RightEdge:
    """Return the right edge of the tree over these leaves."""
    return EMPTY_EDGE.extended(tuple(leaf_hashes)).edge
