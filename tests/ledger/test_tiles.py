"""Tiles (C2SP tlog-tiles): their names, their content, and what is computed from them."""

import hashlib
import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from makul.ledger.compact_range import EMPTY_EDGE, RightEdge, build_edge, perfect_root, split_hashes
from makul.ledger.leaf import leaf_hash
from makul.ledger.merkle import (
    consistency_proof,
    inclusion_proof,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from makul.ledger.tile_proofs import TileError, TileTree
from makul.ledger.tiles import Tile, count_levels, hashes_at, new_tiles, tile_at, tile_of_path

NAMES = [
    (Tile(0, 0), "tile/0/000"),
    (Tile(0, 67, 5), "tile/0/067.p/5"),
    (Tile(1, 1_067), "tile/1/x001/067"),
    (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
    (Tile(0, 1_234_067, 112), "tile/0/x001/x234/067.p/112"),
    (Tile(63, 999), "tile/63/999"),
]

NO_NAMES = [
    "",
    "tile/0/0",
    "tile/0/67",
    "tile/00/067",
    "tile/64/067",
    "tile/0/1067",
    "tile/0/001/067",
    "tile/0/x000/067",
    "tile/0/x001/x067",
    "tile/0/067.p/0",
    "tile/0/067.p/05",
    "tile/0/067.p/256",
    "tile/0/067.p/",
    "tile/0/067/",
    "/tile/0/067",
    "tile/0/067\n",
    "tile/0/../067",
    "tile/-1/067",
    "tile/entries/067",
    "tile/0/٠٦٧",
    "tile/0/" + "x001/" * 9 + "000",
]

LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(70_000)]
"""Three levels of tiles; the upper two have just begun."""


class Log:
    """A ledger in memory that grows by appending."""

    def __init__(self, leaves: Sequence[bytes], *, cuts: Sequence[int] = ()) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.edge = EMPTY_EDGE
        start = 0
        for end in (*cuts, len(leaves)):
            appended = self.edge.extended(leaves[start:end])
            self.edge, start = appended.edge, end
            self.tiles |= {(each.level, each.index): row for each, row in appended.tiles.items()}

    def read(self, level: int, index: int, width: int) -> bytes:
        return self.tiles[level, index][: 32 * width]


@pytest.fixture(scope="module")
def large() -> Log:
    return Log(LEAVES, cuts=sorted(random.Random(6962).sample(range(70_000), 40)))  # noqa: S311


@pytest.mark.parametrize(("tile", "path"), NAMES)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    """C2SP tlog-tiles, "Tiles": groups of three digits, all but the last marked with an x."""
    assert tile.path == path
    assert tile_of_path(path) == tile


@pytest.mark.parametrize("path", NO_NAMES)
def test_no_other_text_names_a_tile(path: str) -> None:
    """Each tile has one path, and no path leads out of the directory."""
    assert tile_of_path(path) is None


@given(
    st.builds(Tile, st.integers(0, 63), st.integers(0, 10**15), st.integers(1, 256)),
)
def test_paths_are_read_back(tile: Tile) -> None:
    """A path is read back for any level, index and width."""
    assert tile_of_path(tile.path) == tile


@given(st.integers(0, 70_000), st.integers(0, 70_000))
@example(0, 65_536)
@example(255, 256)
@example(65_535, 65_537)
def test_new_tiles_are_those_that_the_smaller_tree_lacks(one: int, other: int) -> None:
    """The result is exactly the tiles, with widths, of the larger tree without the
    smaller tree's.
    """
    old, size = sorted((one, other))

    before, now = ({*new_tiles(0, each)} for each in (old, size))

    assert {*new_tiles(old, size)} == now - before
    for level in range(count_levels(size)):
        assert sum(each.width for each in now if each.level == level) == hashes_at(level, size)


def test_a_tile_that_a_tree_does_not_have_is_not_named() -> None:
    """The index is beyond the last tile, or before the first."""
    for level, index in ((0, 2), (1, 1), (2, 0), (0, -1)):
        with pytest.raises(IndexError):
            tile_at(level, index, 511)


@given(st.integers(0, 2_000), st.lists(st.integers(0, 2_000), max_size=4))
@example(256, [255])
@example(512, [256, 256])
@example(1, [0])
def test_the_way_of_appending_does_not_change_the_ledger(size: int, cuts: list[int]) -> None:
    """RFC 6962, 2.1: leaf by leaf or at once, tiles, edge and root are the same."""
    leaves = LEAVES[:size]
    at_once = build_edge(leaves)
    log = Log(leaves, cuts=[cut for cut in sorted(cuts) if cut <= size])

    assert log.edge == at_once
    assert log.edge.root() == tree_root(leaves)
    for tile in new_tiles(0, size):
        row = log.tiles[tile.level, tile.index]
        assert len(row) == 32 * tile.width
        if tile.level == 0:
            assert split_hashes(row) == leaves[256 * tile.index : 256 * tile.index + tile.width]
        else:
            below = log.tiles[tile.level - 1, 256 * tile.index]
            assert row[:32] == perfect_root(below)


def test_a_large_log_has_the_root_of_its_leaves(large: Log) -> None:
    """The ledger is three levels deep, and built in forty pieces of different size."""
    assert large.edge.root() == tree_root(LEAVES)
    assert count_levels(len(LEAVES)) == 3


def test_an_independent_library_finds_the_same_roots_and_proofs() -> None:
    """Pymerkle also implements RFC 6962, and shares no code with this package."""
    theirs = InmemoryTree(algorithm="sha256")
    log = Log([])
    for size in range(1, 530):
        entry = size.to_bytes(4, "big")
        theirs.append_entry(entry)
        appended = log.edge.extended([leaf_hash(entry)])
        log.edge = appended.edge
        log.tiles |= {(each.level, each.index): row for each, row in appended.tiles.items()}
        assert log.edge.root() == theirs.get_root(size)
    tree = TileTree(529, log.read)
    for index in (0, 1, 255, 256, 300, 511, 512, 528):
        path = theirs.prove_inclusion(index + 1, 529).path
        assert path[0] == tree.leaf(index)
        assert tree.inclusion_proof(index) == tuple(path[1:])


@given(st.data())
def test_proofs_from_tiles_are_those_from_leaves(large: Log, data: st.DataObject) -> None:
    """RFC 6962, 2.1.1 and 2.1.2: proofs are equal at every size that the ledger had."""
    size = data.draw(st.integers(1, 3_000))
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    tree = TileTree(size, large.read)

    assert tree.root() == tree_root(leaves)
    assert tree.inclusion_proof(index) == inclusion_proof(index, leaves)
    assert tree.consistency_proof(index + 1) == consistency_proof(index + 1, leaves)
    assert tree.edge() == build_edge(leaves)


@given(st.integers(1, 70_000), st.data())
@example(65_536, None)
def test_proofs_in_a_large_log_are_valid(large: Log, size: int, data: st.DataObject | None) -> None:
    """Verifiers that know no tiles accept proofs across three levels of tiles."""
    index = data.draw(st.integers(0, size - 1)) if data is not None else size - 1
    tree, old = TileTree(size, large.read), TileTree(index + 1, large.read)

    assert tree.leaf(index) == LEAVES[index]
    assert verify_inclusion(
        LEAVES[index],
        index=index,
        size=size,
        proof=tree.inclusion_proof(index),
        root=tree.root(),
    )
    assert verify_consistency(
        old_size=index + 1,
        old_root=old.root(),
        new_size=size,
        new_root=tree.root(),
        proof=tree.consistency_proof(index + 1),
    )


def test_a_proof_reads_a_few_tiles(large: Log) -> None:
    """A proof reads at most two tiles of each level for 70,000 leaves."""
    read_tiles: list[tuple[int, int]] = []

    def read(level: int, index: int, width: int) -> bytes:
        read_tiles.append((level, index))
        return large.read(level, index, width)

    TileTree(70_000, read).inclusion_proof(12_345)

    assert len(read_tiles) == len(set(read_tiles)) <= 6


@pytest.mark.parametrize("change", [lambda row: row[:-1], lambda row: row + row[:32]])
def test_a_tile_of_another_length_is_refused(change: object) -> None:
    """The tile is cut off, or longer than requested."""
    assert callable(change)
    log = Log(LEAVES[:300])

    with pytest.raises(TileError, match=r"tile/1/000.p/1 has another length"):
        TileTree(300, lambda *tile: change(log.read(*tile))).root()


def test_a_changed_leaf_changes_the_root_at_any_depth() -> None:
    """Each of 300 leaves is changed in turn."""
    rows = {0: b"".join(LEAVES[:256]), 1: b"".join(LEAVES[256:300])}
    roots = {build_edge(LEAVES[:300]).root()}
    for index in range(300):
        leaves = [*LEAVES[:index], hashlib.sha256(b"another").digest(), *LEAVES[index + 1 : 300]]
        roots.add(build_edge(leaves).root())

    assert len(roots) == 301
    assert perfect_root(rows[0]) == tree_root(LEAVES[:256])


@pytest.mark.parametrize(
    ("size", "partial"),
    [(0, (b"",)), (1, ()), (1, (bytes(31),)), (1, (bytes(64),)), (256, (b"",)), (-1, ())],
)
def test_an_edge_that_is_not_of_its_size_is_refused(size: int, partial: tuple[bytes, ...]) -> None:
    """An edge that was read back wrongly must not be extended."""
    with pytest.raises(ValueError, match="unfinished tiles"):
        RightEdge(size, partial)
