"""The tables of the ledger: acts, queue, leaf indexes, tiles, checkpoints and cosignatures."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from makul.store.schema.columns import DIGEST, MEMBER, UUID, WORD, metadata

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
"""An act of the operator or the authorised body that gives or withdraws a right.

It has its own leaf.

`number` counts from 1 without gaps, in the order of the acts. `sealed` is encrypted: the salt and
the statement of the leaf. The statement names every row that the act changed, before and after.
"""

act_answer = Table(
    "act_answer",
    metadata,
    Column("act_id", UUID, primary_key=True),
    Column("member", MEMBER, nullable=False),
    Column("request_id", UUID, nullable=False),
    Column("request_digest", DIGEST, nullable=False),
    Column("asker", DIGEST, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "member", "request_id", unique=True),
    sqlite_with_rowid=False,
)
"""The answer of an act that closed its request id; a retry of the officer gets it again.

`sealed` is encrypted: the answer, as it was sent.

The ledger does not cover this table. The act has a leaf, and the answer a signed receipt that names
it. If a row is deleted, the retry is judged again on the rows as the act left them, so that no act
is done twice.
"""

ledger_queue = Table(
    "ledger_queue",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    sqlite_with_rowid=False,
)
"""Leaves that have no leaf index yet. They are a set, because commits come in any order."""

ledger_position = Table(
    "ledger_position",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Index(None, "position", unique=True),
    sqlite_with_rowid=False,
)
"""The index of a leaf in the tree: from 0, without gaps, and never changed."""

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
"""The hashes of the tree, up to 256 a row. The last row of a level grows (`ledger.tiles`)."""

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
"""One row, which the sequencing transaction locks.

This lock keeps two sequencers apart, and not the lease in the row. The lease only shows which
process is active and which stands by.
"""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", DIGEST, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A checkpoint that the operator signed: at most one for each size of the tree."""

cosignature = Table(
    "cosignature",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("collected_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The signature line of a witness under a checkpoint. It was verified when it was collected."""


ledger_leaf = Table(
    "ledger_leaf",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("leaf_hash", DIGEST, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "recorded_at"),
    sqlite_with_rowid=False,
)
"""A leaf of the ledger. The sequencer assigns its leaf index later, in `ledger_position`."""
