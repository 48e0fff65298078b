"""What a checkpoint is beside the tree seen before: by roots that the witness computes itself."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE, edge_of
from makul.ledger.tile_proofs import ReadTile
from makul.ledger.tiles import Tile
from makul.witness.consistency import ConsistencyFinding, Seen, judge
from makul.witness.log_source import MissingError, SourceError
from makul_testing.tlog.published import ORIGIN, leaves

SIZES = st.integers(0, 1200)
SETTINGS_OF_TREES = st.tuples(SIZES, SIZES).map(sorted)


def tiles_over(hashes: Sequence[bytes]) -> ReadTile:
    """Every tile that a log of these leaves ever published, full or partial."""
    kept = dict(EMPTY_EDGE.extended(hashes).tiles)

    def read(level: int, index: int, width: int) -> bytes:
        for tile, octets in kept.items():
            if (tile.level, tile.index) == (level, index) and tile.width >= width:
                return octets[: width * 32]
        raise MissingError(Tile(level, index, width).path)

    return read


def seen(hashes: Sequence[bytes]) -> Seen:
    return Seen(len(hashes), edge_of(hashes).root())


def signed(hashes: Sequence[bytes]) -> Checkpoint:
    return Checkpoint(ORIGIN, len(hashes), edge_of(hashes).root())


@given(SETTINGS_OF_TREES, st.booleans())
def test_what_only_grew_is_found_to_have_grown(sizes: list[int], from_start: bool) -> None:
    """From any size to any other, by a few tiles or by all leaves."""
    old, new = sizes
    hashes = leaves(new)

    found = judge(seen(hashes[:old]), signed(hashes), tiles_over(hashes), from_start=from_start)

    assert found.finding is (ConsistencyFinding.GREW if new > old else ConsistencyFinding.UNCHANGED)


@given(SETTINGS_OF_TREES.filter(lambda sizes: sizes[0] > 0), st.data(), st.booleans())
def test_a_changed_old_leaf_is_found(
    sizes: list[int],
    data: st.DataObject,
    from_start: bool,
) -> None:
    """Wherever it lies, however well the log rebuilt its tree over it."""
    old, new = sizes
    before = leaves(new)
    changed = data.draw(st.integers(0, old - 1))
    after = [*before[:changed], b"\xff" * 32, *before[changed + 1 :]]

    found = judge(seen(before[:old]), signed(after), tiles_over(after), from_start=from_start)

    assert found.finding is ConsistencyFinding.FORKED


@given(SETTINGS_OF_TREES.filter(lambda sizes: sizes[0] < sizes[1]))
def test_an_old_checkpoint_shown_again_is_known_for_one(sizes: list[int]) -> None:
    """While the tiles show that nothing was taken back."""
    old, new = sizes
    hashes = leaves(new)

    assert (
        judge(seen(hashes), signed(hashes[:old]), tiles_over(hashes)).finding
        is ConsistencyFinding.OLDER
    )


@given(SETTINGS_OF_TREES.filter(lambda sizes: 0 < sizes[0] < sizes[1]))
def test_a_smaller_tree_that_is_no_beginning_is_a_fork(sizes: list[int]) -> None:
    """With the tiles of either branch."""
    old, new = sizes
    ours, theirs = leaves(new), leaves(old, "another ")

    for shown in (ours, theirs + ours[old:]):
        found = judge(seen(ours), signed(theirs), tiles_over(shown))
        assert found.finding is ConsistencyFinding.FORKED


@pytest.mark.parametrize(("old", "new"), [(1, 0), (5, 4), (300, 256), (70_000, 69_999)])
def test_leaves_taken_back_are_found(old: int, new: int) -> None:
    """A tree that shrank and no longer shows what it held."""
    hashes = leaves(old)
    before = seen(hashes)

    found = judge(before, signed(hashes[:new]), tiles_over(hashes[:new]))

    if new == 0:
        # The empty tree is a beginning of every tree, and asks for no tile.
        assert found.finding is ConsistencyFinding.OLDER
    else:
        assert found.finding is ConsistencyFinding.FORKED


def test_a_root_that_the_tiles_do_not_give_is_not_believed() -> None:
    """Neither at first nor later, nor from the start: what the log signed it does not show."""
    hashes = leaves(400)
    false = Checkpoint(ORIGIN, 400, b"\x00" * 32)

    for before in (Seen(), seen(hashes[:300])):
        for from_start in (False, True):
            found = judge(before, false, tiles_over(hashes), from_start=from_start)
            assert found.finding is ConsistencyFinding.UNPROVEN


def test_two_trees_of_one_size_are_a_fork() -> None:
    """Which needs no tile to be told."""

    def nothing(level: int, index: int, width: int) -> bytes:
        raise AssertionError((level, index, width))

    assert (
        judge(seen(leaves(3)), signed(leaves(3, "b")), nothing).finding is ConsistencyFinding.FORKED
    )


def test_a_published_leaf_that_was_changed_is_found_from_the_start() -> None:
    """Upper tiles and signed roots may hide it; all leaf hashes do not."""
    hashes = leaves(600)
    honest = tiles_over(hashes)

    def changed(level: int, index: int, width: int) -> bytes:
        octets = honest(level, index, width)
        return b"\xff" * 32 + octets[32:] if (level, index) == (0, 0) else octets

    assert judge(seen(hashes), signed(hashes), changed).finding is ConsistencyFinding.UNCHANGED
    again = judge(seen(hashes), signed(hashes), changed, from_start=True)
    assert again.finding is ConsistencyFinding.UNPROVEN


@pytest.mark.parametrize("from_start", [False, True])
@pytest.mark.parametrize("spoil", [lambda octets: octets[:-1], lambda octets: octets + b"x"])
def test_a_tile_of_another_length_says_nothing(spoil: object, *, from_start: bool) -> None:
    """It is neither proof nor disproof."""
    hashes = leaves(10)
    honest = tiles_over(hashes)
    assert callable(spoil)

    with pytest.raises(SourceError):
        judge(
            seen(hashes[:3]),
            signed(hashes),
            lambda *tile: spoil(honest(*tile)),
            from_start=from_start,
        )


def test_a_large_log_takes_a_few_tiles() -> None:
    """Whatever the size: two a level, and the levels are log256 of the leaves."""
    hashes = leaves(70_000)
    honest = tiles_over(hashes)
    asked: list[tuple[int, int, int]] = []

    def counted(level: int, index: int, width: int) -> bytes:
        asked.append((level, index, width))
        return honest(level, index, width)

    assert judge(seen(hashes[:33]), signed(hashes), counted).finding is ConsistencyFinding.GREW
    assert len(asked) <= 6
