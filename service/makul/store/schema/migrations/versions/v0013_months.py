"""Months that the operator issued, their contested lines, and the answers to these.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER contested_answer_no_update BEFORE UPDATE ON contested_answer WHEN NOT "
        "(NEW.recipient IS OLD.recipient AND NEW.month IS OLD.month AND NEW.disclosure_id IS "
        "OLD.disclosure_id AND NEW.answer IS OLD.answer AND NEW.answered_at IS OLD.answered_at "
        "AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS "
        "substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT "
        "substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT, 'contested_answer is "
        "append-only'); END"
    ),
    (
        "CREATE TRIGGER contested_answer_no_delete BEFORE DELETE ON contested_answer BEGIN "
        "SELECT RAISE(ABORT, 'contested_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER contested_answer_no_insert BEFORE INSERT ON contested_answer WHEN "
        "EXISTS (SELECT 1 FROM contested_answer WHERE recipient = NEW.recipient AND month = "
        "NEW.month AND disclosure_id = NEW.disclosure_id) BEGIN SELECT RAISE(ABORT, "
        "'contested_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER contested_line_no_update BEFORE UPDATE ON contested_line WHEN NOT "
        "(NEW.recipient IS OLD.recipient AND NEW.month IS OLD.month AND NEW.disclosure_id IS "
        "OLD.disclosure_id AND NEW.contested_at IS OLD.contested_at AND substr(NEW.sealed, 1, "
        "1) IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) "
        "AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, "
        "8)) BEGIN SELECT RAISE(ABORT, 'contested_line is append-only'); END"
    ),
    (
        "CREATE TRIGGER contested_line_no_delete BEFORE DELETE ON contested_line BEGIN SELECT "
        "RAISE(ABORT, 'contested_line is append-only'); END"
    ),
    (
        "CREATE TRIGGER contested_line_no_insert BEFORE INSERT ON contested_line WHEN EXISTS "
        "(SELECT 1 FROM contested_line WHERE recipient = NEW.recipient AND month = NEW.month "
        "AND disclosure_id = NEW.disclosure_id) BEGIN SELECT RAISE(ABORT, 'contested_line is "
        "append-only'); END"
    ),
    (
        "CREATE TRIGGER month_document_no_update BEFORE UPDATE ON month_document WHEN NOT "
        "(NEW.digest IS OLD.digest AND NEW.kept_at IS OLD.kept_at AND substr(NEW.sealed, 1, 1) "
        "IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND "
        "length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8)) "
        "BEGIN SELECT RAISE(ABORT, 'month_document is append-only'); END"
    ),
    (
        "CREATE TRIGGER month_document_no_delete BEFORE DELETE ON month_document BEGIN SELECT "
        "RAISE(ABORT, 'month_document is append-only'); END"
    ),
    (
        "CREATE TRIGGER month_document_no_insert BEFORE INSERT ON month_document WHEN EXISTS "
        "(SELECT 1 FROM month_document WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT, "
        "'month_document is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER contested_answer_no_change BEFORE DELETE OR UPDATE ON contested_answer "
        "FOR EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER contested_answer_no_truncate BEFORE TRUNCATE ON contested_answer FOR "
        "EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER contested_line_no_change BEFORE DELETE OR UPDATE ON contested_line FOR "
        "EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER contested_line_no_truncate BEFORE TRUNCATE ON contested_line FOR EACH "
        "STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER month_document_no_change BEFORE DELETE OR UPDATE ON month_document FOR "
        "EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER month_document_no_truncate BEFORE TRUNCATE ON month_document FOR EACH "
        "STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the tables and the triggers."""
    op.create_table(
        "monthly_statement",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("month", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("confirm_by", sa.BigInteger(), nullable=False),
        sa.Column("confirmation", sa.LargeBinary(length=32)),
        sa.Column("closing", sa.LargeBinary(length=32)),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient"], ["recipient.code"], name=op.f("fk_monthly_statement_recipient")
        ),
        sa.PrimaryKeyConstraint("recipient", "month", name=op.f("pk_monthly_statement")),
    )
    for name, columns in (
        ("contested_line", (sa.Column("contested_at", sa.BigInteger(), nullable=False),)),
        (
            "contested_answer",
            (
                sa.Column("answer", sa.String(length=32), nullable=False),
                sa.Column("answered_at", sa.BigInteger(), nullable=False),
            ),
        ),
    ):
        op.create_table(
            name,
            sa.Column("recipient", sa.String(length=31), nullable=False),
            sa.Column("month", sa.String(length=32), nullable=False),
            sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
            sa.Column("sealed", sa.LargeBinary(), nullable=False),
            *columns,
            sa.PrimaryKeyConstraint("recipient", "month", "disclosure_id", name=op.f(f"pk_{name}")),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "month_document",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_month_document")),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
