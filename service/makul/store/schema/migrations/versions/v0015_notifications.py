"""Notifications to subjects, their links, the questions of a month, and what subjects answered.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER month_question_no_update BEFORE UPDATE ON month_question BEGIN SELECT "
        "RAISE(ABORT, 'month_question is append-only'); END"
    ),
    (
        "CREATE TRIGGER month_question_no_delete BEFORE DELETE ON month_question BEGIN SELECT "
        "RAISE(ABORT, 'month_question is append-only'); END"
    ),
    (
        "CREATE TRIGGER month_question_no_insert BEFORE INSERT ON month_question WHEN EXISTS "
        "(SELECT 1 FROM month_question WHERE disclosure_id = NEW.disclosure_id) BEGIN SELECT "
        "RAISE(ABORT, 'month_question is append-only'); END"
    ),
    (
        "CREATE TRIGGER subject_answer_no_update BEFORE UPDATE ON subject_answer BEGIN SELECT "
        "RAISE(ABORT, 'subject_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER subject_answer_no_delete BEFORE DELETE ON subject_answer BEGIN SELECT "
        "RAISE(ABORT, 'subject_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER subject_answer_no_insert BEFORE INSERT ON subject_answer WHEN EXISTS "
        "(SELECT 1 FROM subject_answer WHERE disclosure_id = NEW.disclosure_id AND origin = "
        "NEW.origin) BEGIN SELECT RAISE(ABORT, 'subject_answer is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER month_question_no_change BEFORE DELETE OR UPDATE ON month_question FOR "
        "EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER month_question_no_truncate BEFORE TRUNCATE ON month_question FOR EACH "
        "STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER subject_answer_no_change BEFORE DELETE OR UPDATE ON subject_answer FOR "
        "EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER subject_answer_no_truncate BEFORE TRUNCATE ON subject_answer FOR EACH "
        "STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the tables, the indexes and the triggers."""
    waits = sa.text("next_at IS NOT NULL")
    op.create_table(
        "notification",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("visible_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("disclosure_id", "kind", name=op.f("pk_notification")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_notification_to_send",
        "notification",
        ["next_at", "visible_at"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_table(
        "notification_link",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_notification_link")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_notification_link_expires_at"), "notification_link", ["expires_at"])
    op.create_table(
        "month_question",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("month", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answer_by", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_month_question")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_month_question_recipient_month"), "month_question", ["recipient", "month"]
    )
    op.create_table(
        "subject_answer",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", "origin", name=op.f("pk_subject_answer")),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
