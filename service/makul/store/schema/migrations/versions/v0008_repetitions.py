"""A record of each stored answer that is given again.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER repetition_no_update BEFORE UPDATE ON repetition WHEN NOT"
        " (NEW.repetition_id IS OLD.repetition_id AND NEW.recipient IS OLD.recipient"
        " AND NEW.space IS OLD.space AND NEW.request_id IS OLD.request_id"
        " AND NEW.disclosure_id IS OLD.disclosure_id AND NEW.decided_at IS OLD.decided_at"
        " AND NEW.channel IS OLD.channel AND NEW.certificate IS OLD.certificate"
        " AND NEW.repeated_at IS OLD.repeated_at"
        " AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1)"
        " AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50)"
        " AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8))"
        " BEGIN SELECT RAISE(ABORT, 'repetition is append-only'); END"
    ),
    (
        "CREATE TRIGGER repetition_no_delete BEFORE DELETE ON repetition"
        " BEGIN SELECT RAISE(ABORT, 'repetition is append-only'); END"
    ),
    (
        "CREATE TRIGGER repetition_no_insert BEFORE INSERT ON repetition WHEN EXISTS"
        " (SELECT 1 FROM repetition WHERE repetition_id = NEW.repetition_id)"
        " BEGIN SELECT RAISE(ABORT, 'repetition is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER repetition_no_change BEFORE DELETE OR UPDATE ON repetition"
        " FOR EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER repetition_no_truncate BEFORE TRUNCATE ON repetition"
        " FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the table, its indexes and its triggers."""
    op.create_table(
        "repetition",
        sa.Column("repetition_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("certificate", sa.LargeBinary(length=32), nullable=True),
        sa.Column("repeated_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("repetition_id", name=op.f("pk_repetition")),
        sqlite_with_rowid=False,
    )
    for columns in (
        ["disclosure_id", "repeated_at"],
        ["recipient", "repeated_at"],
        ["repeated_at"],
    ):
        op.create_index(op.f(f"ix_repetition_{'_'.join(columns)}"), "repetition", columns)
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
