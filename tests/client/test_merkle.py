"""The client's own Merkle tree agrees with the service's, which agrees with RFC 6962's vectors."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.compact_range import EMPTY_EDGE
from makul.ledger.merkle import inclusion_proof, tree_root
from makul.ledger.tiles import Tile
from makul_client.transparency.merkle import PublishedTree, TileError, root_from_path, tile_path
from makul_testing.tlog.published import leaves

SIZES = st.integers(1, 700)


@given(SIZES, st.data())
def test_only_an_unchanged_proof_leads_to_the_root(size: int, data: st.DataObject) -> None:
    """Another index or size, or a node more, less, longer or changed, does not lead to the root."""
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    root, path = tree_root(hashes), inclusion_proof(index, hashes)
    leaf = hashes[index]

    assert root_from_path(leaf, index=index, size=size, path=path) == root
    others = [
        root_from_path(b"\0" * 32, index=index, size=size, path=path),
        root_from_path(leaf, index=size, size=size, path=path),
        root_from_path(leaf, index=-1, size=size, path=path),
        root_from_path(leaf[:-1], index=index, size=size, path=path),
        root_from_path(leaf, index=index, size=size, path=(*path, b"\0" * 32)),
        root_from_path(leaf, index=index, size=size, path=path[:-1]) if path else None,
        root_from_path(leaf, index=index, size=size, path=(b"", *path)),
    ]
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:place], b"\0" * 32, *path[place + 1 :]]
        others.append(root_from_path(leaf, index=index, size=size, path=changed))
    assert root not in others


def published(hashes: Sequence[bytes]) -> Mapping[str, bytes]:
    return {tile.path: octets for tile, octets in EMPTY_EDGE.extended(hashes).tiles.items()}


@given(st.tuples(SIZES, SIZES).map(sorted))
def test_tiles_give_the_root_of_each_earlier_tree(sizes: list[int]) -> None:
    """The roots show that the later tree only appended."""
    small, large = sizes
    hashes = leaves(large)
    tiles = published(hashes)

    tree = PublishedTree(large, lambda path, at_most: tiles.get(path, b"")[:at_most] or None)

    assert tree.root(large) == tree_root(hashes)
    assert tree.root(small) == tree_root(hashes[:small])


def test_a_partial_tile_may_be_full_now() -> None:
    """C2SP tlog-tiles: then the full tile begins with it."""
    tiles = published(leaves(256))

    tree = PublishedTree(200, lambda path, at_most: tiles.get(path))

    assert tree.root(200) == tree_root(leaves(200))


@pytest.mark.parametrize("given_back", [None, b"", b"\0" * 31, b"\0" * 64])
def test_a_tile_of_another_length_proves_nothing(given_back: bytes | None) -> None:
    """It proves nothing."""
    tree = PublishedTree(3, lambda path, at_most: given_back)
    with pytest.raises(TileError):
        tree.root(3)


@given(st.integers(0, 7), st.integers(0, 2**40), st.integers(1, 256))
def test_paths_are_those_of_the_ledger(level: int, index: int, width: int) -> None:
    """The paths are those of C2SP tlog-tiles."""
    assert tile_path(level, index, width) == Tile(level, index, width).path
