"""Judge whether a checkpoint only appends to the tree that was seen before.

Pure code, except for reading tiles. The witness computes every root itself from tiles and from the
root that it keeps, regardless of the log's claims (RFC 9162, 2.1.4.2).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from makul.language.translation import DeferredMessage, translate, translate_error
from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE, RightEdge, split_hashes
from makul.ledger.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from makul.ledger.tile_proofs import ReadTile, TileError, TileTree
from makul.ledger.tiles import TILE_WIDTH, tile_at
from makul.witness.log_source import MissingError, SourceError

_NO_REASON: Final = DeferredMessage()


class ConsistencyFinding(StrEnum):
    """The relation of a checkpoint that the log signed to the tree seen before."""

    GREW = "grew"
    """Leaves were appended and none was changed. Only this finding leads to a cosignature."""
    UNCHANGED = "unchanged"
    OLDER = "older"
    """The tree is a prefix of the tree seen: a lagging copy, or an old checkpoint shown again."""
    FORKED = "forked"
    """The log changed or removed a leaf, or shows different trees to different readers."""
    UNPROVEN = "unproven"
    """The tiles do not give the root that the log signed, and the right tiles are unknown."""


@dataclass(frozen=True, slots=True)
class CosignedTree:
    """The largest tree that the witness cosigned; the empty tree before the first cosignature."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Judgement:
    """The finding and its reason; the reason repeats nothing received except sizes."""

    finding: ConsistencyFinding
    why: DeferredMessage = _NO_REASON
    """The reason for people, and in English for the evidence."""


def judge(
    cosigned_tree: CosignedTree, new: Checkpoint, read: ReadTile, *, from_start: bool = False
) -> Judgement:
    """Compare a checkpoint, whose signature is verified, with the tree that was seen.

    With `from_start`, both trees are computed from all leaf hashes. This finds a published leaf
    that was changed since.

    Raises `SourceError` if a tile cannot be fetched, because then nothing is known. A smaller tree
    is an exception: if its tiles are missing, the log is known to have gone back.
    """
    if new.size == cosigned_tree.size and new.root != cosigned_tree.root:
        return Judgement(
            ConsistencyFinding.FORKED,
            DeferredMessage("two trees of {size} leaves are signed", size=new.size),
        )
    try:
        if new.size < cosigned_tree.size:
            return _judge_smaller(cosigned_tree, new, read)
        if from_start:
            return _judge_from_start(cosigned_tree, new, read)
        if new.size == cosigned_tree.size:
            return Judgement(ConsistencyFinding.UNCHANGED)
        return _judge_larger(cosigned_tree, new, read)
    except TileError as error:
        raise SourceError(translate_error(error)) from None


def _judge_larger(cosigned_tree: CosignedTree, new: Checkpoint, read: ReadTile) -> Judgement:
    tree = TileTree(new.size, read)
    if cosigned_tree.size and verify_consistency(
        old_size=cosigned_tree.size,
        old_root=cosigned_tree.root,
        new_size=new.size,
        new_root=new.root,
        proof=tree.consistency_proof(cosigned_tree.size),
    ):
        return Judgement(ConsistencyFinding.GREW)
    if tree.root() != new.root:
        return _unproven_tree(new)
    return (
        Judgement(ConsistencyFinding.GREW)
        if not cosigned_tree.size
        else _changed_leaves(cosigned_tree)
    )


def _judge_smaller(cosigned_tree: CosignedTree, new: Checkpoint, read: ReadTile) -> Judgement:
    """Judge whether a smaller tree is an old checkpoint of the same log or removed leaves."""
    try:
        proof = TileTree(cosigned_tree.size, read).consistency_proof(new.size) if new.size else ()
    except MissingError:
        return Judgement(
            ConsistencyFinding.FORKED,
            DeferredMessage(
                "{size} leaves are signed after {seen}, and others are gone",
                size=new.size,
                seen=cosigned_tree.size,
            ),
        )
    if verify_consistency(
        old_size=new.size,
        old_root=new.root,
        new_size=cosigned_tree.size,
        new_root=cosigned_tree.root,
        proof=proof,
    ):
        return Judgement(
            ConsistencyFinding.OLDER,
            DeferredMessage("{seen} leaves were seen already", seen=cosigned_tree.size),
        )
    return Judgement(
        ConsistencyFinding.FORKED,
        DeferredMessage(
            "{size} leaves are signed after {seen}, and not the first of them",
            size=new.size,
            seen=cosigned_tree.size,
        ),
    )


def _judge_from_start(cosigned_tree: CosignedTree, new: Checkpoint, read: ReadTile) -> Judgement:
    before = _extend_edge(EMPTY_EDGE, cosigned_tree.size, new.size, read)
    now = _extend_edge(before, new.size, new.size, read)
    if now.root() != new.root:
        return _unproven_tree(new)
    if before.root() != cosigned_tree.root:
        return _changed_leaves(cosigned_tree)
    return Judgement(
        ConsistencyFinding.UNCHANGED if new.size == cosigned_tree.size else ConsistencyFinding.GREW
    )


def _extend_edge(edge: RightEdge, size: int, published: int, read: ReadTile) -> RightEdge:
    """Return the edge of the first `size` leaves, computed only from leaf hashes, tile by tile."""
    while edge.size < size:
        tile = tile_at(0, edge.size // TILE_WIDTH, published)
        row = read(tile.level, tile.index, tile.width)
        if len(row) != tile.width * HASH_BYTES:
            raise SourceError(translate("{path} has another length than it should", path=tile.path))
        first = tile.index * TILE_WIDTH
        expected = row[(edge.size - first) * HASH_BYTES : (size - first) * HASH_BYTES]
        edge = edge.extended(split_hashes(expected)).edge
    return edge


def _changed_leaves(cosigned_tree: CosignedTree) -> Judgement:
    return Judgement(
        ConsistencyFinding.FORKED,
        DeferredMessage(
            "its first {seen} leaves are not those seen before", seen=cosigned_tree.size
        ),
    )


def _unproven_tree(new: Checkpoint) -> Judgement:
    return Judgement(
        ConsistencyFinding.UNPROVEN,
        DeferredMessage(
            "what is published is not the tree of {size} leaves that is signed", size=new.size
        ),
    )
