"""Tiles: the hashes of a log in the form in which others fetch them (C2SP tlog-tiles).

The specification is https://c2sp.org/tlog-tiles. A tile holds up to 256 consecutive hashes of one
level of the tree. Level 0 holds leaf hashes. A hash of level L is the root over 256 to the power of
L leaves. A full tile never changes. The last tile of a level is a partial tile: its name contains
its width, and it grows until it is full.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from makul.ledger.merkle import HASH_BYTES

TILE_HEIGHT = 8
"""Number of levels of the tree in one tile (C2SP tlog-tiles, "Merkle Tree")."""

TILE_WIDTH = 1 << TILE_HEIGHT
"""Number of hashes in a full tile."""

TILE_BYTES = TILE_WIDTH * HASH_BYTES

TOP_LEVEL = 63
"""The highest level that a path may name (C2SP tlog-tiles)."""

_GROUP = 1_000
_PATH = re.compile(
    r"tile/(0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """The name of a tile and the number of its hashes, without the hashes themselves."""

    level: int
    index: int
    """The index within its level, from 0."""
    width: int = TILE_WIDTH
    """The number of hashes, 1 to 256; fewer than 256 make a partial tile."""

    @property
    def path(self) -> str:
        """The path of its publication: `tile/0/x001/067`, or `tile/0/x001/067.p/5`."""
        groups = [f"{self.index % _GROUP:03d}"]
        rest = self.index // _GROUP
        while rest:
            groups.append(f"x{rest % _GROUP:03d}")
            rest //= _GROUP
        path = f"tile/{self.level}/{'/'.join(reversed(groups))}"
        return path if self.width == TILE_WIDTH else f"{path}.p/{self.width}"


def tile_of_path(path: str) -> Tile | None:
    """Return the tile of exactly this path; None for any other text."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level, groups, width = match.groups()
    tile = Tile(
        level=int(level),
        index=int(groups.replace("x", "").replace("/", "")),
        width=int(width) if width is not None else TILE_WIDTH,
    )
    # A tile has exactly one path. Leading groups of zeros, and a full tile named as a partial one,
    # are refused.
    return tile if tile.level <= TOP_LEVEL and tile.path == path else None


def hashes_at(level: int, size: int) -> int:
    """Return the number of hashes of a level in a tree of this size: its complete subtrees."""
    return size >> (TILE_HEIGHT * level)


def count_levels(size: int) -> int:
    """Return the number of levels of tiles in a tree of this size."""
    return -(-size.bit_length() // TILE_HEIGHT)


def tile_at(level: int, index: int, size: int) -> Tile:
    """Return a tile with its width in a tree of this size.

    Raises `IndexError` if the tree does not contain it.
    """
    width = min(TILE_WIDTH, hashes_at(level, size) - index * TILE_WIDTH)
    if index < 0 or width < 1:
        raise IndexError("no such tile in a tree of this size")
    return Tile(level, index, width)


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """Yield the tiles of a tree that are missing or narrower in the tree of `old_size` leaves.

    Tiles come from the lowest level up. A reader in this order never lacks a tile of a lower level.
    """
    for level in range(count_levels(size)):
        before, now = hashes_at(level, old_size), hashes_at(level, size)
        if now > before:
            last = (now - 1) // TILE_WIDTH
            for index in range(before // TILE_WIDTH, last + 1):
                yield tile_at(level, index, size)
