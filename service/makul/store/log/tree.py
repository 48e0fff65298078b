"""The tree of the log in the store's tables: its head, its tiles and its checkpoints.

Both the sequencer and the recovery extend the tree, and both lock the head's row first.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports.ledger import Lease, LedgerBrokenError, SignedTree, Standby
from makul.language.translation import translate, translate_error
from makul.ledger.compact_range import AppendResult, RightEdge
from makul.ledger.merkle import HASH_BYTES
from makul.ledger.tile_proofs import TileError, TileTree
from makul.ledger.tiles import TILE_WIDTH, hashes_at
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import instant, micros
from makul.store.schema.ledger_tables import checkpoint, ledger_head, ledger_tile

LOG = "main"
"""The head's key: there is one log in a store."""

_HEAD = select(
    ledger_head.c.size, ledger_head.c.root, ledger_head.c.holder, ledger_head.c.held_until
).where(ledger_head.c.log == bindparam("log"))
_LOCK_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = (
    update(ledger_head)
    .where(ledger_head.c.log == bindparam("key_log"))
    .values(
        size=bindparam("new_size"),
        root=bindparam("new_root"),
        holder=bindparam("new_holder"),
        held_until=bindparam("new_until"),
    )
)

TILE = select(ledger_tile.c.hashes).where(
    ledger_tile.c.level == bindparam("level"), ledger_tile.c.index == bindparam("index")
)
_ADD_TILE = insert(ledger_tile)
_GROW_TILE = (
    update(ledger_tile)
    .where(
        ledger_tile.c.level == bindparam("key_level"),
        ledger_tile.c.index == bindparam("key_index"),
    )
    .values(hashes=bindparam("new_hashes"))
)

_ADD_CHECKPOINT = insert(checkpoint)


def read_head(database: Database) -> Row:
    """Return the size, root, holder and end of the lease.

    Raises `LedgerBrokenError` if the log has no head.
    """
    return _require_head(database.fetch_one(_HEAD, {"log": LOG}))


def lock_head(transaction: Transaction, lease: Lease, at: datetime) -> RightEdge | Standby:
    """Lock the head's row, and return the right edge of its tree, or the other holder's lease.

    Raises `LedgerBrokenError` if the tiles do not match the head.
    """
    head = _require_head(transaction.fetch_one(_LOCK_HEAD, {"log": LOG}))
    other = other_lease(head, lease, at)
    if other is not None:
        return other
    size, root, _, _ = head
    return _edge(transaction, size, root)


def move_head(transaction: Transaction, edge: RightEdge, lease: Lease, *, at: datetime) -> bytes:
    """Write the new end of the log, renew the lease, and return the root."""
    root = edge.root()
    transaction.execute(
        _MOVE_HEAD,
        {
            "key_log": LOG,
            "new_size": edge.size,
            "new_root": root,
            "new_holder": lease.holder.bytes,
            "new_until": micros(at + lease.length),
        },
    )
    return root


def add_checkpoint(transaction: Transaction, signed: SignedTree, *, at: datetime) -> None:
    """Store a checkpoint of a size that has none."""
    made = {"size": signed.size, "root": signed.root, "note": signed.note, "made_at": micros(at)}
    transaction.execute(_ADD_CHECKPOINT, made)


def _edge(transaction: Transaction, size: int, root: bytes) -> RightEdge:
    """Return the right edge from the tiles; it must have the head's root."""
    try:
        edge = TileTree(size, partial(read_tile, transaction)).edge()
    except (TileError, ValueError) as error:
        raise LedgerBrokenError(translate_error(error)) from None
    if edge.root() != root:
        raise LedgerBrokenError(translate("the log's tiles do not give the root of its head"))
    return edge


def read_tile(source: Database | Transaction, level: int, index: int, width: int) -> bytes:
    """Return the first hashes of a tile, which may have grown since.

    Raises `LedgerBrokenError` if the tile is missing.
    """
    row = source.fetch_one(TILE, {"level": level, "index": index})
    if row is None:
        raise LedgerBrokenError(
            translate(
                "the log's tile {index} of level {level} is not there", index=index, level=level
            )
        )
    hashes: bytes = row[0][: width * HASH_BYTES]
    return hashes


def write_tiles(transaction: Transaction, old_size: int, appended: AppendResult) -> None:
    """Add the new tiles, and extend those that were not full."""
    for tile, hashes in appended.tiles.items():
        if hashes_at(tile.level, old_size) > tile.index * TILE_WIDTH:
            grown = {"key_level": tile.level, "key_index": tile.index, "new_hashes": hashes}
            transaction.execute(_GROW_TILE, grown)
        else:
            row = {"level": tile.level, "index": tile.index, "hashes": hashes}
            transaction.execute(_ADD_TILE, row)


def _require_head(row: Row | None) -> Row:
    if row is None:
        raise LedgerBrokenError(translate("the log has no head: restore the store from a backup"))
    return row


def other_lease(head: Row, lease: Lease, at: datetime) -> Standby | None:
    """Return another holder's lease that has not expired.

    A lease that ends later than its full length from now was written by a clock that was ahead. It
    is ignored, because its holder may be gone. A lease only saves a second sequencer the work; the
    lock keeps the log correct.
    """
    _, _, holder, until = head
    runs = micros(at) < until <= micros(at + lease.length)
    held = holder is not None and holder != lease.holder.bytes and runs
    return Standby(until=instant(until)) if held else None
