"""Cases about recipients, and their steps.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER oversight_case_step_no_update BEFORE UPDATE ON oversight_case_step WHEN "
        "NOT (NEW.case_id IS OLD.case_id AND NEW.number IS OLD.number AND NEW.kind IS OLD.kind "
        "AND NEW.party IS OLD.party AND NEW.evidence IS OLD.evidence AND NEW.taken_at IS "
        "OLD.taken_at AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND "
        "substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND "
        "substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT, "
        "'oversight_case_step is append-only'); END"
    ),
    (
        "CREATE TRIGGER oversight_case_step_no_delete BEFORE DELETE ON oversight_case_step BEGIN "
        "SELECT RAISE(ABORT, 'oversight_case_step is append-only'); END"
    ),
    (
        "CREATE TRIGGER oversight_case_step_no_insert BEFORE INSERT ON oversight_case_step WHEN "
        "EXISTS (SELECT 1 FROM oversight_case_step WHERE case_id = NEW.case_id AND number = "
        "NEW.number) BEGIN SELECT RAISE(ABORT, 'oversight_case_step is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER oversight_case_step_no_change BEFORE DELETE OR UPDATE ON "
        "oversight_case_step FOR EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER oversight_case_step_no_truncate BEFORE TRUNCATE ON oversight_case_step "
        "FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the tables and the triggers."""
    op.create_table(
        "oversight_case",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("first_day", sa.String(length=32), nullable=False),
        sa.Column("end_day", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.LargeBinary(length=32)),
        sa.Column("evidence_bytes", sa.BigInteger()),
        sa.Column("evidence_parts", sa.LargeBinary()),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient"], ["recipient.code"], name=op.f("fk_oversight_case_recipient")
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_oversight_case")),
    )
    op.create_table(
        "oversight_case_step",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.LargeBinary(length=32)),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_oversight_case_step")),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
