"""Does a checkpoint only append to the tree that was seen before?

Pure, but for the tiles it asks for. The witness computes every root itself from tiles and from the
root that it keeps, whatever the log claims about them (RFC 9162, 2.1.4.2).
"""

from dataclasses import dataclass
from enum import StrEnum

from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE, RightEdge, split_hashes
from makul.ledger.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from makul.ledger.tile_proofs import ReadTile, TileError, TileTree
from makul.ledger.tiles import TILE_WIDTH, tile_at
from makul.witness.log_source import MissingError, SourceError


class ConsistencyFinding(StrEnum):
    """What a checkpoint that the log signed is, beside the tree seen before."""

    GREW = "grew"
    """Leaves were appended, and none was changed: this alone is cosigned."""
    UNCHANGED = "unchanged"
    OLDER = "older"
    """A beginning of the tree seen: a copy that lags, or an old checkpoint shown again."""
    FORKED = "forked"
    """Not the same log: a leaf was changed or taken away, or others are shown another tree."""
    UNPROVEN = "unproven"
    """The tiles do not give the root that the log signed; what they should be cannot be told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest tree that the witness cosigned; before any, the empty one."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found, and why; the reason repeats nothing received but sizes."""

    finding: ConsistencyFinding
    why: str = ""


def judge(seen: Seen, new: Checkpoint, read: ReadTile, *, from_start: bool = False) -> Judgement:
    """Hold a checkpoint, whose signature is verified, against the tree that was seen.

    `from_start`: compute both trees from all leaf hashes, so that a published leaf that was changed
    since is found. Raises `SourceError` where a tile cannot be had: then nothing is known; except
    that of a smaller tree whose rest is gone it is known that the log went back.
    """
    if new.size == seen.size and new.root != seen.root:
        return Judgement(ConsistencyFinding.FORKED, f"two trees of {new.size} leaves are signed")
    try:
        if new.size < seen.size:
            return _smaller(seen, new, read)
        if from_start:
            return _from_start(seen, new, read)
        if new.size == seen.size:
            return Judgement(ConsistencyFinding.UNCHANGED)
        return _larger(seen, new, read)
    except TileError as error:
        raise SourceError(str(error)) from None


def _larger(seen: Seen, new: Checkpoint, read: ReadTile) -> Judgement:
    tree = TileTree(new.size, read)
    if seen.size and verify_consistency(
        old_size=seen.size,
        old_root=seen.root,
        new_size=new.size,
        new_root=new.root,
        proof=tree.consistency_proof(seen.size),
    ):
        return Judgement(ConsistencyFinding.GREW)
    if tree.root() != new.root:
        return _unproven(new)
    return Judgement(ConsistencyFinding.GREW) if not seen.size else _changed(seen)


def _smaller(seen: Seen, new: Checkpoint, read: ReadTile) -> Judgement:
    """An old checkpoint of the same log, or one that took leaves back?"""
    try:
        proof = TileTree(seen.size, read).consistency_proof(new.size) if new.size else ()
    except MissingError:
        return Judgement(
            ConsistencyFinding.FORKED,
            f"{new.size} leaves are signed after {seen.size}, and others are gone",
        )
    if verify_consistency(
        old_size=new.size,
        old_root=new.root,
        new_size=seen.size,
        new_root=seen.root,
        proof=proof,
    ):
        return Judgement(ConsistencyFinding.OLDER, f"{seen.size} leaves were seen already")
    return Judgement(
        ConsistencyFinding.FORKED,
        f"{new.size} leaves are signed after {seen.size}, and not the first of them",
    )


def _from_start(seen: Seen, new: Checkpoint, read: ReadTile) -> Judgement:
    before = _extended(EMPTY_EDGE, seen.size, new.size, read)
    now = _extended(before, new.size, new.size, read)
    if now.root() != new.root:
        return _unproven(new)
    if before.root() != seen.root:
        return _changed(seen)
    return Judgement(
        ConsistencyFinding.UNCHANGED if new.size == seen.size else ConsistencyFinding.GREW
    )


def _extended(edge: RightEdge, size: int, published: int, read: ReadTile) -> RightEdge:
    """The edge of the first `size` leaves, by leaf hashes alone; a tile at a time."""
    while edge.size < size:
        tile = tile_at(0, edge.size // TILE_WIDTH, published)
        row = read(tile.level, tile.index, tile.width)
        if len(row) != tile.width * HASH_BYTES:
            raise SourceError(f"{tile.path} has another length than it should")
        first = tile.index * TILE_WIDTH
        wanted = row[(edge.size - first) * HASH_BYTES : (size - first) * HASH_BYTES]
        edge = edge.extended(split_hashes(wanted)).edge
    return edge


def _changed(seen: Seen) -> Judgement:
    return Judgement(
        ConsistencyFinding.FORKED, f"its first {seen.size} leaves are not those seen before"
    )


def _unproven(new: Checkpoint) -> Judgement:
    return Judgement(
        ConsistencyFinding.UNPROVEN,
        f"what is published is not the tree of {new.size} leaves that is signed",
    )
