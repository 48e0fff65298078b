"""The tables of the log: acts, what waits for a place, the places, tiles, and what was signed."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from makul.store.schema.columns import DIGEST, UUID, WORD, metadata

act = Table(
    "act",
    metadata,
    Column("act_id", UUID, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("target", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "number", unique=True),
    sqlite_with_rowid=False,
)
"""An act of the operator or the authorised body that gives or takes a right, with a leaf of its
own. `number` counts from 1 without gaps, in the order of the acts. Encrypted: the salt and the
statement of the leaf, which names every row that the act changed, before and after."""

ledger_queue = Table(
    "ledger_queue",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    sqlite_with_rowid=False,
)
"""Leaves without a place in the tree. A set: commits come in any order."""

ledger_position = Table(
    "ledger_position",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Index(None, "position", unique=True),
    sqlite_with_rowid=False,
)
"""A leaf's place in the tree, from 0, without gaps and for good."""

ledger_lost = Table(
    "ledger_lost",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf_hash", DIGEST, nullable=False),
    Column("noted_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A published leaf whose decision was lost when an older copy of the store was restored."""

ledger_tile = Table(
    "ledger_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""The tree's hashes, up to 256 a row; the last row of a level grows (`ledger.tiles`)."""

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("log", WORD, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", DIGEST, nullable=False),
    Column("holder", UUID),
    Column("held_until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""One row, which the sequencing transaction locks: that lock, and not the lease in it, keeps two
sequencers apart. The lease only says who works and who stands by."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", DIGEST, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What the operator signed of the tree at one size; at each size at most once."""

cosignature = Table(
    "cosignature",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("collected_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A witness's line beneath a checkpoint, verified when it was collected."""
