"""Reports of wrong data, and the recipients that were given them.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their indexes."""
    op.create_table(
        "correction",
        sa.Column("correction_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attribute", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("reporter", sa.String(length=31), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.Column("examine_by", sa.BigInteger(), nullable=False),
        sa.Column("resolve_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.BigInteger()),
        sa.Column("wrong_since", sa.BigInteger()),
        sa.Column("acknowledge_by", sa.BigInteger()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_correction")),
        sqlite_with_rowid=False,
    )
    for column in ("subject_index", "reporter", "changed_at"):
        op.create_index(op.f(f"ix_correction_{column}"), "correction", [column])
    op.create_table(
        "correction_recall",
        sa.Column("correction_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("correction_id", "recipient", name=op.f("pk_correction_recall")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_correction_recall_recipient"), "correction_recall", ["recipient"])
