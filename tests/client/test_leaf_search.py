"""The proof of a receipt's leaf is found in a published log, for receipts without a proof."""

from pathlib import Path

import pytest

from makul.ledger.compact_range import build_edge
from makul_client import LedgerError, LedgerFlaw, MakulError, ReceiptState, TransportError
from makul_client.transparency import leaf_search
from makul_client.transparency.leaf_search import find_inclusion
from makul_client.transparency.merkle import root_from_path
from makul_testing.client.ledger import INDEX, LATE, World
from makul_testing.tlog.published import PublishedLog, leaves


def published(folder: Path, size: int) -> PublishedLog:
    log = PublishedLog(folder / "published", folder / "log.key")
    log.publish(leaves(size))
    return log


@pytest.mark.parametrize(
    ("size", "index"), [(1, 0), (2, 1), (20, 7), (256, 255), (257, 256), (700, 300), (700, 0)]
)
def test_proof_leads_from_the_leaf_to_the_root(tmp_path: Path, size: int, index: int) -> None:
    """It is computed from the tiles, full ones and partial ones."""
    log, hashes = published(tmp_path, size), leaves(size)

    found = find_inclusion(hashes[index], str(log.directory))

    assert found is not None
    assert (found.index, found.size) == (index, size)
    root = root_from_path(hashes[index], index=index, size=size, path=found.path)
    assert root == build_edge(hashes).root()


def test_leaf_that_is_missing_has_no_proof(tmp_path: Path) -> None:
    """The whole log was searched."""
    log = published(tmp_path, 300)

    assert find_inclusion(b"x" * 32, str(log.directory)) is None


def test_partial_search_never_accuses_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leaf beyond the newest tiles may be in the log, so its absence is no finding."""
    log, hashes = published(tmp_path, 700), leaves(700)
    monkeypatch.setattr(leaf_search, "MAX_TILES", 1)

    assert find_inclusion(hashes[600], str(log.directory)) is not None
    with pytest.raises(MakulError, match="newest 1 tiles"):
        find_inclusion(hashes[0], str(log.directory))


def test_log_that_cannot_be_read_is_no_finding(tmp_path: Path) -> None:
    """A missing checkpoint, a checkpoint that is none, and a missing tile may be temporary."""
    log, hashes = published(tmp_path, 300), leaves(300)
    (log.directory / "tile" / "0" / "000").unlink()
    with pytest.raises(TransportError, match="tile/0/000"):
        find_inclusion(hashes[0], str(log.directory))
    log.show(b"no checkpoint")
    with pytest.raises(TransportError, match="cannot be read"):
        find_inclusion(hashes[0], str(log.directory))
    (log.directory / "checkpoint").unlink()
    with pytest.raises(TransportError, match="no checkpoint"):
        find_inclusion(hashes[0], str(log.directory))


def test_found_proof_is_verified_like_any_other(world: World) -> None:
    """A leaf in a changed tile does not lead to the root that the log signed."""
    world.log.publish_tiles(world.hashes)
    world.log.show(world.checkpoint(world.hashes))
    receipt, log = world.verified(), str(world.log.directory)

    proved = world.verifier().prove(receipt, find_inclusion(receipt.leaf_hash, log), at=LATE)
    world.log.publish_tiles(world.hashes[::-1])
    moved = find_inclusion(receipt.leaf_hash, log)

    assert (proved.state, proved.index) == (ReceiptState.PROVED, INDEX)
    assert moved is not None
    assert moved.index != INDEX
    with pytest.raises(LedgerError) as raised:
        world.verifier().prove(receipt, moved, at=LATE)
    assert raised.value.flaw is LedgerFlaw.PATH
