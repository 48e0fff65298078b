"""Acts: what the operator and the authorised body do to rights, with leaves of their own.

The rows of rights that are there already are recorded as a baseline by `makul store upgrade`, which
has the keys; a store without one is not opened.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_SQLITE_TRIGGERS = (
    (
        "CREATE TRIGGER act_no_update BEFORE UPDATE ON act WHEN NOT (NEW.act_id IS OLD.act_id"
        " AND NEW.number IS OLD.number AND NEW.at IS OLD.at AND NEW.who IS OLD.who"
        " AND NEW.kind IS OLD.kind AND NEW.target IS OLD.target"
        " AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1)"
        " AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND length(NEW.sealed) > 49"
        " AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8))"
        " BEGIN SELECT RAISE(ABORT, 'act is append-only'); END"
    ),
    (
        "CREATE TRIGGER act_no_delete BEFORE DELETE ON act"
        " BEGIN SELECT RAISE(ABORT, 'act is append-only'); END"
    ),
    (
        "CREATE TRIGGER act_no_insert BEFORE INSERT ON act"
        " WHEN EXISTS (SELECT 1 FROM act WHERE act_id = NEW.act_id OR number = NEW.number)"
        " BEGIN SELECT RAISE(ABORT, 'act is append-only'); END"
    ),
)
_POSTGRES_TRIGGERS = (
    (
        "CREATE TRIGGER act_no_change BEFORE DELETE OR UPDATE ON act"
        " FOR EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER act_no_truncate BEFORE TRUNCATE ON act"
        " FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the table and the triggers that let rows be added alone."""
    op.create_table(
        "act",
        sa.Column("act_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_act")),
        sqlite_with_rowid=False,
    )
    op.add_column("store_identity", sa.Column("baseline_at", sa.BigInteger()))
    op.create_index(op.f("ix_act_number"), "act", ["number"], unique=True)
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE_TRIGGERS if sqlite else _POSTGRES_TRIGGERS:
        op.execute(sql)
