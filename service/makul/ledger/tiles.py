"""A log's hashes in tiles, as others fetch them: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

A tile holds up to 256 hashes, those of one level of the tree that stand side by side. Level 0 holds
leaf hashes; a hash of level L is the root over 256 to the power of L leaves. A full tile never
changes; the last one of a level, a partial tile, is named with its width and grows until full.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from makul.ledger.merkle import HASH_BYTES

TILE_HEIGHT = 8
"""Levels of the tree that lie in one tile (C2SP tlog-tiles, "Merkle Tree")."""

TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile."""

TILE_BYTES = TILE_WIDTH * HASH_BYTES

TOP_LEVEL = 63
"""The highest level that a path may name (C2SP tlog-tiles)."""

_GROUP = 1_000
_PATH = re.compile(
    r"tile/(0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Which tile, and how many hashes of it. It is named, not held."""

    level: int
    index: int
    """Counted from 0 within its level."""
    width: int = TILE_WIDTH
    """1 to 256; less than 256 is a partial tile."""

    @property
    def path(self) -> str:
        """Where it is published: `tile/0/x001/067`, or `tile/0/x001/067.p/5`."""
        groups = [f"{self.index % _GROUP:03d}"]
        rest = self.index // _GROUP
        while rest:
            groups.append(f"x{rest % _GROUP:03d}")
            rest //= _GROUP
        path = f"tile/{self.level}/{'/'.join(reversed(groups))}"
        return path if self.width == TILE_WIDTH else f"{path}.p/{self.width}"


def tile_of_path(path: str) -> Tile | None:
    """The tile of exactly this path; None for any other text."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level, groups, width = found.groups()
    tile = Tile(
        level=int(level),
        index=int(groups.replace("x", "").replace("/", "")),
        width=int(width) if width is not None else TILE_WIDTH,
    )
    # One tile, one path: leading groups of zeros, and a full tile named as a partial one, are none.
    return tile if tile.level <= TOP_LEVEL and tile.path == path else None


def hashes_at(level: int, size: int) -> int:
    """How many hashes a level has in a tree of this size: its complete subtrees."""
    return size >> (TILE_HEIGHT * level)


def levels_of(size: int) -> int:
    """How many levels of tiles there are in a tree of this size."""
    return -(-size.bit_length() // TILE_HEIGHT)


def tile_at(level: int, index: int, size: int) -> Tile:
    """A tile as wide as it is in a tree of this size; raises `IndexError` where it is not in it."""
    width = min(TILE_WIDTH, hashes_at(level, size) - index * TILE_WIDTH)
    if index < 0 or width < 1:
        raise IndexError("no such tile in a tree of this size")
    return Tile(level, index, width)


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """The tiles of a tree that the one of `old_size` did not have, or had with fewer hashes.

    From the lowest level up, so that who reads in this order never misses what lies below.
    """
    for level in range(levels_of(size)):
        before, now = hashes_at(level, old_size), hashes_at(level, size)
        if now > before:
            last = (now - 1) // TILE_WIDTH
            for index in range(before // TILE_WIDTH, last + 1):
                yield tile_at(level, index, size)
