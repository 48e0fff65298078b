"""Officers of the supervising bodies, proposals of terminations, and the answers of acts.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER act_answer_no_update BEFORE UPDATE ON act_answer WHEN NOT (NEW.act_id "
        "IS OLD.act_id AND NEW.member IS OLD.member AND NEW.request_id IS OLD.request_id AND "
        "NEW.request_digest IS OLD.request_digest AND NEW.asker IS OLD.asker AND "
        "NEW.answered_at IS OLD.answered_at AND substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, "
        "1, 1) AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 "
        "AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8)) BEGIN SELECT "
        "RAISE(ABORT, 'act_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER act_answer_no_delete BEFORE DELETE ON act_answer BEGIN SELECT "
        "RAISE(ABORT, 'act_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER act_answer_no_insert BEFORE INSERT ON act_answer WHEN EXISTS (SELECT 1 "
        "FROM act_answer WHERE act_id = NEW.act_id OR member = NEW.member AND request_id = "
        "NEW.request_id) BEGIN SELECT RAISE(ABORT, 'act_answer is append-only'); END"
    ),
    (
        "CREATE TRIGGER termination_proposal_no_update BEFORE UPDATE ON termination_proposal "
        "BEGIN SELECT RAISE(ABORT, 'termination_proposal is append-only'); END"
    ),
    (
        "CREATE TRIGGER termination_proposal_no_delete BEFORE DELETE ON termination_proposal "
        "BEGIN SELECT RAISE(ABORT, 'termination_proposal is append-only'); END"
    ),
    (
        "CREATE TRIGGER termination_proposal_no_insert BEFORE INSERT ON termination_proposal "
        "WHEN EXISTS (SELECT 1 FROM termination_proposal WHERE number = NEW.number AND "
        "agreement_changed_at = NEW.agreement_changed_at AND officer = NEW.officer) BEGIN "
        "SELECT RAISE(ABORT, 'termination_proposal is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER act_answer_no_change BEFORE DELETE OR UPDATE ON act_answer FOR EACH ROW "
        "EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER act_answer_no_truncate BEFORE TRUNCATE ON act_answer FOR EACH STATEMENT "
        "EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER termination_proposal_no_change BEFORE DELETE OR UPDATE ON "
        "termination_proposal FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER termination_proposal_no_truncate BEFORE TRUNCATE ON "
        "termination_proposal FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the tables and the triggers."""
    op.create_table(
        "officer",
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member", sa.String(length=31), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_officer")),
    )
    op.create_table(
        "termination_proposal",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("agreement_changed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("officer", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "number", "agreement_changed_at", "officer", name=op.f("pk_termination_proposal")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "act_answer",
        sa.Column("act_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("member", sa.String(length=31), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asker", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_act_answer")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_act_answer_member_request_id"), "act_answer", ["member", "request_id"], unique=True
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
