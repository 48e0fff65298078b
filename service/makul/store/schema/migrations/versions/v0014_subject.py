"""What a subject sees and sets: an index of decisions by subject, and the locks of matching.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes, on PostgreSQL also on every partition, and the table."""
    op.create_index(
        op.f("ix_disclosure_subject_index_decided_at"),
        "disclosure",
        ["subject_index", "decided_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_consent_giver_giver_index"), "consent_giver", ["giver_index"], unique=False
    )
    op.create_table(
        "matching_lock",
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(length=32)),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject_index", name=op.f("pk_matching_lock")),
        sqlite_with_rowid=False,
    )
