"""The ledger: places in the tree, its tiles, its head, checkpoints and cosignatures.

Leaves that were recorded before wait in the queue like new ones.

Revision ID: 0004
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT"
        " RAISE(ABORT, 'checkpoint is append-only'); END"
    ),
    (
        "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT"
        " RAISE(ABORT, 'checkpoint is append-only'); END"
    ),
    (
        "CREATE TRIGGER checkpoint_no_insert BEFORE INSERT ON checkpoint WHEN EXISTS (SELECT 1"
        " FROM checkpoint WHERE size = NEW.size) BEGIN SELECT RAISE(ABORT, 'checkpoint is"
        " append-only'); END"
    ),
    (
        "CREATE TRIGGER cosignature_no_update BEFORE UPDATE ON cosignature BEGIN SELECT"
        " RAISE(ABORT, 'cosignature is append-only'); END"
    ),
    (
        "CREATE TRIGGER cosignature_no_delete BEFORE DELETE ON cosignature BEGIN SELECT"
        " RAISE(ABORT, 'cosignature is append-only'); END"
    ),
    (
        "CREATE TRIGGER cosignature_no_insert BEFORE INSERT ON cosignature WHEN EXISTS (SELECT"
        " 1 FROM cosignature WHERE size = NEW.size AND witness = NEW.witness) BEGIN SELECT"
        " RAISE(ABORT, 'cosignature is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_lost_no_update BEFORE UPDATE ON ledger_lost BEGIN SELECT"
        " RAISE(ABORT, 'ledger_lost is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_lost_no_delete BEFORE DELETE ON ledger_lost BEGIN SELECT"
        " RAISE(ABORT, 'ledger_lost is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_lost_no_insert BEFORE INSERT ON ledger_lost WHEN EXISTS (SELECT"
        " 1 FROM ledger_lost WHERE position = NEW.position) BEGIN SELECT RAISE(ABORT,"
        " 'ledger_lost is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_position_no_update BEFORE UPDATE ON ledger_position BEGIN SELECT"
        " RAISE(ABORT, 'ledger_position is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_position_no_delete BEFORE DELETE ON ledger_position BEGIN SELECT"
        " RAISE(ABORT, 'ledger_position is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_position_no_insert BEFORE INSERT ON ledger_position WHEN EXISTS"
        " (SELECT 1 FROM ledger_position WHERE disclosure_id = NEW.disclosure_id OR position ="
        " NEW.position) BEGIN SELECT RAISE(ABORT, 'ledger_position is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER checkpoint_no_change BEFORE DELETE OR UPDATE ON checkpoint FOR EACH ROW"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint FOR EACH STATEMENT"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER cosignature_no_change BEFORE DELETE OR UPDATE ON cosignature FOR EACH"
        " ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER cosignature_no_truncate BEFORE TRUNCATE ON cosignature FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER ledger_lost_no_change BEFORE DELETE OR UPDATE ON ledger_lost FOR EACH"
        " ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER ledger_lost_no_truncate BEFORE TRUNCATE ON ledger_lost FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER ledger_position_no_change BEFORE DELETE OR UPDATE ON ledger_position"
        " FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER ledger_position_no_truncate BEFORE TRUNCATE ON ledger_position FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)

_EMPTY_ROOT = hashlib.sha256(b"").digest()


def upgrade() -> None:
    """Create what is new, and queue what is there."""
    _leaves()
    _tree()
    _checkpoints()
    op.execute("INSERT INTO ledger_queue (disclosure_id) SELECT disclosure_id FROM ledger_leaf")
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
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
