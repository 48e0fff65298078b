"""A checkpoint is compared with the tree seen before, by roots that the witness computes itself."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE, build_edge
from makul.ledger.tile_proofs import ReadTile
from makul.ledger.tiles import Tile
from makul.witness.consistency import ConsistencyFinding, CosignedTree, judge
from makul.witness.log_source import MissingError, SourceError
from makul_testing.tlog.published import ORIGIN, leaves

SIZES = st.integers(0, 1200)
SETTINGS_OF_TREES = st.tuples(SIZES, SIZES).map(sorted)


def tiles_over(hashes: Sequence[bytes]) -> ReadTile:
    """Return every tile that a ledger of these leaves ever published, full or partial."""
    tiles = dict(EMPTY_EDGE.extended(hashes).tiles)

    def read(level: int, index: int, width: int) -> bytes:
        for tile, octets in tiles.items():
            if (tile.level, tile.index) == (level, index) and tile.width >= width:
                return octets[: width * 32]
        raise MissingError(Tile(level, index, width).path)

    return read


def cosigned_tree(hashes: Sequence[bytes]) -> CosignedTree:
    return CosignedTree(len(hashes), build_edge(hashes).root())


def signed(hashes: Sequence[bytes]) -> Checkpoint:
    return Checkpoint(ORIGIN, len(hashes), build_edge(hashes).root())


@given(SETTINGS_OF_TREES, st.booleans())
def test_growth_is_recognised(sizes: list[int], from_start: bool) -> None:
    """The sizes are arbitrary; a few tiles or all leaves are enough."""
    old, new = sizes
    hashes = leaves(new)

    found = judge(
        cosigned_tree(hashes[:old]), signed(hashes), tiles_over(hashes), from_start=from_start
    )

    assert found.finding is (ConsistencyFinding.GREW if new > old else ConsistencyFinding.UNCHANGED)


@given(SETTINGS_OF_TREES.filter(lambda sizes: sizes[0] > 0), st.data(), st.booleans())
def test_a_changed_old_leaf_is_found(
    sizes: list[int],
    data: st.DataObject,
    from_start: bool,
) -> None:
    """The leaf is found at any index, even if the ledger rebuilt its tree over it."""
    old, new = sizes
    before = leaves(new)
    changed = data.draw(st.integers(0, old - 1))
    after = [*before[:changed], b"\xff" * 32, *before[changed + 1 :]]

    found = judge(
        cosigned_tree(before[:old]), signed(after), tiles_over(after), from_start=from_start
    )

    assert found.finding is ConsistencyFinding.FORKED


@given(SETTINGS_OF_TREES.filter(lambda sizes: sizes[0] < sizes[1]))
def test_an_old_checkpoint_is_recognised(sizes: list[int]) -> None:
    """The checkpoint is old, and the tiles show that no leaf was withdrawn."""
    old, new = sizes
    hashes = leaves(new)

    assert (
        judge(cosigned_tree(hashes), signed(hashes[:old]), tiles_over(hashes)).finding
        is ConsistencyFinding.OLDER
    )


@given(SETTINGS_OF_TREES.filter(lambda sizes: 0 < sizes[0] < sizes[1]))
def test_a_smaller_tree_that_is_no_prefix_is_a_fork(sizes: list[int]) -> None:
    """The tiles may be of either branch."""
    old, new = sizes
    ours, theirs = leaves(new), leaves(old, "another ")

    for shown in (ours, theirs + ours[old:]):
        found = judge(cosigned_tree(ours), signed(theirs), tiles_over(shown))
        assert found.finding is ConsistencyFinding.FORKED


@pytest.mark.parametrize(("old", "new"), [(1, 0), (5, 4), (300, 256), (70_000, 69_999)])
def test_withdrawn_leaves_are_found(old: int, new: int) -> None:
    """The tree shrank and no longer shows its former leaves."""
    hashes = leaves(old)
    before = cosigned_tree(hashes)

    found = judge(before, signed(hashes[:new]), tiles_over(hashes[:new]))

    if new == 0:
        # The empty tree is a prefix of every tree, and needs no tile.
        assert found.finding is ConsistencyFinding.OLDER
    else:
        assert found.finding is ConsistencyFinding.FORKED


def test_a_root_that_the_tiles_do_not_give_is_refused() -> None:
    """The witness refuses it at first, later and from the start, although the ledger signed it."""
    hashes = leaves(400)
    false = Checkpoint(ORIGIN, 400, b"\x00" * 32)

    for before in (CosignedTree(), cosigned_tree(hashes[:300])):
        for from_start in (False, True):
            found = judge(before, false, tiles_over(hashes), from_start=from_start)
            assert found.finding is ConsistencyFinding.UNPROVEN


def test_two_trees_of_one_size_are_a_fork() -> None:
    """The comparison needs no tile."""

    def nothing(level: int, index: int, width: int) -> bytes:
        raise AssertionError((level, index, width))

    assert (
        judge(cosigned_tree(leaves(3)), signed(leaves(3, "b")), nothing).finding
        is ConsistencyFinding.FORKED
    )


def test_a_published_leaf_that_was_changed_is_found_from_the_start() -> None:
    """Upper tiles and signed roots may hide the change, but all leaf hashes do not."""
    hashes = leaves(600)
    honest = tiles_over(hashes)

    def changed(level: int, index: int, width: int) -> bytes:
        octets = honest(level, index, width)
        return b"\xff" * 32 + octets[32:] if (level, index) == (0, 0) else octets

    assert (
        judge(cosigned_tree(hashes), signed(hashes), changed).finding
        is ConsistencyFinding.UNCHANGED
    )
    again = judge(cosigned_tree(hashes), signed(hashes), changed, from_start=True)
    assert again.finding is ConsistencyFinding.UNPROVEN


@pytest.mark.parametrize("from_start", [False, True])
@pytest.mark.parametrize("spoil", [lambda octets: octets[:-1], lambda octets: octets + b"x"])
def test_a_tile_of_another_length_proves_nothing(spoil: object, *, from_start: bool) -> None:
    """A tile of another length is neither proof nor disproof."""
    hashes = leaves(10)
    honest = tiles_over(hashes)
    assert callable(spoil)

    with pytest.raises(SourceError):
        judge(
            cosigned_tree(hashes[:3]),
            signed(hashes),
            lambda *tile: spoil(honest(*tile)),
            from_start=from_start,
        )


def test_a_large_log_needs_a_few_tiles() -> None:
    """A tree of any size takes two tiles of each level, and the levels are log256 of the leaves."""
    hashes = leaves(70_000)
    honest = tiles_over(hashes)
    read_tiles: list[tuple[int, int, int]] = []

    def counted(level: int, index: int, width: int) -> bytes:
        read_tiles.append((level, index, width))
        return honest(level, index, width)

    assert (
        judge(cosigned_tree(hashes[:33]), signed(hashes), counted).finding
        is ConsistencyFinding.GREW
    )
    assert len(read_tiles) <= 6
