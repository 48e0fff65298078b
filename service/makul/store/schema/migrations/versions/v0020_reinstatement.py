"""Proposals to end the complete stop of a recipient.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER reinstatement_proposal_no_update BEFORE UPDATE ON reinstatement_proposal "
        "BEGIN SELECT RAISE(ABORT, 'reinstatement_proposal is append-only'); END"
    ),
    (
        "CREATE TRIGGER reinstatement_proposal_no_delete BEFORE DELETE ON reinstatement_proposal "
        "BEGIN SELECT RAISE(ABORT, 'reinstatement_proposal is append-only'); END"
    ),
    (
        "CREATE TRIGGER reinstatement_proposal_no_insert BEFORE INSERT ON reinstatement_proposal "
        "WHEN EXISTS (SELECT 1 FROM reinstatement_proposal WHERE recipient = NEW.recipient AND "
        "recipient_changed_at = NEW.recipient_changed_at AND officer = NEW.officer) "
        "BEGIN SELECT RAISE(ABORT, 'reinstatement_proposal is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER reinstatement_proposal_no_change BEFORE DELETE OR UPDATE ON "
        "reinstatement_proposal FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER reinstatement_proposal_no_truncate BEFORE TRUNCATE ON "
        "reinstatement_proposal FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the table and the triggers."""
    op.create_table(
        "reinstatement_proposal",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("recipient_changed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("officer", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "recipient",
            "recipient_changed_at",
            "officer",
            name=op.f("pk_reinstatement_proposal"),
        ),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
