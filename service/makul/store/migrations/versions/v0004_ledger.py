"""The ledger: places in the tree, its tiles, its head, checkpoints and cosignatures.

Leaves that were recorded before wait in the queue like new ones.

Revision ID: 0004
"""

import hashlib

import sqlalchemy as sa
from alembic import op

from makul.store.append_only import SINCE_0004, triggers_for

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EMPTY_ROOT = hashlib.sha256(b"").digest()


def upgrade() -> None:
    """Create what is new, and queue what is there."""
    _leaves()
    _tree()
    _checkpoints()
    op.execute("INSERT INTO ledger_queue (disclosure_id) SELECT disclosure_id FROM ledger_leaf")
    for sql in triggers_for(op.get_bind().dialect.name, SINCE_0004):
        op.execute(sql)


def _leaves() -> None:
    op.create_table(
        "ledger_queue",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_ledger_queue")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_position",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_ledger_position")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_ledger_position_position"), "ledger_position", ["position"], unique=True
    )
    op.create_table(
        "ledger_lost",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_lost")),
        sqlite_with_rowid=False,
    )


def _tree() -> None:
    op.create_table(
        "ledger_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_ledger_tile")),
        sqlite_with_rowid=False,
    )
    head = op.create_table(
        "ledger_head",
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("holder", sa.LargeBinary(length=16), nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_ledger_head")),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(
        head,
        [{"log": "main", "size": 0, "root": _EMPTY_ROOT, "holder": None, "held_until": 0}],
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("collected_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignature")),
        sqlite_with_rowid=False,
    )
